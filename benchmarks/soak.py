"""
Whether a server stays as it was: many connections at a steady rate, for as long as is asked.

    python -m benchmarks.soak [MINUTES [CONNECTIONS [A_MINUTE]]]

Each connection asks for prompts at its own pace; all together so many a minute, or as fast as it
goes for 0. Prints each minute what was answered, how quickly, and what the server took; then the
growth of its memory after the first minute.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop

from benchmarks.servers import ADMIN_KEY, CLIENT_PROCESSOR, Measured, ctxfy_server


MINUTE = 60.0
PROMPT = "/prompts/commit-message/execute"
MEGABYTE = 1e6


@dataclass(slots=True)
class Minute:
    """
    What happened in one minute.
    """

    times: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


class Crowd:
    """
    Clients with a connection each.

    Args:
        server: Whom they ask.
        pace: Seconds between the questions of one client; 0 leaves none.
    """

    def __init__(self, server: Measured, connections: int, pace: float) -> None:
        self.minute = Minute()
        self._server = server
        self._connections = connections
        self._pace = pace
        body = json.dumps({"arguments": {"diff": "-a\n+b"}})
        head = (
            f"POST {PROMPT} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {ADMIN_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = (head + body).encode()

    async def live(self) -> None:
        """
        Ask until this is cancelled.
        """
        async with asyncio.TaskGroup() as group:
            for number in range(self._connections):
                share = number / self._connections
                group.create_task(self._ask_on(share * max(self._pace, 1.0)))

    async def _ask_on(self, delay: float) -> None:
        await asyncio.sleep(delay)
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
                while True:
                    writer.write(self._request)
                    began = time.perf_counter()
                    status = await _answer(reader)
                    took = time.perf_counter() - began
                    self._note(status, took)
                    await asyncio.sleep(max(self._pace - took, 0))
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                self.minute.failures[type(error).__name__] += 1

    def _note(self, status: str, took: float) -> None:
        if status == "200":
            self.minute.times.append(took * 1000)
        else:
            self.minute.failures[status] += 1


async def _answer(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    _, _, rest = head.lower().partition(b"content-length: ")
    await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return head[9:12].decode()


async def soak(server: Measured, crowd: Crowd, minutes: int) -> Sequence[float]:
    """
    Print a row for each minute; returns the memory at the end of each, megabytes.
    """
    process, sizes = psutil.Process(server.pid), list[float]()
    living = asyncio.create_task(crowd.live())
    for number in range(1, minutes + 1):
        crowd.minute, before = Minute(), process.cpu_times()
        await asyncio.sleep(MINUTE)
        after, seen = process.cpu_times(), crowd.minute
        share = (after.user + after.system - before.user - before.system) / MINUTE
        sizes.append(process.memory_info().rss / MEGABYTE)
        p95 = statistics.quantiles(seen.times, n=20)[-1]
        print(
            f"| {number} | {len(seen.times):,} | {dict(seen.failures) or 'none'} |"
            f" {statistics.fmean(seen.times):.1f} | {p95:.1f} | {share:.0%} | {sizes[-1]:.0f} |"
            f" {os.getloadavg()[0]:.1f} |",
            flush=True,
        )
    living.cancel()
    return sizes


def main() -> None:
    """
    Do what the command line says.
    """
    given = [int(each) for each in sys.argv[1:4]]
    minutes, connections, rate = (*given, *(5, 1000, 10_000)[len(given) :])
    os.sched_setaffinity(0, {CLIENT_PROCESSOR})
    pace = connections * MINUTE / rate if rate else 0.0
    # As a proxy in front is told: connections are kept for longer than clients pause.
    settings = {"CTXFY_SERVER__KEEP_ALIVE_SECONDS": str(pace + 60)}
    with (
        tempfile.TemporaryDirectory() as folder,
        ctxfy_server("ctxfy", Path(folder), PROMPT, settings) as server,
    ):
        print(f"{connections} connections, {rate or 'as many as it takes'} a minute\n")
        print("| minute | answers | failures | average ms | p95 ms | processor | MB | to do |")
        print("|---|---|---|---|---|---|---|---|")
        sizes = uvloop.run(soak(server, Crowd(server, connections, pace), minutes))
    if len(sizes) > 1:
        growth = (sizes[-1] - sizes[0]) / (len(sizes) - 1)
        print(f"\nAfter the first minute the memory grew by {growth:.2f} MB a minute.")


if __name__ == "__main__":
    main()
