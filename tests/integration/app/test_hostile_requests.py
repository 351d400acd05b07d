"""
Requests that were never meant well: refused in words, never a way round, never a fault of ours.
"""

import io
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.loading import utc_now
from ctxfy.app.main import create_app
from ctxfy.core.models.monitoring_models import LogLevel
from tests.integration.app.app_kit import Client, message_of, running, settings_in, write_prompts


ECHO = "---\narguments: {text: {required: true}}\n---\n[{{ text }}]\n"
# What careless software normalises, splits at, or trims.
UNICODE = (
    "e\N{COMBINING ACUTE ACCENT} \N{LATIN SMALL LETTER E WITH ACUTE} \N{ANGSTROM SIGN} \uff21",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{WOMAN} \N{FLAG IN HOLE} \U0001f1e9\U0001f1ea",
    "\u05d0\u05d1 \N{RIGHT-TO-LEFT OVERRIDE}abc\N{POP DIRECTIONAL FORMATTING}",
    "a\N{LINE SEPARATOR}b\N{PARAGRAPH SEPARATOR}c\x85d\x0be\x1cf",
    "\N{ZERO WIDTH NO-BREAK SPACE}bom\ufffe\uffff\N{NO-BREAK SPACE}",
    "nul\x00 escape\x1b[31m bell\x07 del\x7f tab\t crlf\r\n lf\n cr\r end",
    '<!-- @assistant --> {{ 7*7 }} </script> "quotes" \\ %00 ${x}',
)


@pytest.fixture(scope="module")
async def hostile(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Client, Any]]:
    """
    Serve one prompt that gives back what it is given; beside the client, what was logged.
    """
    folder = tmp_path_factory.mktemp("hostile")
    limits = LimitsSettings(
        key_rate="1000000/minute",
        headers=20,
        header_bytes=4096,
        header_value_bytes=2048,
        address_bytes=1024,
        argument_count=10,
    )
    write_prompts(folder, {"echo.prompt.md": ECHO})
    app = create_app(settings_in(folder, limits=limits))
    stream = io.StringIO()
    configure_logging(format="json", level=LogLevel.INFO, stream=stream, now=utc_now)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # the client that asks, not the server
    async with running(app) as client:
        yield client, stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().split("\n") if line]


def _code(body: dict[str, Any]) -> str:
    return str(body["error"]["data"]["code"] if "error" in body else body["code"])


@pytest.mark.parametrize(
    "path",
    [
        b"//mcp",
        b"//prompts",
        b"/prompts//echo",
        b"/docs/../prompts",
        b"/docs/%2e%2e/prompts",
        b"/health/..%2fprompts",
        b"/health%2f..%2fmetrics",
        b"/health/..;/metrics",
        b"/./prompts",
        b"/prompts%2Fecho",
        b"/prompts%5cecho",
        b"/prompts\\echo",
        b"/metrics%00",
        b"/metrics%0a",
        b"/metrics%20",
        b"/metrics%ff",
        b"/metrics%c0%af",
        b"/metrics%",
        b"/%6detrics/",
        b"/METRICS",
        b"/metrics;x=y",
        b"/health/metrics",
    ],
)
async def test_no_way_of_writing_a_path_leads_round_the_table(
    hostile: tuple[Client, Any], path: bytes
) -> None:
    """
    With an admin key it is a 400 or a 404 in JSON, without one a 400 or a 401.
    """
    client, _ = hostile
    known, stranger = await _ask(client, path, known=True), await _ask(client, path, known=False)
    assert known.status_code in {400, 404}
    assert stranger.status_code in {400, 401}
    for answer in (known, stranger):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


async def test_the_plain_letters_of_a_path_may_be_encoded(hostile: tuple[Client, Any]) -> None:
    """
    `%6d` is `m` (RFC 3986, section 6.2.2.2), for the policy and for whoever answers.
    """
    client, _ = hostile
    assert (await _ask(client, b"/%6detrics", known=False)).status_code == 401
    assert (await _ask(client, b"/%6detrics", known=True)).status_code == 200


async def _ask(client: Client, path: bytes, *, known: bool) -> httpx2.Response:
    """
    GET a path as the server hands it on: a client would mend it.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        decoded = unquote(path.decode("latin-1"))
        await client.app({**scope, "path": decoded, "raw_path": path}, receive, send)

    headers = {"authorization": f"Bearer {client.key}"} if known else {}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://localhost"
    ) as http:
        return await http.get("/", headers=headers)


async def test_heads_that_are_too_large_are_refused(hostile: tuple[Client, Any]) -> None:
    """
    By each of the settings, on both surfaces, and written down like any request.
    """
    client, stream = hostile
    many = {f"x-{number}": "" for number in range(20)}
    cases: list[tuple[str, dict[str, str], int, str]] = [
        ("/prompts", many, 431, "request.headers_too_large"),
        ("/mcp", many, 431, "request.headers_too_large"),
        ("/prompts", {"x-a": "b" * 2049}, 431, "request.headers_too_large"),
        ("/prompts", {"x-a": "b" * 2048, "x-b": "c" * 2048}, 431, "request.headers_too_large"),
        (f"/{'a' * 1024}", {}, 414, "request.address_too_long"),
        (f"/prompts?q={'a' * 1024}", {}, 414, "request.address_too_long"),
        ("/prompts?q=%00", {}, 400, "request.malformed"),
        ("/prompts", {"x-a": "\x01"}, 400, "request.malformed"),
    ]
    for path, headers, status, code in cases:
        answer = await client.get(path, key=True, **headers)
        assert (answer.status_code, _code(answer.json())) == (status, code)
        line = _lines(stream)[-1]
        assert (line["status_code"], line["endpoint"]) == (status, "other")


async def test_a_parameter_may_come_once(hostile: tuple[Client, Any]) -> None:
    """
    422 names it: who stands between might have taken the other value.
    """
    client, _ = hostile
    twice = await client.get("/prompts?limit=1&q=a&limit=2", key=True)
    assert twice.status_code == 422
    assert [item["field"] for item in twice.json()["errors"]] == ["limit"]
    assert (await client.get("/prompts?limit=1&q=a", key=True)).status_code == 200


META = (
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    '"io.modelcontextprotocol/clientInfo":{"name":"t","version":"1"},'
    '"io.modelcontextprotocol/clientCapabilities":{}}'
)


def _call(text: str = '"x"', more: str = "", *, identity: str = "1") -> str:
    return (
        f'{{"jsonrpc":"2.0","id":{identity},"method":"prompts/get",'
        f'"params":{{"name":"echo","arguments":{{"text":{text}{more}}},{META}}}}}'
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nul\x00",
        b"\xff\xfe" + _call().encode("utf-16-le"),
        _call('"\xff"').encode("latin-1"),
        _call("[" * 40_000 + "]" * 40_000).encode(),
        _call('{"a":' * 900 + "1" + "}" * 900).encode(),
        _call("1" * 5_000).encode(),
        _call("NaN").encode(),
        _call("-Infinity").encode(),
        _call('"\\ud800"').encode(),
        _call('"x"', "".join(f',"k{number}":""' for number in range(5_000))).encode(),
        _call('"x"', f',"{"k" * 60_000}":""').encode(),
        _call('"x"', ',"a\\u0000\\n\\u2028":""').encode(),
        _call(f"[{','.join('1' * 20_000)}]").encode(),
        _call(identity="NaN").encode(),
        _call(identity="1e999").encode(),
        _call(identity='{"a":[1]}').encode(),
        f"[{_call()},{_call()}]".encode(),
    ],
    ids=range(18),
)
async def test_no_body_is_a_fault_of_ours(hostile: tuple[Client, Any], body: bytes) -> None:
    """
    On the newer wire each ends in a 4xx; on the older one, where mistakes in a message that can be
    read have status 200, in an error or in nothing said; and as an execution over REST in a 4xx.
    """
    client, stream = hostile
    older = await client.post(body, mcp_protocol_version="2025-11-25")
    newer = await client.post(
        body, mcp_protocol_version="2026-07-28", mcp_method="prompts/get", mcp_name="echo"
    )
    rest = await client.post(body, path="/prompts/echo/execute")
    assert 400 <= newer.status_code < 500
    assert 400 <= rest.status_code < 500
    assert older.status_code < 500
    assert older.status_code == 202 or "error" in message_of(older)
    assert not [line for line in _lines(stream) if line["level"] == "ERROR"]


async def test_a_call_may_bring_so_many_arguments(hostile: tuple[Client, Any]) -> None:
    """
    Beyond the setting it is one mistake, whatever their names are.
    """
    client, _ = hostile
    arguments = {"text": "x"} | {f"k{number}": "" for number in range(10)}
    answer = await client.post(json.dumps({"arguments": arguments}), path="/prompts/echo/execute")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "", "message": "More than 10 arguments were given.", "code": "too_long"}
    ]


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@example(UNICODE[0])
@example(UNICODE[1])
@example(UNICODE[2])
@example(UNICODE[3])
@example(UNICODE[4])
@example(UNICODE[5])
@example(UNICODE[6])
async def test_a_value_comes_back_as_it_was_sent(hostile: tuple[Client, Any], text: str) -> None:
    """
    Character by character, over both wires of MCP and over REST, escaped in JSON or not.
    """
    client, _ = hostile
    older = await client.ask_2025("prompts/get", name="echo", arguments={"text": text})
    newer = await client.ask_2026("prompts/get", name="echo", arguments={"text": text})
    body = json.dumps({"arguments": {"text": text}}, ensure_ascii=False)
    rest = (await client.post(body.encode(), path="/prompts/echo/execute")).json()
    for messages in (
        older["result"]["messages"],
        newer["result"]["messages"],
        rest["messages"],
    ):
        assert [message["content"]["text"] for message in messages] == [f"[{text}]"]
    assert rest["result"] == f"[{text}]"


@settings(max_examples=40)
@given(st.text(max_size=30), st.text(max_size=30))
@example("a\nb", 'x"} {"level": "ERROR"')
@example("a\r\nx-evil: 1", "\x1b]0;title\x07")
@example("\ud800", "a\u2028b")
async def test_nothing_from_outside_breaks_a_line_or_a_header(
    hostile: tuple[Client, Any], name: str, value: str
) -> None:
    """
    Names of prompts, arguments, keys, versions, users and requests: each line of the log stays one,
    and no answer has a header that was not meant.
    """
    client, stream = hostile
    before = len(_lines(stream))
    answers = [
        await client.post(
            json.dumps({"arguments": {name: value}, "version": value}),
            path="/prompts/echo/execute",
        ),
        await client.post(
            json.dumps({"user_id": name, "name": value, "prompts": [value]}), path="/auth/api-keys"
        ),
        await client.post(
            json.dumps(
                {
                    "jsonrpc": "2.0",
                    "id": value,
                    "method": "prompts/get",
                    "params": {"name": name, "arguments": {name: value}},
                }
            ),
        ),
    ]
    written = [*_lines(stream)[before:]]
    assert [line["message"] for line in written].count("request_served") == len(answers)
    assert not [line for line in written if line["level"] in {"ERROR", "CRITICAL"}]
    for answer in answers:
        assert answer.status_code < 500
        assert "x-evil" not in answer.headers
        assert all("\n" not in text and "\r" not in text for text in answer.headers.values())
