"""
The gate: what goes through it, and in which form.
"""

import json
from collections.abc import Iterable, Mapping

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.middleware import current_principal
from ctxfy.core.models.auth_models import Principal
from tests.unit.adapters.auth.gate_kit import (
    JSON,
    LIMIT,
    Gate,
    Header,
    InnerApp,
    bearer,
    key_of,
)


READER = bearer(key_of("reader"))
ORIGIN = "https://app.example.com"


def _chunks(*bodies: bytes) -> list[Message]:
    last = len(bodies) - 1
    return [
        {"type": "http.request", "body": body, "more_body": number < last}
        for number, body in enumerate(bodies)
    ]


def _leaves(value: object) -> Iterable[object]:
    match value:
        case Mapping():
            for key, item in value.items():
                yield key
                yield from _leaves(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from _leaves(item)
        case Principal():
            yield repr(value)
        case _:
            yield value


@pytest.mark.parametrize(
    "header",
    [
        READER,
        (b"x-api-key", key_of("reader").encode()),
        (b"authorization", b"Basic dXNlcjpjdHhmeV9yZWFkZXIwMDAwMDBf"),
    ],
    ids=["bearer", "x-api-key", "malformed-basic-on-a-public-route"],
)
async def test_the_secret_stays_outside(header: Header) -> None:
    """
    Nothing in the inner scope holds the credential; the public id stands in for it.
    """
    gate = Gate()
    await gate.request("GET", "/health", header)
    await gate.request("POST", "/mcp", JSON, header)
    assert gate.inner.scopes
    credential = header[1].removeprefix(b"Bearer ")
    for scope in gate.inner.scopes:
        for leaf in _leaves(scope):
            text = leaf if isinstance(leaf, bytes) else str(leaf).encode()
            assert credential not in text
            assert key_of("reader")[19:62].encode() not in text
        names = [name for name, _ in scope["headers"]]
        assert b"x-api-key" not in names
        assert [value for name, value in scope["headers"] if name == b"authorization"] in (
            [b"Bearer reader000000"],
            [],
        )


async def test_the_principal_is_on_the_scope_and_in_the_context() -> None:
    """
    Behind the gate both say who is calling, and afterwards the context knows nobody.
    """
    gate = Gate()
    await gate.request("POST", "/mcp", JSON, bearer(key_of("admin")))
    (scope,), (principal,) = gate.inner.scopes, gate.inner.principals
    assert principal is scope["state"]["principal"]
    assert principal is not None
    assert (principal.key_id, principal.user_id) == ("admin0000000", "user-of-admin")
    assert scope["state"]["route"] == "/mcp"
    assert current_principal() is None


async def test_the_context_is_reset_after_a_failure() -> None:
    """
    An application that raises leaves no caller behind in the context.
    """

    class Failing(InnerApp):
        async def __call__(self, *_: object) -> None:
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        await Gate(inner=Failing()).request("POST", "/mcp", JSON, READER)
    assert current_principal() is None


@pytest.mark.parametrize(
    "chunks",
    [
        _chunks(b""),
        _chunks(b'{"a": 1}'),
        _chunks(b"", b"", b"x"),
        _chunks(*(bytes([number]) for number in range(1, 256))),
        _chunks(b"x" * LIMIT),
    ],
    ids=["empty", "one", "empty-chunks", "every-byte-alone", "as-large-as-may-be"],
)
async def test_the_body_arrives_byte_for_byte(chunks: list[Message]) -> None:
    """
    However it was cut, the inner application gets the body whole, and the hang-up after it.
    """
    gate = Gate()
    answer = await gate.request("POST", "/mcp", JSON, READER, incoming=chunks)
    whole = b"".join(chunk["body"] for chunk in chunks)
    assert answer.status == 200
    assert gate.inner.incoming == [
        {"type": "http.request", "body": whole, "more_body": False},
        {"type": "http.disconnect"},
    ]


@pytest.mark.parametrize(
    "announced",
    [LIMIT + 1, "9" * 19, "9" * 5000, "0000" + str(LIMIT + 1)],
    ids=["one-more", "19-digits", "5000-digits", "zeros-first"],
)
async def test_a_body_announced_too_large_is_not_read(announced: object) -> None:
    """
    The Content-Length alone is enough for 413; a number of any length is a number.
    """
    gate = Gate()
    header = (b"content-length", str(announced).encode())
    answer = await gate.request("POST", "/mcp", JSON, READER, header, incoming=[])
    assert (answer.status, gate.inner.scopes) == (413, [])
    assert json.loads(answer.body)["error"]["code"] == -32006
    assert str(LIMIT) in json.loads(answer.body)["error"]["message"]


@pytest.mark.parametrize("announced", [b"", b"0", b"-1", b"x", b"\xb2", b"1e9", b"+1", b"2", b"00"])
async def test_an_odd_length_is_no_announcement(announced: bytes) -> None:
    """
    What is no number, or too small a one, is not believed: what really comes is counted.
    """
    gate = Gate()
    header = (b"content-length", announced)
    fits = await gate.request("POST", "/mcp", JSON, READER, header, incoming=_chunks(b"{}"))
    too_large = _chunks(b"x" * LIMIT, b"x")
    answer = await gate.request("POST", "/mcp", JSON, READER, header, incoming=too_large)
    assert (fits.status, answer.status) == (200, 413)


async def test_a_body_that_turns_out_too_large_is_cut_off() -> None:
    """
    Without an announcement, reading ends with the first byte too many.
    """
    gate = Gate()
    chunks = [*_chunks(b"x" * LIMIT, b"x", b"never asked for")]
    answer = await gate.request("POST", "/mcp", JSON, READER, incoming=chunks)
    assert (answer.status, gate.inner.scopes) == (413, [])


async def test_half_a_body_is_acted_on_by_nobody() -> None:
    """
    A sender who goes away before the end of the body has asked for nothing.
    """
    gate = Gate()
    half: list[Message] = [{"type": "http.request", "body": b'{"id": 1}', "more_body": True}]
    with pytest.raises(ClientDisconnect):
        await gate.request("POST", "/mcp", JSON, READER, incoming=half)
    assert gate.inner.scopes == []


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ((b"content-type", b""),),
        ((b"content-type", b"text/plain"),),
        ((b"content-type", b"application/jsonp"),),
        ((b"content-type", b"application/x-www-form-urlencoded"),),
        ((b"content-type", b"multipart/form-data; boundary=application/json"),),
        ((b"content-type", b"text/plain; application/json"),),
        (JSON, JSON),
    ],
    ids=repr,
)
async def test_mcp_takes_json_alone(headers: tuple[Header, ...]) -> None:
    """
    Any other media type, none, or two are 415, so that no form of a page can post here.
    """
    gate = Gate()
    answer = await gate.request("POST", "/mcp", READER, *headers)
    assert (answer.status, gate.inner.scopes) == (415, [])


@pytest.mark.parametrize(
    "value", [b"application/json; charset=utf-8", b"Application/JSON", b" application/json ;x"]
)
async def test_the_media_type_is_read_as_it_is_written(value: bytes) -> None:
    """
    Parameters and capitals of a Content-Type do not matter.
    """
    assert (await Gate().request("POST", "/mcp", READER, (b"content-type", value))).status == 200


@pytest.mark.parametrize(
    "body",
    [
        "{}".encode("utf-16"),
        "{}".encode("utf-16-be"),
        "{}".encode("utf-32-le"),
        b"\xef\xbb\xbf{}",
        b'{"a":"\x00"}',
    ],
)
async def test_json_is_utf_8_alone(body: bytes) -> None:
    """
    Parsers that take other encodings too would read what the others here cannot (RFC 8259, 8.1).
    """
    gate = Gate()
    answer = await gate.request(
        "POST",
        "/mcp",
        READER,
        JSON,
        incoming=[{"type": "http.request", "body": body}],
    )
    assert (answer.status, gate.inner.scopes) == (400, [])


async def test_refusals_come_in_order() -> None:
    """
    Media type before size, and both only for holders of a key.
    """
    large = (b"content-length", b"99999999")
    wrong = (b"content-type", b"text/plain")
    gate = Gate()
    assert (await gate.request("POST", "/mcp", wrong, large)).status == 401
    assert (await gate.request("POST", "/mcp", READER, wrong, large)).status == 415
    assert (await gate.request("POST", "/mcp", READER, JSON, large)).status == 413


async def test_cors_headers_are_for_configured_origins() -> None:
    """
    A page of a configured origin may read every answer, refusals too; other pages get no header.
    """
    hosts = HostOriginPolicy(origins=(ORIGIN,))
    origins = {ORIGIN: True, "http://localhost:3000": False, None: False}
    for origin, allowed in origins.items():
        for method, path in (("GET", "/health"), ("POST", "/mcp"), ("GET", "/nope")):
            sent = [] if origin is None else [(b"origin", origin.encode())]
            answer = await Gate(hosts=hosts).request(method, path, *sent)
            shown = answer.headers.get("access-control-allow-origin")
            assert shown == (origin if allowed else None)
            assert ("vary" in answer.headers) == allowed
            if allowed:
                assert "www-authenticate" in answer.headers["access-control-expose-headers"]
