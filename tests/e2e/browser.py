"""
Debian's Chromium, driven by Playwright, and a note of everything that a page should not do.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright


CHROMIUM = "chromium"
# Without the network features of a browser at home; --no-sandbox, since pipelines run as root.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(slots=True, kw_only=True)
class Tab:
    """
    An open page.

    Attributes:
        requests: The addresses of all it asked for.
        complaints: What the console called an error: violations of the page's policy among it.
    """

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def chromium_path() -> str:
    """
    Find the browser.

    Raises:
        AssertionError: There is none; the sentence says what to do.
    """
    found = shutil.which(CHROMIUM)
    assert found is not None, (
        "The tests of the pages need Debian's Chromium: 'apt-get install chromium'."
    )
    return found


@contextmanager
def open_tab(profile: Path) -> Generator[Tab]:
    """
    Start a browser with an empty profile, and end it after.
    """
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium_path(), args=list(_FLAGS)
        )
        try:
            tab = Tab(page=context.new_page(), context=context)
            context.on("request", lambda request: tab.requests.append(request.url))
            context.on(
                "console",
                lambda said: tab.complaints.append(said.text) if said.type == "error" else None,
            )
            context.on("weberror", lambda error: tab.complaints.append(str(error.error)))
            yield tab
        finally:
            context.close()
