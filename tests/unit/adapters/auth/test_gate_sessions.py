"""
The gate and browser sessions: where one counts, what it opens, and what rides on it.
"""

from datetime import timedelta

import pytest

from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.app.routes import LOGIN, LOGOUT
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import DenialReason, KeyId, KeyStatus, RoutePolicy, Scope
from tests.builders import told
from tests.unit.adapters.auth.gate_kit import (
    JSON,
    LIFETIMES,
    METHODS,
    NOON,
    OWN_FORM,
    OWN_PAGE,
    POLICIES,
    SESSION_MATERIAL,
    TOKEN,
    Gate,
    Header,
    bearer,
    csrf,
    key_of,
    session_cookie,
)


HTML: Header = (b"accept", b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
GUARDED = [policy for policy in POLICIES if policy.scope is not None]
PAGES = [policy for policy in GUARDED if policy.sessions]
CHANGING = [(method, policy) for policy in PAGES for method in policy.methods if method != "GET"]

# Not one of these is the cookie of a session of this server.
REFUSED: dict[str, tuple[Header, ...]] = {
    "unknown": (session_cookie("u" * 43),),
    "empty": (session_cookie(""),),
    "cut-short": (session_cookie(TOKEN[:-1]),),
    "one-too-long": (session_cookie(TOKEN + "0"),),
    "quoted": (session_cookie(f'"{TOKEN}"'),),
    "digest": (session_cookie(SESSION_MATERIAL.digest(TOKEN)),),
    "csrf-token": (session_cookie(SESSION_MATERIAL.csrf_token(TOKEN)),),
    "csrf-cookie": (session_cookie(TOKEN, "ctxfy_csrf"),),
    "key-id": (session_cookie("reader000000"),),
    "api-key": (session_cookie(key_of("reader")),),
    "other-case": (session_cookie(TOKEN.swapcase()),),
    "other-name": (session_cookie(TOKEN, "session"),),
    "name-in-capitals": (session_cookie(TOKEN, "CTXFY_SESSION"),),
    "twice": (session_cookie(f"{TOKEN}; ctxfy_session={TOKEN}"),),
    "in-two-headers": (session_cookie(TOKEN), session_cookie(TOKEN)),
    "with-comma": (session_cookie(f"{TOKEN},{TOKEN}"),),
    "not-ascii": (session_cookie("\xe9" * 43),),
    "of-2-mb": (session_cookie(TOKEN * 50_000),),
    "overruled": (session_cookie(f"{TOKEN}; __Host-ctxfy_session=" + "u" * 43),),
    "in-the-csrf-header": ((b"x-csrf-token", TOKEN.encode()),),
}


def _ids(policies: list[RoutePolicy]) -> list[str]:
    return [f"{','.join(policy.methods)} {policy.path}" for policy in policies]


@pytest.mark.parametrize("policy", PAGES, ids=_ids(PAGES))
async def test_a_session_opens_what_its_key_opens(policy: RoutePolicy) -> None:
    """
    From a page of ours, every method of every route that takes sessions, by scope and prompts.
    """
    for method in policy.methods:
        for name, opened in (
            ("admin", True),
            ("reader", policy.scope is Scope.READ),
            ("narrow", policy.scope is Scope.READ and policy.narrowed),
        ):
            gate = Gate()
            headers = (JSON, OWN_PAGE, gate.log_in(name), csrf())
            answer = await gate.request(method, policy.path, *headers)
            assert answer.status == (200 if opened else 403), (method, name)
            assert [each and each.key_id for each in gate.inner.principals] == (
                [f"{name:0<12}"] if opened else []
            )


@pytest.mark.parametrize("shape", REFUSED)
async def test_nothing_but_a_session_of_ours_passes(shape: str) -> None:
    """
    Whatever else a cookie holds opens nothing, also with a matching proof, whatever the method.
    """
    for policy in PAGES:
        for method in METHODS:
            gate = Gate()
            gate.log_in("admin")
            answer = await gate.request(
                method, policy.path, JSON, OWN_PAGE, *REFUSED[shape], csrf()
            )
            assert answer.status in {401, 403}, method
            assert gate.inner.scopes == []


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_no_session_counts_on_mcp(path: str) -> None:
    """
    There a cookie is as good as nothing, and a person's browser is told 401 and sent nowhere.
    """
    for method in METHODS:
        gate = Gate()
        headers = (JSON, HTML, OWN_PAGE, gate.log_in("admin"), csrf())
        answer = await gate.request(method, path, *headers)
        assert (answer.status, gate.inner.scopes) == (401, [])
        assert answer.headers["www-authenticate"] == 'Bearer realm="ctxfy"'
    assert {policy.path for policy in GUARDED if not policy.sessions} == {"/mcp", "/mcp/"}


@pytest.mark.parametrize(
    "proof",
    [
        (),
        (OWN_PAGE,),
        (csrf(),),
        (OWN_PAGE, csrf("another")),
        (OWN_PAGE, (b"x-csrf-token", b"")),
        (OWN_PAGE, (b"x-csrf-token", csrf()[1].upper())),
        (OWN_PAGE, (b"x-csrf-token", "é".encode("latin-1") * 64)),
        (OWN_PAGE, csrf(), csrf()),
        (OWN_PAGE, csrf(), csrf("another")),
        ((b"origin", b"http://localhost:3000"), csrf()),
        ((b"origin", b"http://127.0.0.1:8000"), csrf()),
        ((b"origin", b"https://app.example.com"), csrf()),
        ((b"origin", b"null"), csrf()),
        (OWN_PAGE, OWN_PAGE, csrf()),
        ((b"referer", b"http://localhost:8000/docs"), csrf()),
        ((b"sec-fetch-site", b"same-origin"), csrf()),
    ],
    ids=repr,
)
async def test_a_session_changes_nothing_without_both_proofs(proof: tuple[Header, ...]) -> None:
    """
    The same Origin and the session's own CSRF token: any other page is refused, one of a port
    beside ours and one of an allowed origin too.
    """
    for method, policy in CHANGING:
        gate = Gate(hosts=HostOriginPolicy(origins=("https://app.example.com",)))
        answer = await gate.request(method, policy.path, JSON, gate.log_in("admin"), *proof)
        assert (answer.status, gate.inner.scopes) == (403, []), (method, policy.path)
        assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_that_a_proxy_served_over_tls_is_ours() -> None:
    """
    Its Origin is https though the request arrives without TLS.
    """
    gate = Gate()
    headers = (JSON, (b"origin", b"https://localhost:8000"), gate.log_in("reader"), csrf())
    assert (await gate.request("POST", "/prompts/x/execute", *headers)).status == 200


@pytest.mark.parametrize("name", ["expired", "disabled", "revoked", "nobody"])
async def test_a_session_ends_with_its_key(name: str) -> None:
    """
    A key that is no longer valid takes its sessions with it, and the challenge names no key.
    """
    gate = Gate()
    answer = await gate.request("GET", "/prompts", gate.log_in(name))
    assert (answer.status, gate.inner.scopes) == (401, [])
    assert answer.headers["www-authenticate"] == 'Bearer realm="ctxfy"'


async def test_a_session_does_what_its_key_may_do_now() -> None:
    """
    What changed about a key holds for its sessions at the next request.
    """
    gate = Gate()
    cookie = gate.log_in("admin")
    assert (await gate.request("GET", "/auth/api-keys", cookie)).status == 200
    await gate.store.set_status(
        KeyId("admin0000000"), KeyStatus.REVOKED, told(NOON), keep_admin=False
    )
    assert (await gate.request("GET", "/auth/api-keys", cookie)).status == 401


@pytest.mark.parametrize("age", [LIFETIMES.idle, LIFETIMES.absolute])
async def test_a_session_that_is_over_opens_nothing(age: timedelta) -> None:
    """
    It is 401 like none, and counted by its own reason.
    """
    gate = Gate()
    answer = await gate.request("GET", "/prompts", gate.log_in("reader", at=NOON - age))
    assert answer.status == 401
    assert gate.metrics.authentications == {"session": 1}
    assert gate.logging.facts == {"denial": "session"}


@pytest.mark.parametrize(
    ("credential", "status"),
    [(bearer(key_of("reader")), 403), (bearer(key_of("nobody")), 401), (bearer(""), 401)],
    ids=["valid", "unknown", "empty"],
)
async def test_a_header_goes_before_the_cookie(credential: Header, status: int) -> None:
    """
    Whoever sends a key is judged by it alone, with what the key may do or not at all.
    """
    gate = Gate()
    answer = await gate.request("GET", "/auth/api-keys", credential, gate.log_in("admin"))
    assert (answer.status, gate.inner.scopes) == (status, [])


async def test_a_key_in_a_header_needs_no_proof_beside_a_cookie() -> None:
    """
    A program that keeps cookies may go on sending its key.
    """
    gate = Gate()
    headers = (JSON, bearer(key_of("reader")), gate.log_in("admin"))
    assert (await gate.request("POST", "/prompts/x/execute", *headers)).status == 200


@pytest.mark.parametrize(
    ("scheme", "cookies", "known"),
    [
        ("http", f"ctxfy_session={TOKEN}", True),
        ("http", f"__Host-ctxfy_session={TOKEN}", True),
        ("http", f"a=b;ctxfy_session={TOKEN} ; c=d=e", True),
        ("http", f"ctxfy_session=x; __Host-ctxfy_session={TOKEN}", True),
        ("https", f"__Host-ctxfy_session={TOKEN}; ctxfy_session=x", True),
        ("https", f"ctxfy_session={TOKEN}", False),
    ],
)
async def test_over_tls_only_the_cookie_counts_that_was_set_over_tls(
    scheme: str, cookies: str, known: bool
) -> None:
    """
    The other one could have been put there by a neighbouring host, so it never goes first.
    """
    gate = Gate()
    gate.log_in("reader")
    header = (b"cookie", cookies.encode())
    answer = await gate.request("GET", "/prompts", header, scheme=scheme)
    assert answer.status == (200 if known else 401)


async def test_cookies_stay_outside() -> None:
    """
    Neither the session nor any other cookie goes further in, on any route; its digest does.
    """
    for path, sent in (
        ("/prompts", (JSON,)),
        ("/health", ()),
        ("/mcp", (bearer(key_of("admin")),)),
    ):
        gate = Gate()
        cookie = gate.log_in("reader")
        extra = (b"cookie", b"other=1")
        method = "POST" if path == "/mcp" else "GET"
        await gate.request(method, path, JSON, cookie, extra, csrf(), OWN_PAGE, *sent)
        (scope,) = gate.inner.scopes
        assert not {b"cookie", b"x-csrf-token"} & {name for name, _ in scope["headers"]}
        assert TOKEN not in repr(scope)
        digest = None if path == "/mcp" else SESSION_MATERIAL.digest(TOKEN)
        assert scope["state"]["session"] == digest


async def test_a_public_route_knows_the_holder_of_a_session() -> None:
    """
    It shows more to somebody known; without the proofs a changing method is nobody's.
    """
    gate = Gate()
    cookie = gate.log_in("reader")
    await gate.request("GET", "/health", cookie)
    await gate.request("POST", "/register", cookie)
    await gate.request("POST", "/register", cookie, OWN_PAGE, csrf())
    known = [each and each.key_id for each in gate.inner.principals]
    assert known == ["reader000000", None, "reader000000"]


@pytest.mark.parametrize("path", [LOGIN, LOGOUT])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"http://localhost:8000", 200),
        (b"https://localhost:8000", 200),
        (b"http://localhost:3000", 403),
        (b"https://app.example.com", 403),
        (b"https://evil.example", 403),
        (b"null", 403),
        (None, 403),
    ],
)
async def test_forms_are_for_our_own_pages(path: str, origin: bytes | None, status: int) -> None:
    """
    No other page can log a browser in or out, with a session or without.
    """
    for logged_in in (True, False):
        gate = Gate(hosts=HostOriginPolicy(origins=("https://app.example.com",)))
        cookies = (gate.log_in("reader"),) if logged_in else ()
        sent = () if origin is None else ((b"origin", origin),)
        answer = await gate.request("POST", path, OWN_FORM[1], *sent, *cookies)
        assert answer.status == status
        assert len(gate.inner.scopes) == (status == 200)


async def test_the_log_in_form_takes_little() -> None:
    """
    Nobody has shown a key yet, so a form is bounded far below other bodies.
    """
    small = next(each for each in POLICIES if each.path == LOGIN and each.form)
    policies = [
        RoutePolicy(
            path="/f", methods=("POST",), scope=None, consumes=small.consumes, max_body_bytes=10
        )
    ]
    for size, status in ((10, 200), (11, 413)):
        incoming = [{"type": "http.request", "body": b"x" * size}]
        answer = await Gate(policies=policies).request("POST", "/f", *OWN_FORM, incoming=incoming)
        assert answer.status == status
    assert small.max_body_bytes == 16 * 1024


async def test_an_outage_of_the_sessions_is_503() -> None:
    """
    A browser is not sent to log in because the store is away; public routes are served.
    """
    gate = Gate()
    cookie = gate.log_in("reader")
    gate.sessions.outage = UnavailableError("storage", "it is away.", retry_after=7)
    answer = await gate.request("GET", "/prompts", HTML, cookie)
    assert (answer.status, answer.headers["retry-after"]) == (503, "7")
    assert (await gate.request("GET", "/health", HTML, cookie)).status == 200


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/prompts", b"", "/login?next=/prompts"),
        ("/prompts/a b", b"x=%2F&y=1", "/login?next=/prompts/a%2520b%3Fx%3D%252F%26y%3D1"),
        ("/nope", b"", "/login?next=/nope"),
        ("//evil.example", b"", "/login?next=//evil.example"),
    ],
)
async def test_a_browser_is_sent_to_log_in(path: str, query: bytes, location: str) -> None:
    """
    Wherever a key is needed and nothing worth one came, with the way back.
    """
    for cookies in ((), REFUSED["unknown"]):
        gate = Gate()
        answer = await gate.request("GET", path, HTML, *cookies, query=query)
        assert (answer.status, answer.headers["location"]) == (303, location)
        assert gate.inner.scopes == []


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/prompts/reload", (HTML,)),
        ("HEAD", "/prompts", (HTML,)),
        ("GET", "/mcp", (HTML,)),
        ("GET", "/metrics", (HTML,)),
        ("GET", "/prompts", ()),
        ("GET", "/prompts", ((b"accept", b"*/*"),)),
        ("GET", "/prompts", ((b"accept", b"application/json"),)),
        ("GET", "/prompts", (HTML, bearer(key_of("revoked")))),
        ("GET", "/prompts", (HTML, *REFUSED["twice"])),
        ("GET", "/", ((b"accept", b"*/*"),)),
    ],
)
async def test_others_are_told_401(method: str, path: str, headers: tuple[Header, ...]) -> None:
    """
    Programs, what changes something, scrapers, MCP, and whoever showed a credential that is wrong.
    """
    answer = await Gate().request(method, path, *headers)
    assert answer.status == 401


async def test_the_front_door_leads_a_browser_home() -> None:
    """
    With a session or without; a program with a key is told that there is nothing.
    """
    gate = Gate()
    for headers in ((HTML,), (HTML, gate.log_in("reader"))):
        answer = await gate.request("GET", "/", *headers)
        assert (answer.status, answer.headers["location"]) == (303, "/docs")
    assert (await gate.request("GET", "/", bearer(key_of("reader")))).status == 404
    assert (await gate.request("GET", "/", HTML, host="evil.example")).status == 421


async def test_a_forged_request_is_counted() -> None:
    """
    Its reason stands in the metric and on the log line.
    """
    gate = Gate()
    answer = await gate.request("POST", "/prompts/reload", gate.log_in("admin"))
    assert gate.metrics.authentications == {str(DenialReason.FORGED): 1}
    assert gate.logging.facts == {"denial": "forged"}
    assert b"request.forged" in answer.body
    assert "www-authenticate" not in answer.headers
