"""
Standard input and output carried to a server over HTTP, message by message.

Nothing is answered here and nothing is kept: what the server says is what the client hears, with
its codes and data, on whichever revision the two agree on. Only what HTTP wants beside a message
is added: the key, and the headers that repeat parts of the body.
"""

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Any

import anyio
import mcp_types as mt
from mcp.client.streamable_http import streamable_http_client
from mcp.server.stdio import stdio_server
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    MCP_PROTOCOL_VERSION_HEADER,
    NAME_BEARING_METHODS,
    encode_header_value,
)
from mcp.shared.message import ClientMessageMetadata, SessionMessage

from ctxfy.adapters.remote_server.http_client import RemoteServer


LAST_ANSWERS_SECONDS = 5
"""
How long answers are waited for after the client closed its end.
"""


async def bridge(url: str, api_key: str, complain: Callable[[str], None]) -> None:
    """
    Carry messages until standard input ends.

    Args:
        url: Where the server speaks MCP.
        api_key: Sent with every message, and never shown.
        complain: Told in sentences what a person should know.
    """
    talk = Conversation()
    async with (
        RemoteServer(url, api_key, complain) as http,
        stdio_server() as (from_client, to_client),
        to_client,  # closed at the end, or the writer behind it would wait for ever
        streamable_http_client(url, http_client=http) as (from_server, to_server),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(_carry_back, from_server, to_client.send, talk)
        async for item in from_client:
            if isinstance(item, Exception):
                complain("The client sent a line that is no JSON-RPC message; it is dropped.")
                continue
            await to_server.send(talk.outgoing(item.message))
        with anyio.move_on_after(LAST_ANSWERS_SECONDS):
            await talk.until_answered()
        tasks.cancel_scope.cancel()


async def _carry_back(
    from_server: AsyncIterable[SessionMessage | Exception],
    send: Callable[[SessionMessage], Awaitable[None]],
    talk: "Conversation",
) -> None:
    async for item in from_server:
        if isinstance(item, SessionMessage):
            await send(SessionMessage(item.message))
            talk.incoming(item.message)


class Conversation:
    """
    What has to be remembered: the revision agreed on in a handshake, and what is unanswered.
    """

    def __init__(self) -> None:
        self._agreed: str | None = None
        self._handshake: mt.RequestId | None = None
        self._open: set[mt.RequestId] = set()
        self._answered = anyio.Event()

    def outgoing(self, message: mt.JSONRPCMessage) -> SessionMessage:
        """
        Put the headers of HTTP to a message of the client.
        """
        if isinstance(message, mt.JSONRPCRequest):
            if not self._open:
                self._answered = anyio.Event()
            self._open.add(message.id)
            if message.method == "initialize":
                self._agreed, self._handshake = None, message.id
        headers = self._headers(message)
        return SessionMessage(message, ClientMessageMetadata(headers=headers) if headers else None)

    def incoming(self, message: mt.JSONRPCMessage) -> None:
        """
        Learn from a message of the server.
        """
        if isinstance(message, mt.JSONRPCResponse) and message.id == self._handshake:
            version = message.result.get("protocolVersion")
            self._agreed = version if isinstance(version, str) else None
        if isinstance(message, mt.JSONRPCResponse | mt.JSONRPCError) and message.id is not None:
            self._open.discard(message.id)
            if not self._open:
                self._answered.set()

    @property
    def unanswered(self) -> frozenset[mt.RequestId]:
        """
        The requests that wait for their answers.
        """
        return frozenset(self._open)

    async def until_answered(self) -> None:
        """
        Wait until every request has its answer.
        """
        if self._open:
            await self._answered.wait()

    def _headers(self, message: mt.JSONRPCMessage) -> dict[str, str]:
        if isinstance(message, mt.JSONRPCRequest | mt.JSONRPCNotification):
            params: dict[str, Any] = message.params or {}
            version = (params.get("_meta") or {}).get(mt.PROTOCOL_VERSION_META_KEY)
            if isinstance(version, str):
                return _modern_headers(version, message.method, params)
        return {MCP_PROTOCOL_VERSION_HEADER: self._agreed} if self._agreed else {}


def _modern_headers(version: str, method: str, params: dict[str, Any]) -> dict[str, str]:
    """
    Repeat what protocol 2026-07-28 wants in headers too.
    """
    headers = {MCP_PROTOCOL_VERSION_HEADER: version, MCP_METHOD_HEADER: method}
    name = params.get(NAME_BEARING_METHODS.get(method, ""))
    return headers | ({MCP_NAME_HEADER: encode_header_value(name)} if isinstance(name, str) else {})
