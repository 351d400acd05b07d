"""
The gate: what is checked before what, and what it answers.
"""

import json

import pytest

from ctxfy.adapters.auth.credentials import malformed
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.app.routes import route_policies
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import RoutePolicy
from ctxfy.core.models.auth_models import Scope as KeyScope
from tests.unit.adapters.auth.gate_kit import JSON, METHODS, POLICIES, Gate, Header, bearer, key_of


ORIGIN = "https://app.example.com"
EVIL: Header = (b"origin", b"https://evil.example")
READER = bearer(key_of("reader"))
OUTAGE = UnavailableError("storage", "it is away.", retry_after=7)
HOSTS = HostOriginPolicy(origins=(ORIGIN,))

INVALID = 'Bearer realm="ctxfy", error="invalid_token", error_description='

WRITE = RoutePolicy(path="/write", methods=("POST",), scope=KeyScope.WRITE)
ADMIN = RoutePolicy(path="/admin", methods=("GET",), scope=KeyScope.ADMIN)
NARROW = RoutePolicy(path="/whole", methods=("GET",), scope=KeyScope.READ, narrowed=False)


def _preflight(origin: str) -> tuple[Header, Header]:
    return (b"origin", origin.encode()), (b"access-control-request-method", b"POST")


@pytest.mark.parametrize("credential", [(), (READER,)], ids=["no-key", "key"])
async def test_a_foreign_host_is_refused_before_the_key_is_looked_at(
    credential: tuple[Header, ...],
) -> None:
    """
    A Host that is not ours is 421 with and without a key, and the store is not asked.
    """
    gate = Gate()
    gate.store.outage = OUTAGE
    for method in METHODS:
        answer = await gate.request(method, "/mcp", JSON, *credential, host="evil.example")
        assert (answer.status, gate.inner.scopes) == (421, [])


async def test_a_request_without_a_host_is_refused() -> None:
    """
    No Host at all is a foreign Host.
    """
    assert (await Gate().request("POST", "/mcp", JSON, READER, host=None)).status == 421


async def test_two_hosts_are_refused() -> None:
    """
    Of two Host headers neither is believed.
    """
    answer = await Gate().request("POST", "/mcp", JSON, READER, (b"host", b"localhost"))
    assert answer.status == 421


@pytest.mark.parametrize("credential", [(), (READER,)], ids=["no-key", "key"])
async def test_a_foreign_origin_is_refused_before_the_key_is_looked_at(
    credential: tuple[Header, ...],
) -> None:
    """
    A foreign page gets 403 with and without a key, preflight or not.
    """
    gate = Gate()
    for method in METHODS:
        answer = await gate.request(method, "/mcp", JSON, EVIL, *credential)
        assert (answer.status, gate.inner.scopes) == (403, [])
    assert (await gate.request("OPTIONS", "/mcp", *_preflight(EVIL[1].decode()))).status == 403


async def test_a_second_origin_does_not_hide_the_first() -> None:
    """
    Two Origin headers are a foreign origin, even if one of them is allowed.
    """
    allowed = (b"origin", ORIGIN.encode())
    for pair in ((EVIL, allowed), (allowed, EVIL), (EVIL, EVIL)):
        answer = await Gate(hosts=HOSTS).request("POST", "/mcp", JSON, READER, *pair)
        assert answer.status == 403
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.methods} {policy.path}")
async def test_the_host_is_free_only_where_the_table_says_so(policy: RoutePolicy) -> None:
    """
    Probes and scrapers come by address: only their routes take any Host, or none.
    """
    path = policy.path.replace("{rest:path}", "x")
    for host in ("10.1.2.3:8000", None):
        answer = await Gate().request(policy.methods[0], path, JSON, READER, host=host)
        assert answer.status == (200 if policy.any_host else 421)
    assert policy.any_host == policy.path.startswith(("/health", "/metrics"))


async def test_a_foreign_origin_is_refused_where_any_host_is_taken() -> None:
    """
    The exemption is from the Host alone.
    """
    answer = await Gate().request("GET", "/metrics", READER, EVIL, host="10.1.2.3:8000")
    assert answer.status == 403


async def test_an_allowed_preflight_is_answered_before_authentication() -> None:
    """
    Browsers send preflights without a key: 204, with the methods, and nothing goes further in.
    """
    gate = Gate(hosts=HOSTS)
    gate.store.outage = OUTAGE
    answer = await gate.request("OPTIONS", "/mcp", *_preflight(ORIGIN))
    assert (answer.status, answer.body, gate.inner.scopes) == (204, b"", [])
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["access-control-allow-methods"] == "POST"
    wanted = {"authorization", "content-type", "mcp-protocol-version", "mcp-method", "mcp-name"}
    assert wanted <= set(answer.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in answer.headers


async def test_a_preflight_of_an_unknown_path_offers_no_method() -> None:
    """
    A preflight tells nobody more than that there is nothing.
    """
    answer = await Gate(hosts=HOSTS).request("OPTIONS", "/nope", *_preflight(ORIGIN))
    assert (answer.status, answer.headers["access-control-allow-methods"]) == (204, "")


@pytest.mark.parametrize(
    "headers",
    [(), (_preflight(ORIGIN)[0],), (_preflight(ORIGIN)[1],), _preflight("http://localhost:1")],
    ids=["plain", "origin-only", "method-only", "origin-not-configured"],
)
async def test_other_options_requests_are_no_preflight(headers: tuple[Header, ...]) -> None:
    """
    OPTIONS opens nothing by itself: 401 without a key, 405 with one.
    """
    gate = Gate(hosts=HOSTS)
    assert (await gate.request("OPTIONS", "/mcp", *headers)).status == 401
    assert (await gate.request("OPTIONS", "/mcp", READER, *headers)).status == 405
    assert gate.inner.scopes == []


async def test_what_exists_is_told_only_to_holders_of_a_key() -> None:
    """
    401 comes before 404 and 405.
    """
    gate = Gate()
    for method, path in (("GET", "/nope"), ("DELETE", "/mcp"), ("GET", "/mcp"), ("TRACE", "/mcp")):
        assert (await gate.request(method, path)).status == 401
    assert (await gate.request("GET", "/nope", READER)).status == 404
    for method in ("GET", "HEAD", "DELETE", "PUT", "TRACE"):
        answer = await gate.request(method, "/mcp", READER)
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


async def test_a_narrowed_key_reads_no_metrics() -> None:
    """
    Metrics tell of all prompts, so a key that sees only some gets 403 there, but serves on /mcp.
    """
    gate = Gate()
    narrow = bearer(key_of("narrow"))
    answer = await gate.request("GET", "/metrics", narrow)
    assert answer.status == 403
    # No scope is named: the key has it, and a client would ask for the same once more.
    assert answer.headers["www-authenticate"] == 'Bearer realm="ctxfy", error="insufficient_scope"'
    assert (await gate.request("POST", "/mcp", JSON, narrow)).status == 200
    assert gate.metrics.authentications["narrowed"] == 1


async def test_public_metrics_are_for_everybody() -> None:
    """
    By setting, /metrics needs no key, and then a narrowed one does no harm.
    """
    gate = Gate(policies=route_policies(public_metrics=True))
    assert (await gate.request("GET", "/metrics")).status == 200
    assert (await gate.request("GET", "/metrics", bearer(key_of("narrow")))).status == 200


@pytest.mark.parametrize(
    ("policy", "name", "status"),
    [
        (WRITE, "reader", 403),
        (WRITE, "admin", 200),
        (ADMIN, "reader", 403),
        (ADMIN, "admin", 200),
        (NARROW, "narrow", 403),
        (NARROW, "reader", 200),
    ],
)
async def test_a_route_asks_for_its_scope(policy: RoutePolicy, name: str, status: int) -> None:
    """
    A valid key of too little scope is 403, on the route's other methods too, and not 401.
    """
    gate = Gate(policies=(*POLICIES, policy))
    credential = bearer(key_of(name))
    answer = await gate.request(policy.methods[0], policy.path, credential)
    assert (answer.status, len(gate.inner.scopes)) == (status, 1 if status == 200 else 0)
    wrong_method = await gate.request("PATCH", policy.path, credential)
    assert wrong_method.status == (405 if status == 200 else 403)
    assert (await gate.request(policy.methods[0], policy.path)).status == 401


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), 'Bearer realm="ctxfy"'),
        (
            (bearer(key_of("revoked")),),
            INVALID + '"The API key was revoked."',
        ),
        (
            (bearer("nonsense"),),
            INVALID + f'"{malformed().sentence}"',
        ),
    ],
    ids=["nothing", "revoked", "malformed"],
)
async def test_the_challenge_is_that_of_rfc_6750(
    headers: tuple[Header, ...], expected: str
) -> None:
    """
    No error attribute if nothing came, and never `resource_metadata`: there is no OAuth to find.
    """
    answer = await Gate().request("POST", "/mcp", JSON, *headers)
    assert answer.headers["www-authenticate"] == expected
    assert "resource_metadata" not in str(answer.headers)


async def test_refusals_on_mcp_are_json_rpc_and_elsewhere_problems() -> None:
    """
    Each door answers in its own tongue, in both with the stable code.
    """
    gate = Gate()
    mcp = await gate.request("POST", "/mcp/", JSON)
    rest = await gate.request("GET", "/metrics")
    assert mcp.headers["content-type"] == "application/json"
    assert json.loads(mcp.body)["error"]["data"]["code"] == "access.not_authenticated"
    assert rest.headers["content-type"] == "application/problem+json"
    assert json.loads(rest.body)["code"] == "access.not_authenticated"


async def test_an_outage_of_the_store_is_503_and_never_401() -> None:
    """
    Clients open log-in dialogs on 401; a key that could not be looked up is 503 with Retry-After.
    """
    gate = Gate()
    gate.store.outage = OUTAGE
    for method, path in (("POST", "/mcp"), ("GET", "/metrics"), ("GET", "/mcp"), ("GET", "/nope")):
        answer = await gate.request(method, path, JSON, READER)
        assert (answer.status, answer.headers["retry-after"]) == (503, "7")
        assert "www-authenticate" not in answer.headers
    assert gate.inner.scopes == []


async def test_public_routes_are_served_while_the_store_is_away() -> None:
    """
    Health must answer during an outage, and lets nobody in by it: there is no principal.
    """
    gate = Gate()
    gate.store.outage = OUTAGE
    for path in ("/health", "/health/live", "/health/ready"):
        assert (await gate.request("GET", path, READER)).status == 200
    assert gate.inner.principals == [None, None, None]


async def test_what_needs_no_store_is_refused_without_it() -> None:
    """
    No credential and a malformed one are 401 during an outage as well: the store would not help.
    """
    gate = Gate()
    gate.store.outage = OUTAGE
    assert (await gate.request("POST", "/mcp", JSON)).status == 401
    assert (await gate.request("POST", "/mcp", JSON, bearer("nonsense"))).status == 401


async def test_decisions_are_counted_and_noted() -> None:
    """
    Each decision is counted by its reason, a use by the public id; the line knows user and key.
    """
    gate = Gate()
    await gate.request("POST", "/mcp", JSON, READER)
    await gate.request("POST", "/mcp", JSON, bearer(key_of("expired")))
    await gate.request("POST", "/mcp", JSON)
    await gate.request("GET", "/health")
    assert gate.metrics.authentications == {"granted": 1, "expired": 1, "missing": 1}
    assert gate.metrics.key_usages == [("reader000000", "/mcp")]
    assert gate.logging.facts == {
        "user_id": "user-of-reader",
        "key_id": "reader000000",
        "denial": "missing",
    }
