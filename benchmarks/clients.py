"""
Clients of a service that must not fail: requests at a rate, and open streams of MCP.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx2
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost

from benchmarks.balanced import Balancer
from benchmarks.servers import ADMIN_KEY


PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.1
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "rolling", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL: dict[str, object] = {"name": "commit-message", "arguments": {"diff": "-a\n+b"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One request, and what came of it.

    Attributes:
        sent: When, by the monotonic clock.
        ended: When its answer was there, or it was known that none comes.
        failure: What went wrong; empty if nothing did.
    """

    kind: str
    sent: float
    ended: float
    failure: str


@dataclass(slots=True)
class Streams:
    """
    What became of the open streams.

    Attributes:
        opened: How often one was opened.
        ended: How often one came to its end with its last frame.
        lost: When one was cut off.
        refused: How often one could not be opened.
        gaps: How long each was without a stream, in seconds.
    """

    open: int = 0
    opened: int = 0
    ended: int = 0
    lost: list[float] = field(default_factory=list[float])
    refused: list[str] = field(default_factory=list[str])
    gaps: list[float] = field(default_factory=list[float])


@dataclass(slots=True)
class Traffic:
    """
    All that was asked, and what became of it.
    """

    requests: list[Request] = field(default_factory=list[Request])
    streams: Streams = field(default_factory=Streams)

    @property
    def failed(self) -> list[Request]:
        """
        The requests that went wrong.
        """
        return [each for each in self.requests if each.failure]


@asynccontextmanager
async def traffic(balancer: Balancer, *, rate: float, streams: int) -> AsyncGenerator[Traffic]:
    """
    Ask so often a second and hold so many streams until the end of the block.
    """
    seen, over = Traffic(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        listening = [group.create_task(_listen(balancer, seen.streams)) for _ in range(streams)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            while seen.streams.open < streams:  # noqa: ASYNC110 - the library has no event
                await asyncio.sleep(PAUSE_SECONDS)
        asking = group.create_task(_ask(Connections(balancer), seen.requests, rate, over))
        try:
            yield seen
        finally:
            over.set()
            await asking
            for task in listening:
                task.cancel()


class Connections:
    """
    Connections that are kept, as clients keep them; one that was closed is not used again.
    """

    def __init__(self, balancer: Balancer) -> None:
        self._balancer = balancer
        self._idle: list[_Streams] = []

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """
        Send a request; return status and body of the answer.

        Raises:
            OSError: There is no connection, or it broke.
            EOFError: It was closed before the answer was whole.
        """
        reader, writer = await self._take()
        writer.write(request)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            body = await _body(reader, head.lower())
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return int(head.split(b" ", 2)[1]), body

    async def _take(self) -> "_Streams":
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        host, port = self._balancer.address
        return await asyncio.open_connection(host, port, ssl=self._balancer.trust)

    def close(self) -> None:
        """
        Close those that are idle.
        """
        for _, writer in self._idle:
            writer.close()


type _Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if found := re.search(rb"content-length: (\d+)", head):
        return await reader.readexactly(int(found[1]))
    body = b""
    while length := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(length + 2))[:-2]
    await reader.readexactly(2)
    return body


async def _ask(
    connections: Connections, requests: list[Request], rate: float, over: asyncio.Event
) -> None:
    due, number = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while not over.is_set():
            kind, sent = _KINDS[number % len(_KINDS)]
            group.create_task(_ask_once(connections, requests, kind, sent))
            number, due = number + 1, due + 1 / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
    connections.close()


async def _ask_once(
    connections: Connections, requests: list[Request], kind: str, request: bytes
) -> None:
    sent = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            status, body = await connections.ask(request)
    except (OSError, EOFError) as error:  # a TimeoutError is one
        failure = repr(error)
    else:
        is_well = status == HTTPStatus.OK and b"commit" in body
        failure = "" if is_well else f"{status} {body[:300]!r}"
    requests.append(Request(kind=kind, sent=sent, ended=time.monotonic(), failure=failure))


def _mcp(method: str, parameters: dict[str, object]) -> bytes:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters | {"_meta": META}}
    fields = [
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28",
        f"Mcp-Method: {method}",
        *([f"Mcp-Name: {parameters['name']}"] if "name" in parameters else []),
    ]
    return _http("POST", "/mcp", fields, message)


def _http(method: str, path: str, fields: Sequence[str] = (), body: object = None) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {ADMIN_KEY}"]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, *fields, "", ""]).encode() + content


_GET = ("prompts/get", _mcp("prompts/get", CALL))
_KINDS: Sequence[tuple[str, bytes]] = (
    _GET,
    ("prompts/list", _mcp("prompts/list", {})),
    _GET,
    (
        "execute",
        _http("POST", "/prompts/commit-message/execute", body={"arguments": CALL["arguments"]}),
    ),
    ("read", _http("GET", "/prompts/commit-message")),
)


async def _listen(balancer: Balancer, seen: Streams) -> None:
    """
    Hold a stream as the official SDK does; when it ends, open the next.
    """
    async with (
        httpx2.AsyncClient(
            headers=HEADERS, verify=balancer.trust, timeout=PATIENCE_SECONDS
        ) as http,
        Client(streamable_http_client(f"{balancer.url}/mcp", http_client=http)) as client,
    ):
        left: float | None = None
        while True:
            try:
                left = await _hold(client, seen, left)
            except MCPError as error:
                seen.refused.append(str(error))
            await asyncio.sleep(PAUSE_SECONDS)


async def _hold(client: Client, seen: Streams, left: float | None) -> float:
    async with client.listen(prompts_list_changed=True) as stream:
        seen.opened += 1
        seen.open += 1
        if left is not None:
            seen.gaps.append(time.monotonic() - left)
        try:
            async for _ in stream:
                pass
            seen.ended += 1
        except SubscriptionLost:
            seen.lost.append(time.monotonic())
        finally:
            seen.open -= 1
        return time.monotonic()
