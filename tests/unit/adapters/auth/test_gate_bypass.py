"""
The bypass matrix: no request without a valid key reaches an application behind a guarded route.

Rows and columns come from the real table of routes, so a new route is in the matrix by itself.
"""

from base64 import b64encode

import pytest

from ctxfy.app.routes import CURRENT_API_KEY, MCP, METRICS, Dispatcher
from ctxfy.core.models.auth_models import RoutePolicy, Scope
from tests.unit.adapters.auth.gate_kit import (
    JSON,
    METHODS,
    OWN_FORM,
    POLICIES,
    Gate,
    Header,
    bearer,
    key_of,
)


READER = key_of("reader")
RAW = READER.encode()


def _basic(pair: bytes) -> Header:
    return (b"authorization", b"Basic " + b64encode(pair))


def _auth(value: bytes) -> Header:
    return (b"authorization", value)


# Not one of these is a credential of this server.
REFUSED: dict[str, tuple[Header, ...]] = {
    "nothing": (),
    "empty-authorization": (_auth(b""),),
    "empty-x-api-key": ((b"x-api-key", b""),),
    "scheme-alone": (_auth(b"Bearer"),),
    "scheme-and-space": (_auth(b"Bearer "),),
    "no-scheme": (_auth(RAW),),
    "other-scheme": (_auth(b"Token " + RAW),),
    "digest-scheme": (_auth(b'Digest username="x", response="' + RAW + b'"'),),
    "scheme-twice": (_auth(b"Bearer Bearer " + RAW),),
    "scheme-glued": (_auth(b"Bearer" + RAW),),
    "scheme-with-colon": (_auth(b"Bearer: " + RAW),),
    "scheme-in-x-api-key": ((b"x-api-key", b"Bearer " + RAW),),
    "tab-between": (_auth(b"Bearer\t" + RAW),),
    "vertical-tab-between": (_auth(b"Bearer\x0b" + RAW),),
    "no-break-space-between": (_auth(b"Bearer\xa0" + RAW),),
    "key-twice": (_auth(b"Bearer " + RAW + b" " + RAW),),
    "key-and-comma": (_auth(b"Bearer " + RAW + b", Bearer " + RAW),),
    "quoted": (_auth(b'Bearer "' + RAW + b'"'),),
    "header-twice": (bearer(READER), bearer(READER)),
    "header-twice-one-empty": (bearer(READER), _auth(b"")),
    "both-headers": (bearer(READER), (b"x-api-key", RAW)),
    "both-headers-one-empty": (bearer(READER), (b"x-api-key", b"")),
    "cookie": ((b"cookie", b"authorization=Bearer " + RAW + b"; api_key=" + RAW),),
    "proxy-authorization": ((b"proxy-authorization", b"Bearer " + RAW),),
    "x-authorization": ((b"x-authorization", b"Bearer " + RAW),),
    "underscore-header": ((b"x_api_key", RAW),),
    "trusted-user-headers": ((b"x-remote-user", b"admin"), (b"x-forwarded-user", b"admin")),
    "nul-at-end": (_auth(b"Bearer " + RAW + b"\x00"),),
    "nul-inside": (_auth(b"Bearer " + RAW[:20] + b"\x00" + RAW[20:]),),
    "line-break-inside": (_auth(b"Bearer " + RAW[:20] + b"\r\n" + RAW[20:]),),
    "line-break-before-a-second-key": (_auth(b"Bearer x\r\nx-api-key: " + RAW),),
    "unicode-digits": (_auth(b"Bearer ctxfy_" + "٣".encode() * 12 + RAW[18:]),),
    "superscript-digits": (_auth(b"Bearer ctxfy_" + b"\xb2" * 12 + RAW[18:]),),
    "other-case": (_auth(b"Bearer " + RAW.swapcase()),),
    "upper-prefix": (_auth(b"Bearer CTXFY" + RAW[5:]),),
    "cut-short": (_auth(b"Bearer " + RAW[:-1]),),
    "one-too-long": (_auth(b"Bearer " + RAW + b"0"),),
    "wrong-checksum": (_auth(b"Bearer " + RAW[:-1] + (b"0" if RAW[-1:] != b"0" else b"1")),),
    "public-id-alone": (_auth(b"Bearer reader000000"),),
    "unknown-id": (bearer(key_of("nobody")),),
    "wrong-secret": (bearer(key_of("reader", b"t" * 32)),),
    "zero-secret": (bearer(key_of("reader", bytes(32))),),
    "expired": (bearer(key_of("expired")),),
    "disabled": (bearer(key_of("disabled")),),
    "revoked": (bearer(key_of("revoked")),),
    "basic-key-as-user": (_basic(RAW + b":"),),
    "basic-key-as-user-with-password": (_basic(RAW + b":x"),),
    "basic-without-colon": (_basic(RAW),),
    "basic-unencoded": (_auth(b"Basic user:" + RAW),),
    "basic-not-ascii": (_auth(b"Basic \xe9\xe9\xe9\xe9"),),
    "basic-not-utf-8": (_basic(b"user:\xff\xfe"),),
    "basic-bad-padding": (_auth(b"Basic " + b64encode(b"u:" + RAW).rstrip(b"=") + b"==="),),
    "basic-nul-in-password": (_basic(b"user:" + RAW + b"\x00"),),
    "basic-empty": (_auth(b"Basic "),),
    "basic-unknown-key": (_basic(b"user:" + key_of("nobody").encode()),),
    "header-of-2-mb": (_auth(b"Bearer " + RAW + b" " * 2_000_000),),
    "x-api-key-of-2-mb": ((b"x-api-key", RAW * 30_000),),
    "sql": (_auth(b"Bearer ' OR '1'='1"),),
}

# What a lax server would take for one of the guarded routes.
TRICKS: tuple[str, ...] = (
    "//{0}",
    "/{0}//",
    "/{0}/.",
    "/{0}/..",
    "/./{0}",
    "/x/../{0}",
    "/health/../{0}",
    "/health/live/../../{0}",
    "/.well-known/../{0}",
    "/register/../{0}",
    "/health;/../{0}",
    "/{0};x",
    "/{0};/health",
    "/{0}%2f",
    "/%2f{0}",
    "/{0}%00",
    "/{0}\x00",
    "/{0}\x00/health",
    "/{0}?",
    "/{0}#/health",
    "/{0} ",
    " /{0}",
    "/{0}\n",
    "/{0}.json",
    "/{0}/health",
    "\\{0}",
    "/health\\..\\{0}",
    "{0}",
    "http://localhost/{0}",
)

# What proxies and frameworks are known to obey.
HEADER_TRICKS: dict[str, Header] = {
    "original-url": (b"x-original-url", b"/health"),
    "rewrite-url": (b"x-rewrite-url", b"/health"),
    "original-uri": (b"x-original-uri", b"/health"),
    "forwarded-for-loopback": (b"x-forwarded-for", b"127.0.0.1"),
    "forwarded-host": (b"x-forwarded-host", b"localhost"),
    "forwarded-prefix": (b"x-forwarded-prefix", b"/health"),
    "forwarded-proto": (b"x-forwarded-proto", b"https"),
    "forwarded-path": (b"x-forwarded-path", b"/health"),
    "forwarded": (b"forwarded", b"for=127.0.0.1;host=localhost;proto=https"),
    "real-ip": (b"x-real-ip", b"127.0.0.1"),
    "client-ip": (b"x-client-ip", b"127.0.0.1"),
    "method-override-get": (b"x-http-method-override", b"GET"),
    "method-override-options": (b"x-http-method-override", b"OPTIONS"),
    "method-override-short": (b"x-method-override", b"OPTIONS"),
    "mcp-name": (b"mcp-name", b"server/discover"),
    "mcp-session": (b"mcp-session-id", b"0123456789"),
    "preflight-without-origin": (b"access-control-request-method", b"POST"),
    "internal-principal": (b"x-principal", b"admin"),
    "upgrade": (b"upgrade", b"websocket"),
    "expect": (b"expect", b"100-continue"),
}

GUARDED = [policy for policy in POLICIES if policy.scope is not None]


def _path(policy: RoutePolicy) -> str:
    return policy.path.replace("{rest:path}", "oauth-protected-resource/mcp")


def _methods_of(path: str) -> set[str]:
    return {method for policy in POLICIES if policy.path == path for method in policy.methods}


def _ids(policies: list[RoutePolicy]) -> list[str]:
    return [f"{','.join(policy.methods)} {policy.path}" for policy in policies]


@pytest.mark.parametrize("shape", REFUSED)
@pytest.mark.parametrize("policy", GUARDED, ids=_ids(GUARDED))
async def test_nothing_but_a_valid_key_passes(policy: RoutePolicy, shape: str) -> None:
    """
    Whatever the method, a guarded route answers 401 to whoever shows no valid key.
    """
    for method in METHODS:
        gate = Gate()
        answer = await gate.request(method, _path(policy), JSON, *REFUSED[shape])
        assert (answer.status, gate.inner.scopes) == (401, []), method
        assert answer.headers["www-authenticate"].startswith('Bearer realm="ctxfy"')


@pytest.mark.parametrize("shape", REFUSED)
async def test_a_public_route_ignores_what_is_no_key(shape: str) -> None:
    """
    A public route is served to everybody, as to nobody known, and only with its own methods.
    """
    for policy in POLICIES:
        if policy.scope is None:
            for method in METHODS:
                gate = Gate()
                answer = await gate.request(method, _path(policy), *OWN_FORM, *REFUSED[shape])
                known = ("GET" if method == "HEAD" else method) in _methods_of(policy.path)
                assert answer.status == (200 if known else 405)
                assert gate.inner.principals == ([None] if known else [])


@pytest.mark.parametrize("trick", TRICKS, ids=ascii)
async def test_no_path_leads_around_the_gate(trick: str) -> None:
    """
    A path that is nearly a route's is guarded like it, whatever the credential and the method.
    """
    for policy in GUARDED:
        path = trick.format(policy.path.strip("/"))
        for method in METHODS:
            for shape in ("nothing", "wrong-secret", "both-headers"):
                gate = Gate()
                answer = await gate.request(method, path, JSON, *REFUSED[shape])
                passed = [scope["state"]["route"] for scope in gate.inner.scopes]
                # Public routes may be met on the way; then their own application answers.
                assert set(passed) <= {item.path for item in POLICIES if item.scope is None}
                assert passed or answer.status in {401, 405}


@pytest.mark.parametrize(
    "path", ["/MCP", "/Mcp", "/mCp/", "/METRICS", "/mcp//", "/mcp%2F", "/\uff4dcp"]
)
async def test_other_spellings_of_a_route_are_no_route(path: str) -> None:
    """
    Paths are compared as they come: with a valid key, another spelling is 404 and goes nowhere.
    """
    gate = Gate()
    without = await gate.request("POST", path, JSON)
    answer = await gate.request("POST", path, JSON, bearer(READER))
    assert (without.status, answer.status, gate.inner.scopes) == (401, 404, [])


@pytest.mark.parametrize("trick", HEADER_TRICKS)
@pytest.mark.parametrize("policy", GUARDED, ids=_ids(GUARDED))
async def test_no_header_leads_around_the_gate(policy: RoutePolicy, trick: str) -> None:
    """
    No header that a proxy or a framework might obey changes what is asked of the caller.
    """
    for method in METHODS:
        for shape in ("nothing", "revoked", "cookie"):
            gate = Gate()
            headers = (JSON, HEADER_TRICKS[trick], *REFUSED[shape])
            answer = await gate.request(method, _path(policy), *headers)
            assert (answer.status, gate.inner.scopes) == (401, [])


@pytest.mark.parametrize(
    "query", [b"api_key=%s", b"access_token=%s", b"token=%s", b"Authorization=Bearer+%s", b"%s"]
)
async def test_a_key_in_the_address_is_no_credential(query: bytes) -> None:
    """
    Addresses end up in logs and histories: a key in one opens nothing.
    """
    for policy in GUARDED:
        gate = Gate()
        method = policy.methods[0]
        answer = await gate.request(method, _path(policy), JSON, query=query.replace(b"%s", RAW))
        assert (answer.status, gate.inner.scopes) == (401, [])


@pytest.mark.parametrize(
    "header",
    [
        bearer(READER),
        _auth(b"bearer " + RAW),
        _auth(b"BEARER  " + RAW + b" "),
        _auth(b" Bearer " + RAW + b"\t"),
        (b"x-api-key", RAW),
        (b"x-api-key", b" " + RAW + b" "),
        _basic(b"anybody:" + RAW),
        _basic(b":" + RAW),
        _auth(b"bAsIc " + b64encode(b"u:" + RAW)),
    ],
    ids=lambda header: repr(header[1][:9]),
)
async def test_each_way_to_send_a_key_is_taken(header: Header) -> None:
    """
    Bearer, X-API-Key and the password of Basic all open every route of scope read, and no other.
    """
    for policy in GUARDED:
        gate = Gate()
        answer = await gate.request(policy.methods[0], _path(policy), JSON, header)
        opened = policy.scope is Scope.READ
        assert answer.status == (200 if opened else 403)
        known = [each and each.key_id for each in gate.inner.principals]
        assert known == (["reader000000"] if opened else [])


@pytest.mark.parametrize("policy", GUARDED, ids=_ids(GUARDED))
async def test_a_route_opens_to_its_scope_and_to_whole_keys_if_it_asks(policy: RoutePolicy) -> None:
    """
    A key of scope admin opens every method of every route; a narrowed one what takes narrowed keys.
    """
    for method in policy.methods:
        for name, opened in (
            ("admin", True),
            ("reader", policy.scope is Scope.READ),
            ("narrow", policy.scope is Scope.READ and policy.narrowed),
        ):
            gate = Gate()
            answer = await gate.request(method, _path(policy), JSON, bearer(key_of(name)))
            assert answer.status == (200 if opened else 403), (method, name)
            assert len(gate.inner.scopes) == opened


def test_what_administers_keys_is_for_whole_admin_keys() -> None:
    """
    Every route about other people's keys asks for scope admin, and for a key that sees all prompts.
    """
    found = [policy for policy in POLICIES if policy.path.startswith("/auth/")]
    own = [policy for policy in found if policy.path.startswith(CURRENT_API_KEY)]
    others = [policy for policy in found if policy not in own]
    assert {(policy.scope, policy.narrowed) for policy in others} == {(Scope.ADMIN, False)}
    assert {policy.scope for policy in own} == {Scope.READ}


def test_only_these_routes_are_public() -> None:
    """
    The list of what anybody may ask for is short, and written down here a second time.
    """
    assert {policy.path for policy in POLICIES if policy.scope is None} == {
        "/health",
        "/health/live",
        "/health/ready",
        "/login",
        "/login/style.css",
        "/docs/assets/{name}",
        "/logout",
        "/.well-known/{rest:path}",
        "/register",
    }


@pytest.mark.parametrize("change", ["no policy", "no application"])
def test_a_route_without_a_policy_cannot_be_built(change: str) -> None:
    """
    An application at a path that the table lacks, or the other way round, stops the start.
    """
    apps = {policy.path: Gate().inner for policy in POLICIES}
    if change == "no policy":
        apps["/backdoor"] = Gate().inner
    else:
        del apps[METRICS]
    with pytest.raises(ValueError, match="routes and applications differ"):
        Dispatcher(POLICIES, apps)


async def test_a_websocket_reaches_nothing() -> None:
    """
    Only HTTP is served: a websocket passes the gate and ends at the dispatcher, unheard.
    """
    gate = Gate()
    heard: list[object] = []
    apps = {policy.path: gate.inner for policy in POLICIES}

    async def receive() -> dict[str, object]:
        heard.append("received")
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        heard.append(message)

    app = gate.app(Dispatcher(POLICIES, apps))
    await app({"type": "websocket", "path": MCP, "headers": []}, receive, send)
    assert (heard, gate.inner.scopes) == ([], [])
