"""
The pages under /docs in a real browser: the way of an author, a reader and an administrator.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx2
import pytest
from playwright.sync_api import Page

from tests.e2e.browser import Tab, open_tab
from tests.e2e.conftest import KEY, ROOT, Server, StartServer


AXE = ROOT / "tests" / "clients" / "node_modules" / "axe-core" / "axe.min.js"
ADMIN_PAGES = ("/docs/keys", "/docs/audit")
# Of the audit trail some rows are enough: axe looks at each.
PAGES = (
    *("/docs", "/docs/prompts/code-review", "/docs/start", "/docs/keys"),
    "/docs/audit?action=session_opened",
)
MODES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1000, "height": 740}
# What Chromium itself notes of an answer that is a refusal; the tests ask for some on purpose.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
OPEN_ALL = """for (const each of document.querySelectorAll("details")) {
  each.removeAttribute("name");
  each.open = true;
}"""
CODE = "if (a < b) {\n  alert('<img src=x onerror=1>')\n}"


@pytest.fixture(scope="module")
def site(start_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """
    A server with prompts that may be changed.
    """
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "prompts", folder / "prompts")
    return start_server(folder, prompts=folder / "prompts")


@pytest.fixture
def tab(site: Server, tmp_path: Path) -> Iterator[Tab]:
    """
    A browser that has logged in, on the catalog.
    """
    with open_tab(tmp_path / "profile") as tab:
        tab.page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
        tab.page.goto(f"{site.url}/docs")
        assert urlsplit(tab.page.url).path == "/login"
        tab.page.get_by_label("API key").fill(site.key)
        tab.page.get_by_role("button", name="Log in").click()
        yield tab
        assert [text for text in tab.complaints if not REFUSED.match(text)] == []
        assert {urlsplit(url).netloc for url in tab.requests} <= {urlsplit(site.url).netloc, ""}
        assert tab.page.evaluate("JSON.stringify([localStorage, sessionStorage])") == "[{},{}]"


def picture(page: Page, name: str) -> None:
    """
    Keep what is seen, if `make screenshots` asks for it.
    """
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_prompt_is_found_rendered_and_seen_to_change(site: Server, tab: Tab) -> None:
    """
    Typing finds it, mistakes stand beside their fields, what comes out is the text that went in,
    the calls are those of the fields, and after a change of the file the page is another.
    """
    page = tab.page
    picture(page, "catalog")
    page.get_by_label("Search").fill("file REVIEW")
    assert page.locator(".card:visible").count() == 1
    assert urlsplit(page.url).query == "q=file+REVIEW"
    page.get_by_role("link", name="Code review").click()

    written = page.locator("[data-form]").all_text_contents()
    page.get_by_role("button", name="small file").click()
    assert [packed(text) for text in page.locator("[data-form]").all_text_contents()] == [
        packed(text) for text in written
    ]
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Render").click()
    page.get_by_text("Argument 'language' is required.").wait_for()
    assert page.locator(".error:visible").count() == 2
    language = page.get_by_label("language")
    assert language.get_attribute("aria-invalid") == "true"
    assert language.evaluate("field => field === document.activeElement")

    language.select_option("typescript")
    page.get_by_label("focus", exact=True).fill("bugs\nerror handling")
    page.locator("#argument-code").fill(CODE)
    page.get_by_role("button", name="Render").click()
    messages = page.locator("#result .message")
    messages.first.wait_for()
    assert page.locator(".error:visible").count() == 0
    roles = [each.get_attribute("data-role") for each in messages.all()]
    assert roles == ["user", "user", "assistant", "user"]
    assert messages.last.locator("pre").inner_text() == CODE
    assert "- bugs\n- error handling\n" in messages.first.inner_text()
    assert page.locator("#result img").count() == 0

    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    messages.last.get_by_role("button", name="Copy").click()
    messages.last.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == CODE
    shell = page.locator("code:has([data-form=shell])").inner_text()
    assert json.loads(shell.split("-d '")[1][:-1].replace("'\\''", "'")) == {
        "arguments": {
            "language": "typescript",
            "focus": ["bugs", "error handling"],
            "code": CODE,
        }
    }
    assert site.key not in page.content()
    page.get_by_role("button", name="strict look at a handler").click()
    page.get_by_role("button", name="Render").click()
    messages.last.get_by_text("s.hits[id]++").wait_for()
    page.evaluate("scrollTo(0, 0)")
    picture(page, "prompt")

    file = site.folder / "prompts" / "code-review.prompt.md"
    file.write_text(file.read_text().replace("title: Code review", "title: Review <i>anew</i>"))
    answer = httpx2.post(f"{site.url}/prompts/reload", headers=bearer(site.key), timeout=60)
    assert answer.status_code == 200, answer.text
    page.reload()
    assert page.get_by_role("heading", level=1).inner_text() == "Review <i>anew</i>"


def packed(text: str) -> str:
    """
    Leave out how a place for arguments is laid out.
    """
    return re.sub(r"[\s,]+", "", text)


def bearer(key: str) -> dict[str, str]:
    """
    Show a key.
    """
    return {"authorization": f"Bearer {key}"}


def test_an_administrator_makes_and_ends_a_key_and_reads_the_trail(site: Server, tab: Tab) -> None:
    """
    The secret is shown once, the key works until it is revoked, the trail tells of it and is whole,
    and whoever has logged out is at the door again.
    """
    page = tab.page
    page.get_by_role("link", name="Keys").click()
    page.get_by_text("Create a key").click()
    page.get_by_label("Rate limit").fill("often")
    page.get_by_role("button", name="Create the key").click()
    page.get_by_text("write for example 600/minute").wait_for()
    page.get_by_label("Rate limit").fill("60/minute")
    page.locator("#create").get_by_label("User").fill("Zoë <b>Y</b>")
    page.get_by_label("Prompts").fill("code-* commit-*")
    page.get_by_role("button", name="Create the key").click()
    page.get_by_role("heading", name="The key of Zoë <b>Y</b>").wait_for()
    found = KEY.search(page.locator("#secret-key").inner_text())
    assert found is not None
    current = f"{site.url}/auth/api-keys/current"
    assert httpx2.get(current, headers=bearer(found[0])).json()["prompts"] == ["code-*", "commit-*"]
    page.get_by_role("button", name="Done, hide it").click()
    assert found[0] not in page.content()

    key_id = found[0][6:18]
    row = page.locator(f'[data-key="{key_id}"]')
    for act, state in (("Disable", "disabled"), ("Enable", "active")):
        row.get_by_role("button", name=act).click()
        row.get_by_text(state, exact=True).wait_for()
    row.get_by_role("button", name="Rotate").click()
    page.locator("#grace").select_option("0")
    page.locator("#ask-yes").click()
    page.get_by_role("heading", name="The new key of Zoë").wait_for()
    assert httpx2.get(current, headers=bearer(found[0])).status_code == 401
    row.get_by_role("button", name="Revoke").click()
    page.locator("#ask-yes").click()
    row.get_by_text("revoked", exact=True).wait_for()
    page.locator("#keys tbody tr").first.get_by_role("button", name="Revoke").click()
    page.locator("#ask-yes").click()
    page.get_by_text("is the last one that can administer").wait_for()

    page.get_by_role("link", name="Audit").click()
    page.get_by_label("Target").fill(key_id)
    page.get_by_role("button", name="Show events").click()
    page.locator("#events code", has_text="key_revoked").first.wait_for()
    told = page.locator("#events tbody tr > td:nth-child(2)").all_inner_texts()
    assert {"key_created", "key_disabled", "key_enabled", "key_rotated", "key_revoked"} <= set(told)
    assert urlsplit(page.url).query == f"target={key_id}"
    page.get_by_role("button", name="Verify the trail").click()
    page.get_by_text("The trail is whole").wait_for()

    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(f"{site.url}/docs/keys")
    assert urlsplit(page.url).path == "/login"


def test_pages_are_fit_for_all_eyes_and_phones(site: Server, tab: Tab) -> None:
    """
    For axe there is nothing serious, light or dark; at 360 pixels nothing has to be moved
    sideways; and a key that may not gets a page that says so, without a link to it.
    """
    found = dict[str, list[str]]()
    for path in PAGES:
        tab.page.goto(f"{site.url}{path}")
        tab.page.wait_for_load_state("networkidle")
        # With everything open, and with mistakes and a result where there may be some.
        for name in ("small file", "Render"):
            if tab.page.get_by_role("button", name=name).count():
                tab.page.get_by_role("button", name=name).click()
        tab.page.evaluate(OPEN_ALL)
        found[path] = serious_findings(tab.page)
        tab.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        width = tab.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], path
        tab.page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    assert {place: what for place, what in found.items() if what} == {}

    made = site.run("keys", "create", "--user", "reader")
    key = KEY.search(made.stdout + made.stderr)
    assert key is not None
    tab.page.get_by_role("button", name="Log out").click()
    tab.page.get_by_label("API key").fill(key[0])
    tab.page.get_by_role("button", name="Log in").click()
    assert tab.page.get_by_role("link", name="Keys").count() == 0
    for path in ADMIN_PAGES:
        refused = tab.page.goto(f"{site.url}{path}")
        assert refused is not None
        assert refused.status == 403
        assert tab.page.get_by_role("heading", name="Forbidden").count() == 1
        assert serious_findings(tab.page) == []


def serious_findings(page: Page) -> list[str]:
    """
    Let axe look at a page, light and dark.
    """
    # By the debugger, not by an element: the policy of the page would not let it in.
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = list[str]()
    for mode in MODES:
        page.emulate_media(color_scheme=mode)
        result: Any = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{mode}, {each['id']}: {node['target']} {node['failureSummary']}"
            for each in result["violations"]
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]
    return found
