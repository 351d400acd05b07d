"""
A client that asks for one address over many connections, as fast as it is answered.

    python -m benchmarks.load PORT PATH CONNECTIONS SECONDS [HEADER...]

Writes one line of JSON. It runs in a process of its own, so that it takes no time from the server.
"""

import asyncio
import json
import sys
import time
from array import array
from collections import Counter
from functools import partial
from typing import cast, override

import httptools
import uvloop


PATIENCE_SECONDS = 30


class Visitor(asyncio.Protocol):
    """
    One connection: asks, waits for the whole answer, and asks again.
    """

    def __init__(self, request: bytes, until: float) -> None:
        self.latencies = array("d")
        self.statuses = Counter[int]()
        self.ended = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._parser = httptools.HttpResponseParser(self)
        self._asked = 0.0
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass
        self._ask()

    @override
    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """
        Note what came; called by the parser.
        """
        now = time.perf_counter()
        self.latencies.append(now - self._asked)
        self.statuses[self._parser.get_status_code()] += 1
        self._parser = httptools.HttpResponseParser(self)
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if time.perf_counter() < self._until:
            self.statuses[0] += 1  # cut off in the middle
        if not self.ended.done():
            self.ended.set_result(None)

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._request)


async def ask(
    port: int, path: str, connections: int, seconds: float, headers: list[str]
) -> dict[str, object]:
    """
    Ask for so many seconds; return what came of it.
    """
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *headers]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    visitors = [Visitor(request, began + seconds) for _ in range(connections)]
    for visitor in visitors:
        await loop.create_connection(partial(_same, visitor), "127.0.0.1", port)
    async with asyncio.timeout(seconds + PATIENCE_SECONDS):
        await asyncio.gather(*(visitor.ended for visitor in visitors))
    took = time.perf_counter() - began
    latencies = sorted(each for visitor in visitors for each in visitor.latencies)
    statuses = sum((visitor.statuses for visitor in visitors), Counter[int]())
    return {
        "per_second": len(latencies) / took,
        "p50_ms": latencies[len(latencies) // 2] * 1000,
        "p95_ms": latencies[len(latencies) * 95 // 100] * 1000,
        "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
        "statuses": dict(statuses),
    }


def _same(visitor: Visitor) -> Visitor:
    return visitor


def main() -> None:
    """
    Do what the command line says.
    """
    port, path, connections, seconds, *headers = sys.argv[1:]
    found = uvloop.run(ask(int(port), path, int(connections), float(seconds), headers))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
