"""
Headers as the gate reads them.
"""

from starlette.types import Scope


def single_header(scope: Scope, name: bytes) -> str | None:
    """
    Read a header that may come once; twice is as good as not at all.
    """
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None
