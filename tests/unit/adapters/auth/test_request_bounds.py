"""
The check of heads as a middleware: what it refuses reaches nobody behind it.
"""

import json
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from ctxfy.adapters.auth.request_bounds import RequestHeadCheck
from ctxfy.app.http_errors import error_response
from ctxfy.core.models.request_models import RequestBounds


async def _ask(**given: Any) -> tuple[list[Message], list[Scope]]:  # noqa: ANN401 - parts of a scope
    """
    Send one request; returns what came back, and what reached the application behind.
    """
    sent: list[Message] = []
    reached: list[Scope] = []

    async def behind(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    check = RequestHeadCheck(behind, bounds=RequestBounds(), on_error=error_response)
    await check(
        {"type": "http", "path": "/mcp", "query_string": b"", "headers": []} | given, receive, send
    )
    return sent, reached


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"headers": [(b"a", b"b")] * 101}, 431, "request.headers_too_large"),
        ({"headers": [(b"a", b"b" * 20_000)]}, 431, "request.headers_too_large"),
        ({"headers": [(b"a", b"\x01")]}, 400, "request.malformed"),
        ({"raw_path": b"/" + b"a" * 9000}, 414, "request.address_too_long"),
        ({"raw_path": b"/mcp", "query_string": b"a" * 9000}, 414, "request.address_too_long"),
        ({"path": "/docs/../mcp", "raw_path": b"/docs/%2e%2e/mcp"}, 400, "request.malformed"),
        ({"path": "/mcp\x00"}, 400, "request.malformed"),
    ],
)
async def test_a_bad_head_is_answered_here(given: dict[str, Any], status: int, code: str) -> None:
    """
    With its status, as a problem or as an error of JSON-RPC, and nobody else hears of it.
    """
    sent, reached = await _ask(**given)
    body = json.loads(sent[1]["body"])
    assert (sent[0]["status"], reached) == (status, [])
    assert (body if "code" in body else body["error"]["data"])["code"] == code


async def test_a_good_head_passes_as_it_is() -> None:
    """
    With or without the path as it came, which ASGI leaves open.
    """
    for given in (
        {"raw_path": b"/prompts/caf%C3%A9", "path": "/prompts/café"},
        {"path": "/prompts/café b"},
        {"type": "lifespan", "path": "\x00"},
    ):
        sent, reached = await _ask(**given)
        assert sent == []
        assert reached[0]["path"] == given["path"]
