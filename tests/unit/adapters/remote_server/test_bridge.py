"""
What HTTP wants beside a message.
"""

import mcp_types as mt
import pytest
from mcp.shared.message import ClientMessageMetadata

from ctxfy.adapters.remote_server.bridge import Conversation


META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


def request(method: str, number: int = 1, **params: object) -> mt.JSONRPCRequest:
    """
    Make a request.
    """
    return mt.JSONRPCRequest(jsonrpc="2.0", id=number, method=method, params=params)


def headers_of(talk: Conversation, message: mt.JSONRPCMessage) -> dict[str, str] | None:
    """
    Send a message, and say what headers it got.
    """
    sent = talk.outgoing(message)
    assert sent.message is message
    if sent.metadata is None:
        return None
    assert isinstance(sent.metadata, ClientMessageMetadata)
    return sent.metadata.headers


@pytest.mark.parametrize(
    ("name", "written"), [("hello", "hello"), ("grüße", "=?base64?Z3LDvMOfZQ==?=")]
)
async def test_the_newest_revision_repeats_method_and_name(name: str, written: str) -> None:
    """
    In the form that survives HTTP.
    """
    message = request("prompts/get", name=name, _meta=META)
    assert headers_of(Conversation(), message) == {
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "prompts/get",
        "mcp-name": written,
    }


async def test_an_older_revision_repeats_what_was_agreed_on() -> None:
    """
    Nothing before the handshake is answered, and nothing again with another handshake.
    """
    talk = Conversation()
    assert headers_of(talk, request("initialize", 7, protocolVersion="2025-11-25")) is None
    result = {"protocolVersion": "2025-06-18"}
    talk.incoming(mt.JSONRPCResponse(jsonrpc="2.0", id=7, result=result))
    assert headers_of(talk, request("prompts/list")) == {"mcp-protocol-version": "2025-06-18"}
    told = mt.JSONRPCNotification(jsonrpc="2.0", method="notifications/initialized")
    assert headers_of(talk, told) == {"mcp-protocol-version": "2025-06-18"}
    assert headers_of(talk, request("initialize", 8)) is None
    assert headers_of(talk, request("prompts/list", 9)) is None


async def test_what_is_unanswered_is_known() -> None:
    """
    The end waits for answers, good and bad, and for nothing else.
    """
    talk = Conversation()
    await talk.until_answered()
    talk.outgoing(request("prompts/list", 1))
    talk.outgoing(request("prompts/list", 2))
    talk.incoming(mt.JSONRPCResponse(jsonrpc="2.0", id=1, result={}))
    assert talk.unanswered == {2}
    error = mt.ErrorData(code=-32602, message="no")
    talk.incoming(mt.JSONRPCError(jsonrpc="2.0", id=2, error=error))
    await talk.until_answered()
    assert talk.unanswered == frozenset()
