"""
A browser's journey over the real application and a real database: in, about, and out again.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.config import DocsSettings, ServerSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import KeyId
from tests.integration.app.app_kit import ADMIN_KEY, Client, running, settings_in


HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Browser:
    """
    What a browser is to the server: it keeps cookies and says where its pages are from.
    """

    def __init__(self, client: Client, origin: str = "http://localhost") -> None:
        self._http = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(client.app), base_url="http://localhost"
        )
        self._origin = {"origin": origin}
        self.cookies = self._http.cookies

    async def open(self, path: str) -> httpx2.Response:
        """
        Follow a link.
        """
        return await self._http.get(path, headers=HTML)

    async def submit(self, path: str, **fields: str) -> httpx2.Response:
        """
        Send a form of one of our pages.
        """
        return await self._http.post(path, data=fields, headers=HTML | self._origin)

    async def call(
        self, method: str, path: str, body: object = None, *, proof: str | None = None
    ) -> httpx2.Response:
        """
        Let a script of one of our pages ask for something.
        """
        headers = self._origin | ({} if proof is None else {"x-csrf-token": proof})
        return await self._http.request(method, path, json=body, headers=headers)


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Client]:
    """
    A server of its own for each journey.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        yield client


async def test_a_browser_logs_in_uses_a_prompt_and_logs_out(admin: Client) -> None:
    """
    Sent to the form, it comes back to where it was, reads, executes with the proof and not
    without, is nobody on /mcp, and after logging out is sent to the form again.
    """
    browser = Browser(admin)
    sent = await browser.open("/prompts/greet?version=1.0.0")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        "/login?next=/prompts/greet%3Fversion%3D1.0.0",
    )
    assert (await browser.open(sent.headers["location"])).status_code == 200
    entered = await browser.submit("/login", key=ADMIN_KEY, next="/prompts/greet?version=1.0.0")
    assert entered.headers["location"] == "/prompts/greet?version=1.0.0"
    shown = await browser.open(entered.headers["location"])
    assert shown.json()["version"] == "1.0.0"

    wish = {"arguments": {"who": "Ada"}}
    proof = browser.cookies["ctxfy_csrf"]
    forged = await browser.call("POST", "/prompts/greet/execute", wish)
    assert (forged.status_code, forged.json()["code"]) == (403, "request.forged")
    done = await browser.call("POST", "/prompts/greet/execute", wish, proof=proof)
    assert done.json()["result"].startswith("Say hello to Ada")
    assert (await browser.call("POST", "/mcp", {}, proof=proof)).status_code == 401

    left = await browser.submit("/logout")
    assert (left.status_code, left.headers["location"]) == (303, "/login")
    assert dict(browser.cookies) == {}
    assert (await browser.open("/prompts")).status_code == 303


async def test_the_explorer_offers_to_log_out(admin: Client) -> None:
    """
    The front door leads to it by way of the form, and its button ends the session.
    """
    browser = Browser(admin)
    assert (await browser.open("/")).headers["location"] == "/docs"
    entered = await browser.submit("/login", key=ADMIN_KEY)
    page = await browser.open(entered.headers["location"])
    (action,) = re.findall(r'<form [^>]*method="post" action="([^"]+)"', page.text)
    assert (await browser.submit(f"/{action}")).headers["location"] == "/login"
    assert (await browser.open("/docs")).headers["location"] == "/login?next=/docs"


async def test_without_the_explorer_browsers_are_led_to_the_prompts(tmp_path: Path) -> None:
    """
    No door leads to a page that is not there.
    """
    app = create_app(settings_in(tmp_path, docs=DocsSettings(enabled=False)))
    async with running(app) as client:
        browser = Browser(client)
        assert (await browser.open("/")).headers["location"] == "/prompts"
        entered = await browser.submit("/login", key=ADMIN_KEY)
        assert entered.headers["location"] == "/prompts"
        assert (await browser.open("/prompts")).status_code == 200


async def test_a_session_is_gone_with_its_key(admin: Client) -> None:
    """
    A stolen cookie is worth nothing once the key is revoked, and nothing after a log-out.
    """
    person = await admin.with_key("ann")
    key_id = KeyId(person.key[6:18])
    browsers = [Browser(admin), Browser(admin)]
    for browser in browsers:
        assert (await browser.submit("/login", key=person.key)).status_code == 303
        assert (await browser.call("GET", "/prompts")).status_code == 200
    one, other = browsers
    stolen = dict(one.cookies)
    await one.submit("/logout")
    one.cookies.update(stolen)
    assert (await one.call("GET", "/prompts")).status_code == 401
    assert (await other.call("GET", "/prompts")).status_code == 200
    await admin.app.wiring.keys.revoke_api_key(key_id)
    assert (await other.call("GET", "/prompts")).status_code == 401
    assert (await other.submit("/login", key=person.key)).status_code == 401


async def test_the_database_holds_no_token(admin: Client, tmp_path: Path) -> None:
    """
    Whoever reads the files can log in nowhere: neither cookie is in them.
    """
    browser = Browser(admin)
    await browser.submit("/login", key=ADMIN_KEY)
    files = [file.read_bytes() for file in (tmp_path / "var").iterdir() if file.is_file()]
    tokens = [value.encode() for value in dict(browser.cookies).values()]
    assert len(tokens) == 2
    assert any(b"admin0000000" in content for content in files)
    assert not [token for token in tokens for content in files if token in content]


async def test_sessions_live_as_long_as_the_settings_say(tmp_path: Path) -> None:
    """
    Both lives are the settings'; the browser is told the longer one.
    """
    auth = AuthSettings.model_validate(
        {"bootstrap_key": ADMIN_KEY, "session_idle_minutes": 7, "session_hours": 2}
    )
    async with running(create_app(settings_in(tmp_path, auth=auth))) as client:
        browser = Browser(client)
        entered = await browser.submit("/login", key=ADMIN_KEY)
        token = browser.cookies["ctxfy_session"]
        storage = client.app.wiring.storage
        session = await storage.sessions.find(storage.session_material.digest(token))
    assert session is not None
    assert (session.idle_expires_at - session.created_at).total_seconds() == 7 * 60
    assert (session.expires_at - session.created_at).total_seconds() == 2 * 3600
    assert "Max-Age=7200" in entered.headers["set-cookie"]


async def test_a_browser_logs_in_behind_a_proxy_that_hides_our_name(tmp_path: Path) -> None:
    """
    The proxy ends TLS, takes a path off and sends a Host of its own: with the public address set,
    the form is ours, cookies are for TLS alone, ways lead below the path; a foreign form is not.
    """
    server = ServerSettings(public_url="https://example.com:443/team/")
    async with running(create_app(settings_in(tmp_path, server=server))) as client:
        browser = Browser(client, "https://example.com")
        assert (await browser.open("/")).headers["location"] == "/team/docs"
        sent = await browser.open("/prompts")
        assert sent.headers["location"] == "/team/login?next=/prompts"
        entered = await browser.submit("/login", key=ADMIN_KEY, next="/prompts")
        assert (entered.status_code, entered.headers["location"]) == (303, "/team/prompts")
        given = entered.headers.get_list("set-cookie")
        assert given[0].startswith("__Host-ctxfy_session=")
        assert all("; Secure" in each for each in given)

        cookies = {
            name: value for each in given for name, _, value in [each.split(";")[0].partition("=")]
        }
        headers = {
            "cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "x-csrf-token": cookies["ctxfy_csrf"],
        }
        wish = {"arguments": {"who": "Ada"}}
        for origin, status in (("https://example.com", 200), ("https://evil.example", 403)):
            done = await client.http.post(
                "/prompts/greet/execute", json=wish, headers=headers | {"origin": origin}
            )
            assert done.status_code == status
        left = await client.http.post(
            "/logout", headers=headers | {"origin": "https://example.com"}
        )
        assert left.headers["location"] == "/team/login"
        assert (await client.get("/prompts", host="example.com", key=True)).status_code == 200
        strange = {"origin": "https://evil.example", "x-forwarded-host": "evil.example"}
        assert (await client.http.post("/login", data={}, headers=strange)).status_code == 403
