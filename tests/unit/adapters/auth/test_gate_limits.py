"""
Limits at the gate: what callers read about them, and who is turned away.
"""

import json

import pytest

from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import AccessLimits
from tests.unit.adapters.auth.gate_kit import JSON, KEYS, LIMIT, Gate, bearer, key_of


KEY = RateLimit(requests=5, seconds=60)
USER = RateLimit(requests=100, seconds=3600)
BYTES = RateLimit(requests=60, seconds=60)
READER = bearer(key_of("reader"))
PAGE = "https://app.example.com"


def gate(limits: AccessLimits) -> Gate:
    """
    Build a gate that counts, by a clock that stands.
    """
    return Gate(
        limiter=MemoryRateLimiter(lambda: 0),
        limits=limits,
        hosts=HostOriginPolicy(origins=(PAGE,)),
    )


async def test_an_answer_tells_what_is_left() -> None:
    """
    Name, quota and window of each policy; what remains, and when more of it is to be had.
    """
    answer = await gate(AccessLimits(key=KEY, user=USER)).request("POST", "/mcp", READER, JSON)
    assert answer.status == 200
    assert answer.headers["ratelimit-policy"] == '"key";q=5;w=60, "user";q=100;w=3600'
    assert answer.headers["ratelimit"] == '"key";r=4;t=12, "user";r=99;t=36'


async def test_bytes_are_told_by_their_unit() -> None:
    """
    Once a body has been weighed.
    """
    body = [{"type": "http.request", "body": b"x" * 20}]
    found = gate(AccessLimits(key=KEY, key_bytes=BYTES))
    answer = await found.request("POST", "/mcp", READER, JSON, incoming=body)
    assert answer.headers["ratelimit-policy"] == (
        '"key";q=5;w=60, "bytes";q=60;qu="content-bytes";w=60'
    )
    assert answer.headers["ratelimit"] == '"key";r=4;t=12, "bytes";r=40;t=20'


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/mcp", 405), ("POST", "/mcp", 415)],
)
async def test_refusals_that_were_counted_tell_it_too(method: str, path: str, status: int) -> None:
    """
    A wrong path, method or body counts like any request.
    """
    answer = await gate(AccessLimits(key=KEY)).request(method, path, READER)
    assert (answer.status, answer.headers["ratelimit"]) == (status, '"key";r=4;t=12')


async def test_a_refused_request_says_when_to_come_again() -> None:
    """
    429 with Retry-After and what was violated, no later than the header says; once.
    """
    found = gate(AccessLimits(key=KEY, user=USER))
    for _ in range(5):
        await found.request("GET", "/prompts", READER)
    answer = await found.request("GET", "/prompts", READER)
    body = json.loads(answer.body)
    assert (answer.status, answer.headers["retry-after"]) == (429, "12")
    assert answer.headers["ratelimit"] == '"key";r=0;t=12, "user";r=95;t=180'
    assert body["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert (body["violated-policies"], body["retryAfterSeconds"]) == (["key"], 12)
    assert len(found.inner.scopes) == 5


async def test_on_mcp_it_is_a_json_rpc_error() -> None:
    """
    With the time to wait where clients of MCP look.
    """
    found = gate(AccessLimits(key=RateLimit(requests=1, seconds=60)))
    await found.request("POST", "/mcp", READER, JSON)
    answer = await found.request("POST", "/mcp", READER, JSON)
    error = json.loads(answer.body)["error"]
    assert (answer.status, error["code"]) == (429, -32009)
    assert error["data"]["retryAfterSeconds"] == 60
    assert error["data"]["violated-policies"] == ["key"]


async def test_a_body_too_many_does_not_get_in() -> None:
    """
    The request counts, its bytes do not.
    """
    body = [{"type": "http.request", "body": b"x" * 40}]
    found = gate(AccessLimits(key=KEY, key_bytes=BYTES))
    answers = [await found.request("POST", "/mcp", READER, JSON, incoming=body) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    assert answers[1].headers["ratelimit"] == '"key";r=3;t=24, "bytes";r=20;t=20'
    assert json.loads(answers[1].body)["error"]["data"]["violated-policies"] == ["bytes"]


async def test_the_unknown_are_told_nothing_but_to_wait() -> None:
    """
    Without a valid key there are no headers until the address is over.
    """
    found = gate(AccessLimits(key=KEY, failures=RateLimit(requests=1, seconds=60)))
    stranger = bearer(key_of("stranger"))
    first, second = [await found.request("POST", "/mcp", stranger) for _ in range(2)]
    assert (first.status, "ratelimit" in first.headers) == (401, False)
    assert (second.status, second.headers["ratelimit"]) == (429, '"address";r=0;t=60')
    assert (await found.request("GET", "/health", stranger)).status == 200


@pytest.mark.parametrize("name", [info.key_id.rstrip("0") for info in KEYS])
async def test_known_keys_are_answered_whatever_their_address_did(name: str) -> None:
    """
    In or not, each gets its own answer and never a 429.
    """
    found = gate(AccessLimits(key=KEY, failures=RateLimit(requests=1, seconds=60)))
    for _ in range(3):
        await found.request("POST", "/mcp", bearer(key_of("stranger")))
    answer = await found.request("POST", "/mcp", bearer(key_of(name)), JSON)
    assert answer.status == (401 if name in {"expired", "disabled", "revoked"} else 200)


async def test_pages_may_read_the_headers() -> None:
    """
    Those of an allowed origin, by the names that CORS wants.
    """
    answer = await gate(AccessLimits(key=KEY)).request(
        "POST", "/mcp", READER, JSON, (b"origin", PAGE.encode())
    )
    exposed = answer.headers["access-control-expose-headers"]
    assert {"ratelimit", "ratelimit-policy", "retry-after"} <= set(exposed.split(", "))


async def test_a_body_that_is_too_large_is_not_weighed() -> None:
    """
    It is refused before, and takes nothing of the key's bytes.
    """
    large = [{"type": "http.request", "body": b"x" * (LIMIT + 1)}]
    found = gate(AccessLimits(key=KEY, key_bytes=BYTES))
    answer = await found.request("POST", "/mcp", READER, JSON, incoming=large)
    assert (answer.status, answer.headers["ratelimit"]) == (413, '"key";r=4;t=12')
