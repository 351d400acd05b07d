"""
Where pages are: there a refusal is a page too, for who looks at pages.
"""

PAGES = "/docs"


def is_page(path: str) -> bool:
    """
    Whether a path is that of a page, or lies where pages are.
    """
    return path == PAGES or path.startswith(f"{PAGES}/")
