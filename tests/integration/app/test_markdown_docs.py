"""
Prompts documented in Markdown: over HTTP as far as a key sees them, and as a folder.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.app.main import create_app
from tests.integration.app.app_kit import Client, running, settings_in, write_prompts
from tests.integration.app.cli_kit import Shell


NOTES = "---\nname: notes\ndescription: Of a meeting.\n---\nWrite notes.\n"
DOTTED = "---\nname: v1.2-notes.md\ndescription: By their <b>version</b>.\n---\nWrite more.\n"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """
    Serve the standard prompts, and two whose names meet the ending of an address.
    """
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder)
    write_prompts(folder, {"notes.prompt.md": NOTES, "dotted.prompt.md": DOTTED})
    async with running(create_app(settings)) as client:
        yield client


async def test_a_page_tells_of_a_prompt_and_is_kept(server: Client) -> None:
    """
    The highest version, or the one that is named; 304 to who has it already.
    """
    page = await server.get("/docs/prompts/greet.md", key=True)
    assert page.headers["content-type"] == "text/markdown; charset=utf-8"
    assert page.text.startswith("# Greet somebody\n\nWrites a greeting.\n")
    assert "| `tone` | enum | no | `warm` | How (one of `warm`, `cool`) |" in page.text
    assert "curl -s 'http://localhost/prompts/greet/execute'" in page.text
    again = await server.get("/docs/prompts/greet.md", key=True, if_none_match=page.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    old = await server.get("/docs/prompts/greet.md?version=1.0.0", key=True)
    assert "- Version: 1.0.0" in old.text


@pytest.mark.parametrize(
    ("address", "name"), [("notes.md", "notes"), ("v1.2-notes.md.md", "v1.2-notes.md")]
)
async def test_the_ending_is_the_addresss_and_not_the_names(
    server: Client, address: str, name: str
) -> None:
    """
    A name may hold dots and end in .md itself: one ending is taken away, never two.
    """
    page = await server.get(f"/docs/prompts/{address}", key=True)
    assert f"- Name: `{name}`" in page.text
    lost = await server.get(f"/docs/prompts/{name}-gone.md", key=True)
    assert (lost.status_code, lost.json()["code"]) == (404, "prompt.not_found")


async def test_a_name_like_an_address_of_markdown_has_its_page(server: Client) -> None:
    """
    As long as no other prompt has its Markdown there.
    """
    page = await server.get("/docs/prompts/v1.2-notes.md", key=True)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "By their &lt;b&gt;version" in page.text


async def test_a_key_is_told_of_its_own_prompts(server: Client) -> None:
    """
    What it may not use is in no list and has no page; without a key there is nothing.
    """
    narrow = await server.with_key("ann", prompts=["greet"])
    listed = await narrow.get("/llms.txt", key=True)
    assert listed.headers["content-type"] == "text/plain; charset=utf-8"
    assert "- [Greet somebody](docs/prompts/greet.md): Writes a greeting." in listed.text
    assert listed.text.count("](docs/prompts/") == 1
    for path in ("notes.md", "secret-plan.md"):
        assert (await narrow.get(f"/docs/prompts/{path}", key=True)).status_code == 404
    assert "secret-plan.md" in (await server.get("/llms.txt", key=True)).text
    for path in ("/llms.txt", "/docs/prompts/greet.md"):
        assert (await server.get(path)).status_code == 401


def test_an_export_is_the_same_each_time_and_follows_the_prompts(ctxfy: Shell) -> None:
    """
    An index and a page for each prompt; what is gone goes, and what is somebody else's stays.
    """
    wiki = ctxfy.folder / "wiki"
    said = ctxfy("docs", "export", str(wiki))
    assert (said.code, said.out) == (0, f"5 files in {wiki}.\n")
    first = contents_of(wiki)
    assert set(first) == {
        ".ctxfy-docs.json",
        "index.md",
        *(f"prompts/{name}.md" for name in ("broken", "code-review", "greet", "secret-plan")),
    }
    assert "[Greet somebody](prompts/greet.md)" in first["index.md"]
    assert "curl -s 'http://127.0.0.1:8000/prompts/greet/execute'" in first["prompts/greet.md"]
    (wiki / "prompts" / "own.md").write_text("Ours.")
    assert ctxfy("docs", "export", str(wiki)).code == 0
    assert contents_of(wiki) == first | {"prompts/own.md": "Ours."}
    (ctxfy.prompts / "secret-plan.prompt.md").unlink()
    said = ctxfy("docs", "export", str(wiki), "--json")
    assert said.json()["removed"] == ["prompts/secret-plan.md"]
    assert "prompts/secret-plan.md" not in contents_of(wiki)


def test_an_export_writes_over_nothing_of_others(ctxfy: Shell) -> None:
    """
    A file that it did not write is named and left; a list that was changed leads nowhere else.
    """
    wiki = ctxfy.folder / "wiki"
    wiki.mkdir()
    (wiki / "index.md").write_text("Ours.")
    refused = ctxfy.fails("docs", "export", str(wiki))
    assert refused.startswith(f"'{wiki / 'index.md'}' is there and was not written by")
    assert contents_of(wiki) == {"index.md": "Ours."}
    (wiki / "index.md").unlink()
    (ctxfy.folder / "precious.md").write_text("Ours.")
    names = ["../precious.md", "prompts/../../precious.md", "prompts/gone.md"]
    (wiki / ".ctxfy-docs.json").write_text(json.dumps(names))
    assert ctxfy("docs", "export", str(wiki)).code == 0
    assert (ctxfy.folder / "precious.md").read_text() == "Ours."
    (wiki / ".ctxfy-docs.json").write_text("{")
    assert "is damaged" in ctxfy.fails("docs", "export", str(wiki))
    (ctxfy.folder / "file").write_text("")
    assert "cannot be written" in ctxfy.fails("docs", "export", str(ctxfy.folder / "file"))


def contents_of(folder: Path) -> dict[str, str]:
    """
    Read all files below a folder.
    """
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
