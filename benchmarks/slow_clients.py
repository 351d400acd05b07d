"""
Whether clients that take their time hurt those that do not.

    python -m benchmarks.slow_clients [CONNECTIONS [ROUNDS [SECONDS]]]

Good clients ask at a steady pace, a while in peace and a while under attack, in turns. Attackers
hold so many connections and come again when they are cut off. Prints how long each kind lasted and
what the good clients felt; fails if a connection lasted longer than ten seconds.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop

from benchmarks.auth import CURRENT
from benchmarks.servers import ADMIN_KEY, CLIENT_PROCESSOR, Measured, ctxfy_server
from ctxfy.adapters.api_docs.page_assets import asset_name


GOOD_CLIENTS = 20
PACE_SECONDS = 0.1
MOST_SECONDS = 10.0
PAUSE_SECONDS = 2.0
DRIP_SECONDS = 0.5
PATIENCE_SECONDS = 30.0

_HEAD = f"Host: localhost\r\nX-API-Key: {ADMIN_KEY}\r\n"
_GET = f"GET /openapi.json HTTP/1.1\r\n{_HEAD}"
_ASSET = f"GET /docs/assets/{asset_name('swagger-ui-bundle.js')} HTTP/1.1\r\n{_HEAD}\r\n"
_POST = (
    f"POST /mcp HTTP/1.1\r\n{_HEAD}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """
    What an attacker sends at once, and what drips after it twice a second.
    """

    sent: str
    drip: str = ""
    reads: bool = True


KINDS: Mapping[str, Kind] = {
    "no byte": Kind(sent=""),
    "a head that drips": Kind(sent=_GET, drip="a: b\r\n"),
    "half a body": Kind(sent=_POST),
    "a body that drips": Kind(sent=_POST, drip=" "),
    "an answer not read": Kind(sent=_ASSET * 10, drip="\r\n", reads=False),
    "a header of 2 MB": Kind(sent=f"{_GET}a: {'x' * 2_000_000}"),
    "1,000 headers": Kind(sent=f"{_GET}{'a: b\r\n' * 1000}\r\n", drip="\r\n"),
}


@dataclass(slots=True)
class Fate:
    """
    What became of the connections of one kind.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)


async def attack(port: int, connections: int) -> None:
    """
    Hold so many connections until the standard input ends; write what became of them.
    """
    fates = {name: Fate() for name in KINDS}
    names = list(KINDS)
    loop = asyncio.get_running_loop()
    over = loop.run_in_executor(None, sys.stdin.read)
    attackers = [
        asyncio.create_task(_come_again(port, KINDS[name], fates[name]))
        for name in (names * connections)[:connections]
    ]
    print("begun", flush=True)
    await over
    for attacker in attackers:
        attacker.cancel()
    rows = {name: [fate.seconds, dict(fate.statuses)] for name, fate in fates.items()}
    print(json.dumps(rows))


async def _come_again(port: int, kind: Kind, fate: Fate) -> None:
    while True:
        began = time.monotonic()
        status = await _hold(port, kind)
        fate.seconds.append(time.monotonic() - began)
        fate.statuses[status] += 1
        await asyncio.sleep(PAUSE_SECONDS)


async def _hold(port: int, kind: Kind) -> str:
    loop = asyncio.get_running_loop()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)  # noqa: FBT003 - the standard library's signature
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await loop.sock_connect(client, ("127.0.0.1", port))
                return await _act(client, kind)
        except TimeoutError:
            return "still open"


async def _act(client: socket.socket, kind: Kind) -> str:
    loop, said = asyncio.get_running_loop(), b""
    with suppress(ConnectionError):
        await loop.sock_sendall(client, kind.sent.encode())
    dripping = asyncio.create_task(_drip(client, kind.drip))
    try:
        with suppress(ConnectionError):
            if not kind.reads:
                await dripping
            while kind.reads and (part := await loop.sock_recv(client, 65536)):
                said += part
    finally:
        dripping.cancel()
    return said[9:12].decode() or "cut"


async def _drip(client: socket.socket, drip: str) -> None:
    with suppress(ConnectionError):
        while drip:
            await asyncio.sleep(DRIP_SECONDS)
            await asyncio.get_running_loop().sock_sendall(client, drip.encode())


async def good_clients(server: Measured, seconds: float) -> list[float]:
    """
    Ask at a steady pace; returns the times of the answers, milliseconds.

    Raises:
        RuntimeError: One of them was not 200.
    """
    until = time.monotonic() + seconds
    delays = (PACE_SECONDS * number / GOOD_CLIENTS for number in range(GOOD_CLIENTS))
    found = await asyncio.gather(*(_ask_on(server, delay, until) for delay in delays))
    return [each for times in found for each in times]


async def _ask_on(server: Measured, delay: float, until: float) -> list[float]:
    request = f"GET {CURRENT} HTTP/1.1\r\n{_HEAD}\r\n".encode()
    times: list[float] = []
    await asyncio.sleep(delay)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    with closing(writer):
        while time.monotonic() < until:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, rest = head.lower().partition(b"content-length: ")
            await reader.readexactly(int(rest.partition(b"\r\n")[0]))
            took = time.perf_counter() - began
            if not head.startswith(b"HTTP/1.1 200 "):
                raise RuntimeError(f"a good client got {head!r}")
            times.append(took * 1000)
            await asyncio.sleep(max(PACE_SECONDS - took, 0))
    return times


@contextmanager
def attackers(server: Measured, connections: int, fates: Mapping[str, Fate]) -> Generator[None]:
    """
    Attack from a process of its own, which shares the good clients' processor and gives way there.
    """
    command = [sys.executable, "-m", "benchmarks.slow_clients", "attack", str(server.port)]
    with subprocess.Popen(
        ["nice", *command, str(connections)],  # noqa: S607 - wherever it is
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checkers
        process.stdout.readline()
        time.sleep(PAUSE_SECONDS)
        yield
        said, _ = process.communicate()
    for name, (seconds, statuses) in json.loads(said).items():
        fates[name].seconds += seconds
        fates[name].statuses.update(statuses)


@contextmanager
def processor_of(server: Measured, shares: list[float]) -> Generator[None]:
    """
    Note which share of a processor the server takes meanwhile.
    """
    process, began = psutil.Process(server.pid), time.monotonic()
    before = process.cpu_times()
    yield
    after, took = process.cpu_times(), time.monotonic() - began
    shares.append((after.user + after.system - before.user - before.system) / took)


def p95(times: Sequence[float]) -> float:
    """
    Say what nineteen of twenty stay below.
    """
    return statistics.quantiles(times, n=20)[-1]


def main() -> None:
    """
    Do what the command line says.
    """
    if sys.argv[1:2] == ["attack"]:
        uvloop.run(attack(int(sys.argv[2]), int(sys.argv[3])))
        return
    given = [int(each) for each in sys.argv[1:4]]
    connections, rounds, seconds = (*given, *(500, 5, 15)[len(given) :])
    os.sched_setaffinity(0, {CLIENT_PROCESSOR})
    fates = {name: Fate() for name in KINDS}
    with (
        tempfile.TemporaryDirectory() as folder,
        ctxfy_server("ctxfy", Path(folder), CURRENT, {}) as server,
    ):
        uvloop.run(good_clients(server, PAUSE_SECONDS))
        calm: list[float] = []
        hard: list[float] = []
        peace: list[float] = []
        war: list[float] = []
        for _ in range(rounds):
            with processor_of(server, peace):
                calm.append(p95(uvloop.run(good_clients(server, seconds))))
            with attackers(server, connections, fates), processor_of(server, war):
                hard.append(p95(uvloop.run(good_clients(server, seconds))))
    print(f"{connections} connections, {rounds} rounds of {seconds} s\n")
    print("| kind | connections ended | longest | answers |\n|---|---|---|---|")
    for name, fate in fates.items():
        answers = ", ".join(f"{status}: {count}" for status, count in fate.statuses.items())
        longest = max(fate.seconds, default=0.0)
        print(f"| {name} | {len(fate.seconds)} | {longest:.1f} s | {answers} |")
    ratio = statistics.median(each / one for each, one in zip(hard, calm, strict=True))
    print(
        f"\np95 of good clients: {statistics.median(calm):.1f} ms in peace,"
        f" {statistics.median(hard):.1f} ms under attack; the median of the rounds' ratios is"
        f" {ratio:.2f}. The server took {statistics.median(peace):.2f} and"
        f" {statistics.median(war):.2f} of a processor; {os.getloadavg()[0]:.1f} processes had"
        " something to do"
    )
    lasting = [name for name, fate in fates.items() if max(fate.seconds, default=0) > MOST_SECONDS]
    if lasting:
        sys.exit(f"longer than {MOST_SECONDS:.0f} s: {', '.join(lasting)}")


if __name__ == "__main__":
    main()
