"""
The pages under /docs over the whole application: who sees what, and what a browser may keep.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.app.config import ServerSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import Client, running, settings_in, write_prompts


BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """
    Serve the standard prompts.
    """
    async with running(create_app(settings_in(tmp_path_factory.mktemp("server")))) as client:
        yield client


async def test_a_key_sees_its_own_prompts_and_no_other(server: Client) -> None:
    """
    In the catalog, and as pages: one that is not for the key is not there, in the same words.
    """
    narrow = await server.with_key("ann", prompts=["greet"])
    reader = await server.with_key("ben")
    assert "secret-plan" in (await server.get("/docs", key=True)).text
    assert "secret-plan" not in (await reader.get("/docs", key=True)).text
    assert "code-review" not in (await narrow.get("/docs", key=True)).text
    for name in ("code-review", "secret-plan", "nothing"):
        hidden = await narrow.get(f"/docs/prompts/{name}", key=True, accept=BROWSER)
        assert (hidden.status_code, hidden.headers["content-type"]) == (
            404,
            "text/html; charset=utf-8",
        )
        assert f"Unknown prompt: &#x27;{name}&#x27;." in hidden.text


async def test_a_page_is_kept_until_something_changes(tmp_path: Path) -> None:
    """
    With its ETag the answer is 304 without a body; after a reload it is the new page, at once.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        tags = dict[str, str]()
        for path in ("/docs", "/docs/prompts/greet"):
            tags[path] = (await client.get(path, key=True)).headers["etag"]
            again = await client.get(path, key=True, if_none_match=tags[path])
            assert (again.status_code, again.content) == (304, b"")
        write_prompts(tmp_path, {"greet.prompt.md": "---\ntitle: Anew\nversion: 9\n---\nHail.\n"})
        reload = await client.post("", path="/prompts/reload")
        assert reload.status_code == 200, reload.text
        for path, etag in tags.items():
            after = await client.get(path, key=True, if_none_match=etag)
            assert (after.status_code, "Anew" in after.text) == (200, True)


async def test_pages_of_two_people_are_two(server: Client) -> None:
    """
    The name at the top is that of who asks, and no page is kept for another.
    """
    ann, ben = await server.with_key("ann"), await server.with_key("ben")
    pages = [(await client.get("/docs", key=True)) for client in (ann, ben, ann)]
    assert [">ann<" in page.text for page in pages] == [True, False, True]
    assert pages[0].headers["etag"] == pages[2].headers["etag"] != pages[1].headers["etag"]
    assert all(page.headers["cache-control"] == "private, no-cache" for page in pages)


async def test_a_search_works_without_a_script(server: Client) -> None:
    """
    By text, tag and owner; what does not fit is hidden.
    """
    for query, found in (("q=greet+somebody", 1), ("tag=demo", 1), ("owner=nobody", 0), ("", 4)):
        page = (await server.get(f"/docs?{query}", key=True)).text
        assert f">{found} of 4<" in page, query
        assert len(re.findall(r'<li class="card"[^>]* hidden>', page)) == 4 - found, query


async def test_another_version_has_its_own_page(server: Client) -> None:
    """
    It says that it is not the one served; one that does not exist is 404.
    """
    old = await server.get("/docs/prompts/greet?version=1.0.0", key=True)
    assert "This is an older version." in old.text
    assert 'data-version="1.0.0"' in old.text
    assert (await server.get("/docs/prompts/greet?version=7", key=True)).status_code == 404


@pytest.mark.parametrize(
    ("public_url", "address"),
    [
        (None, "http://localhost"),
        ("https://prompts.example.com/team/", "https://prompts.example.com/team"),
    ],
)
async def test_snippets_have_the_address_of_this_server(
    tmp_path: Path, public_url: str | None, address: str
) -> None:
    """
    That of the settings, or what the request called it; and no key.
    """
    given = {} if public_url is None else {"public_url": public_url}
    settings = settings_in(tmp_path, server=ServerSettings.model_validate(given))
    async with running(create_app(settings)) as client:
        for path in ("/docs/start", "/docs/prompts/greet"):
            page = (await client.get(path, key=True)).text.replace("&#x2f;", "/")
            assert f"{address}/mcp" in page
            assert client.key not in page
            forged = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
            assert "evil.example" not in (await client.get(path, key=True, **forged)).text


async def test_a_refusal_is_a_page_to_browsers_alone(server: Client) -> None:
    """
    Status and headers are the same; a program gets problem+json, and other routes always do.
    """
    page = await server.get("/docs/nowhere", key=True, accept=BROWSER)
    plain = await server.get("/docs/nowhere", key=True)
    assert (page.status_code, plain.status_code) == (404, 404)
    assert "There is nothing at this address." in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert plain.json()["code"] == "request.not_found"
    other = await server.get("/nowhere", key=True, accept=BROWSER)
    assert other.headers["content-type"] == "application/problem+json"
    writer = await server.with_key("ann", scope=Scope.WRITE)
    assert (await writer.get("/docs", key=True)).status_code == 200
