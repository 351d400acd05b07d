"""
The log-in form: what it says, what it gives a browser, and what it never repeats.
"""

import re
from html import unescape
from urllib.parse import urlencode

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from ctxfy.adapters.auth.login_pages import LoginPages
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.app.http_errors import explain_to_person
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import AccessLimits
from tests.unit.adapters.auth.gate_kit import (
    DOORS,
    OWN_FORM,
    OWN_PAGE,
    SESSION_MATERIAL,
    TOKEN,
    Answer,
    Gate,
    Header,
    key_of,
)


class Pages:
    """
    The pages behind a gate, as a browser meets them.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.gate = Gate(
            limiter=MemoryRateLimiter(lambda: 0),
            limits=AccessLimits(key=RateLimit(requests=limit, seconds=60)),
            behind=self,
        )
        self.pages = LoginPages(
            self.gate.admission,
            self.gate.session_service,
            doors=DOORS,
            explain=explain_to_person,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve what the gate let through.
        """
        request = Request(scope, receive)
        handlers = {"/login": self.pages.login, "/logout": self.pages.logout}
        response = await handlers.get(scope["path"], self.pages.style)(request)
        await response(scope, receive, send)

    async def show(self, query: bytes = b"") -> Answer:
        """
        Open the page.
        """
        return await self.gate.request("GET", "/login", query=query)

    async def submit(self, *headers: Header, scheme: str = "http", **fields: str) -> Answer:
        """
        Send the form.
        """
        incoming = [{"type": "http.request", "body": urlencode(fields).encode()}]
        return await self.gate.request(
            "POST", "/login", *(headers or OWN_FORM), incoming=incoming, scheme=scheme
        )


READER = key_of("reader")


async def test_the_page_needs_nothing_from_elsewhere() -> None:
    """
    It holds no script and no style; all it loads is a style of ours, by a relative address.
    """
    answer = await Pages().show()
    page = answer.body.decode()
    assert answer.status == 200
    assert "<script" not in page
    assert not re.search(r"style=|<style|\bon\w+=", page)
    assert re.findall(r'(?:href|src|action)="([^"]*)"', page) == ["login/style.css", "login"]
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none';"
        " style-src 'self'; form-action 'self'"
    )


async def test_browsers_are_let_tell_where_the_form_is() -> None:
    """
    With no referrer at all they would call its Origin `null`, and the log-in would be refused.
    """
    assert (await Pages().show()).headers["referrer-policy"] == "same-origin"


async def test_the_page_is_usable_without_eyes_and_on_a_phone() -> None:
    """
    A language, a width, a label for the field, a hint and, after a failure, an alert tied to it.
    """
    pages = Pages()
    page = (await pages.show()).body.decode()
    failed = (await pages.submit(key="x")).body.decode()
    assert '<html lang="en">' in page
    assert "width=device-width" in page
    assert '<label for="key">' in page
    assert 'aria-describedby="hint"' in page
    assert 'role="alert"' not in page
    assert '<p id="problem" role="alert">' in failed
    assert 'aria-describedby="problem hint" aria-invalid="true"' in failed
    assert "<title>Log in failed - ctxfy</title>" in failed


async def test_the_style_is_a_file_that_knows_the_dark() -> None:
    """
    It comes from the package, with its own type, and from nowhere else.
    """
    answer = await Pages().gate.request("GET", "/login/style.css")
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert b"prefers-color-scheme: dark" in answer.body
    assert b"url(" not in answer.body
    assert b"@import" not in answer.body


async def test_a_key_becomes_a_session() -> None:
    """
    The browser gets a random token that no script can read, the CSRF token, and its way.
    """
    pages = Pages()
    answer = await pages.submit(key=f" {READER}\n", next="/docs/prompts/x?a=%20b")
    assert (answer.status, answer.headers["location"]) == (303, "/docs/prompts/x?a=%20b")
    (session,) = pages.gate.sessions.sessions.values()
    assert (session.key_id, session.token_digest) == (
        "reader000000",
        SESSION_MATERIAL.digest(TOKEN),
    )
    assert pages.gate.metrics.authentications == {"granted": 1}
    assert pages.gate.metrics.key_usages == [("reader000000", "/login")]
    assert pages.gate.logging.facts["key_id"] == "reader000000"


@pytest.mark.parametrize(
    ("scheme", "origin", "secure"),
    [
        ("http", b"http://localhost:8000", False),
        ("https", b"https://localhost:8000", True),
        ("http", b"https://localhost:8000", True),
    ],
)
async def test_the_cookies_say_what_a_browser_may_do_with_them(
    scheme: str, origin: bytes, secure: bool
) -> None:
    """
    Under TLS, also where a proxy took it off, they are Secure and bound to this very host.
    """
    pages = Pages()
    form = ((b"origin", origin), OWN_FORM[1])
    entered = await pages.submit(*form, scheme=scheme, key=READER)
    left = await pages.gate.request("POST", "/logout", *form, scheme=scheme)
    name, also = ("__Host-ctxfy_session", "; Secure") if secure else ("ctxfy_session", "")
    csrf_token = SESSION_MATERIAL.csrf_token(TOKEN)
    assert entered.cookies == [
        f"{name}={TOKEN}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax{also}",
        f"ctxfy_csrf={csrf_token}; Max-Age=43200; Path=/; SameSite=lax{also}",
    ]
    assert [re.sub(r"expires=[^;]*; ", "", each) for each in left.cookies] == [
        f'{name}=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax{also}',
        f'ctxfy_csrf=""; Max-Age=0; Path=/; SameSite=lax{also}',
    ]


@pytest.mark.parametrize(
    "wanted", ["", "//evil.example", "https://evil.example", "/\\evil", "/\t/x", "docs", "/a b"]
)
async def test_a_log_in_leads_nowhere_else(wanted: str) -> None:
    """
    What is no path of this server leads to the pages' home, and is not carried along either.
    """
    pages = Pages()
    answer = await pages.submit(key=READER, next=wanted)
    assert (answer.status, answer.headers["location"]) == (303, "/docs")
    shown = (await pages.show(urlencode({"next": wanted}).encode())).body.decode()
    assert 'name="next" value=""' in shown


async def test_the_way_back_is_carried_through_a_failure() -> None:
    """
    It stands in the form, escaped, when it is shown and when it is shown again.
    """
    pages = Pages()
    wanted = "/docs?q='\"><script>&lt;"
    for answer in (
        await pages.show(urlencode({"next": wanted}).encode()),
        await pages.submit(key="x", next=wanted),
    ):
        (value,) = re.findall(r'name="next" value="([^"]*)"', answer.body.decode())
        assert unescape(value) == wanted
        assert "<script" not in answer.body.decode()


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "malformed"),
        ("<b>ctxfy_secret</b>", "malformed"),
        (READER[:-1], "malformed"),
        ("x" * 2000, "malformed"),
        (key_of("nobody"), "unknown"),
        (key_of("reader", b"t" * 32), "unknown"),
        (key_of("revoked"), "revoked"),
        (key_of("expired"), "expired"),
    ],
)
async def test_a_wrong_key_is_one_sentence_and_is_not_repeated(key: str, reason: str) -> None:
    """
    The form comes again with 401, counted like a wrong key in a header; no cookie, no session.
    """
    pages = Pages()
    answer = await pages.submit(key=key)
    page = answer.body.decode()
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="ctxfy"')
    assert re.findall(r'role="alert">(The API key [^<]*)<', page)
    assert not key or key not in page
    assert answer.cookies == []
    assert pages.gate.sessions.sessions == {}
    assert pages.gate.metrics.authentications == {reason: 1}
    assert pages.gate.logging.facts == {"denial": reason}


async def test_a_form_that_cannot_be_read_has_no_key() -> None:
    """
    Too many fields, no fields, or bytes that mean nothing: the form comes again.
    """
    pages = Pages()
    for body in (b"&".join([b"a=b"] * 100), b"", b"\xff\xfe%zz=&&;=", b"key"):
        incoming = [{"type": "http.request", "body": body}]
        answer = await pages.gate.request("POST", "/login", *OWN_FORM, incoming=incoming)
        assert answer.status == 401


async def test_a_key_may_log_in_as_often_as_it_may_come() -> None:
    """
    Beyond its rate the form says when to try again, and no session is opened.
    """
    pages = Pages(limit=1)
    assert (await pages.submit(key=READER)).status == 303
    answer = await pages.submit(key=READER)
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert b"try again in 60 seconds" in answer.body
    assert len(pages.gate.sessions.sessions) == 1


@pytest.mark.parametrize("store", ["keys", "sessions"])
async def test_an_outage_is_told_on_the_page(store: str) -> None:
    """
    It is 503 with the sentence for everybody, and not the operator's.
    """
    pages = Pages()
    outage = UnavailableError("storage", "the database /var/secret.db is away.", retry_after=7)
    if store == "keys":
        pages.gate.store.outage = outage
    else:
        pages.gate.sessions.write_outage = outage
    answer = await pages.submit(key=READER)
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    assert b"cannot reach its storage right now" in answer.body
    assert b"secret.db" not in answer.body


async def test_whoever_logs_out_is_led_to_the_form() -> None:
    """
    The session is over, also if it was over before or never was.
    """
    pages = Pages()
    cookie = pages.gate.log_in("reader")
    for cookies in ((cookie,), (cookie,), ()):
        answer = await pages.gate.request("POST", "/logout", OWN_PAGE, *cookies)
        assert (answer.status, answer.headers["location"]) == (303, "/login")
        assert pages.gate.sessions.sessions == {}
