"""
A client that sends one request over many connections, as fast as it is answered.

    echo '{"port": 8000, "path": "/", "connections": 32, "seconds": 4}' | python -m benchmarks.load

An order may have `headers`, a list of lines, a `body`, which is sent by POST, a `rate`: so many
requests a second are due then, and times count from when each was due, and what is `expected` in
each answer. Writes one line of JSON: rates, times, how often each status came, how many different
answers, whether all were right, and the beginning of one. It runs in a process of its own, so that
it takes no time from the server.
"""

import asyncio
import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, cast, override

import httptools
import uvloop


PATIENCE_SECONDS = 30
SAMPLE_BYTES = 4096
MOST_ANSWERS = 20  # different ones of a connection that are told apart


class Visitor(asyncio.Protocol):
    """
    One connection: asks, waits for the whole answer, and asks again, at once or when it is due.
    """

    def __init__(self, request: bytes, *, until: float, first: float, interval: float) -> None:
        self.latencies = array("d")
        self.statuses = Counter[int]()
        self.bodies = set[bytes]()
        self.ended = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._due = first
        self._interval = interval
        self._parser = httptools.HttpResponseParser(self)
        self._pieces = list[bytes]()
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self._ask_when_due(time.perf_counter())

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, piece: bytes) -> None:
        """
        Keep a piece of an answer; called by the parser.
        """
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """
        Note what came; called by the parser.
        """
        now = time.perf_counter()
        self.latencies.append(now - self._due)
        self.statuses[self._parser.get_status_code()] += 1
        if len(self.bodies) < MOST_ANSWERS:
            self.bodies.add(b"".join(self._pieces))
        self._pieces.clear()
        self._parser = httptools.HttpResponseParser(self)
        self._due = self._due + self._interval if self._interval else now
        if max(now, self._due) < self._until:
            self._ask_when_due(now)
        else:
            self._transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if time.perf_counter() < self._until:
            self.statuses[0] += 1  # cut off in the middle
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask_when_due(self, now: float) -> None:
        if self._due > now:
            asyncio.get_running_loop().call_later(
                self._due - now, self._transport.write, self._request
            )
        else:
            self._due = self._due if self._interval else now
            self._transport.write(self._request)


async def ask(
    *,
    port: int,
    path: str,
    connections: int,
    seconds: float,
    headers: Sequence[str] = (),
    body: str | None = None,
    rate: float | None = None,
    expected: str = "",
) -> dict[str, object]:
    """
    Ask for so many seconds; return what came of it.
    """
    request = _request(port, path, headers, body)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    interval = connections / rate if rate else 0.0
    visitors = [
        Visitor(
            request,
            until=began + seconds,
            first=began + interval * number / connections,
            interval=interval,
        )
        for number in range(connections)
    ]
    for visitor in visitors:
        await loop.create_connection(partial(_same, visitor), "127.0.0.1", port)
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(visitor.ended for visitor in visitors))
    took = time.perf_counter() - began
    latencies = sorted(each for visitor in visitors for each in visitor.latencies)
    statuses = sum((visitor.statuses for visitor in visitors), Counter[int]())
    bodies = set[bytes]().union(*(visitor.bodies for visitor in visitors))
    return {
        "per_second": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p95_ms": latencies[len(latencies) * 95 // 100] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "statuses": dict(statuses),
        "answers": len(bodies),
        "right": all(expected.encode() in body for body in bodies),
        "answer": min(bodies)[:SAMPLE_BYTES].decode(errors="replace"),
    }


def _request(port: int, path: str, headers: Sequence[str], body: str | None) -> bytes:
    content = (body or "").encode()
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += headers
    if content:
        lines.append(f"Content-Length: {len(content)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


def _same(visitor: Visitor) -> Visitor:
    return visitor


def main() -> None:
    """
    Do what the order on the standard input says.
    """
    order: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(uvloop.run(ask(**order))))


if __name__ == "__main__":
    main()
