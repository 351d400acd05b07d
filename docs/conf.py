"""
How Sphinx builds these pages: `make docs`. Nothing is fetched, neither here nor by a reader.
"""

from ctxfy import __version__


project = "ctxfy"
author = "the ctxfy authors"
copyright = "the ctxfy authors"
version = release = __version__

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3  # so that `page.md#heading` is a link that is checked

html_theme = "furo"
html_title = f"ctxfy {release}"
html_show_sphinx = False
