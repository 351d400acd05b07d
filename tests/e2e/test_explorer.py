"""
The explorer in a real browser: it logs in, shows the prompts, and executes one.
"""

from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.browser import open_tab
from tests.e2e.conftest import Server


def test_a_prompt_is_executed_through_the_page(server: Server, tmp_path: Path) -> None:
    """
    Nothing breaks the page's policy, nothing leaves the server, and the key is shown nowhere.
    """
    with open_tab(tmp_path / "profile") as tab:
        page = tab.page
        page.goto(f"{server.url}/docs/explorer")
        assert urlsplit(page.url).path == "/login"
        page.get_by_label("API key").fill(server.key)
        page.get_by_role("button", name="Log in").click()
        operation = page.locator("#operations-executions-execute_commit_message")
        operation.locator("button.opblock-summary-control").click()
        operation.locator("button.try-out__btn").click()
        operation.locator("button.execute").click()
        answer = operation.locator(".live-responses-table")
        answer.get_by_text('"template_id": "commit-message"').wait_for()
        status = answer.locator("td.response-col_status").last.inner_text()
        assert status.split()[0] == "200"
        assert server.key not in page.content()
        assert page.locator(".curl-command").count() == 0
        assert page.evaluate("JSON.stringify([localStorage, sessionStorage])") == "[{},{}]"
        assert tab.complaints == []
        assert {urlsplit(url).netloc for url in tab.requests} == {urlsplit(server.url).netloc}


def test_mcp_can_be_tried_with_a_key(server: Server, tmp_path: Path) -> None:
    """
    Sessions are not for /mcp; Authorize takes a key, and the page asks for what MCP answers in.
    """
    with open_tab(tmp_path / "profile") as tab:
        page = tab.page
        page.goto(f"{server.url}/docs/explorer")
        page.get_by_label("API key").fill(server.key)
        page.get_by_role("button", name="Log in").click()
        page.locator("button.authorize").first.click()
        box = page.locator(".auth-container").filter(has_text="bearer")
        box.locator("input").fill(server.key)
        box.locator("button.authorize").click()
        page.locator("button.btn-done").first.click()
        operation = page.locator("#operations-mcp-send_message")
        operation.locator("button.opblock-summary-control").click()
        operation.locator("button.try-out__btn").click()
        operation.locator("button.execute").click()
        answer = operation.locator(".live-responses-table")
        answer.get_by_text('"commit-message"').first.wait_for()
        assert "key" not in page.evaluate("JSON.stringify(localStorage)")
        assert tab.complaints == []
