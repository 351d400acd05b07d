"""
What the pages tell people to type does what they say; `make page-examples` tries more of them.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Server, StartServer
from tests.e2e.page_examples import Desk


FROM_NOTHING = (
    ("README.md",),
    tuple(f"docs/tutorials/first-{word}.md" for word in ("prompt", "client", "team")),
)
"""
Pages that begin in an empty folder, and those that go on from there.
"""

MORE = (
    ("explore-the-api", "manage-keys", "test-prompts-in-ci")
    if "PAGE_EXAMPLES" in os.environ
    else ()
)
AT_A_SERVER = tuple(f"docs/how-to/{name}.md" for name in ("document-prompts", "use-rest", *MORE))
"""
Pages whose reader has the server of the first tutorial.
"""

HELLO = """\
---
description: Greet somebody in a few words.
arguments:
  name: {description: Who to greet, required: true}
---
Greet {{ name }}.
"""


@pytest.fixture(scope="module")
def start(start_server: StartServer) -> Callable[[Path], Server]:
    """
    Start what `ctxfy serve` starts in a folder.
    """
    return lambda folder: start_server(folder, prompts=folder / "prompts")


@pytest.fixture(scope="module")
def at_server(tmp_path_factory: pytest.TempPathFactory, start: Callable[[Path], Server]) -> Server:
    """
    One server for all pages that need some.
    """
    folder = tmp_path_factory.mktemp("pages")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "hello.prompt.md").write_text(HELLO)
    return start(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("pages", FROM_NOTHING, ids=lambda pages: str(pages[-1]))
def test_pages_lead_from_nothing_to_what_they_promise(
    pages: tuple[str, ...], tmp_path: Path, start: Callable[[Path], Server]
) -> None:
    """
    Every command does what stands below it, in the order of the pages.
    """
    desk = Desk(folder=tmp_path, start=start)
    for page in pages:
        assert desk.run(ROOT / page) > 1
    if desk.server is not None:
        assert desk.server.stop() == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", AT_A_SERVER)
def test_a_page_does_at_a_server_what_it_says(
    page: str, at_server: Server, start: Callable[[Path], Server]
) -> None:
    """
    Every command succeeds, and answers what stands below it.
    """
    desk = Desk(folder=at_server.folder, start=start, server=at_server)
    assert desk.run(ROOT / page) > 1
