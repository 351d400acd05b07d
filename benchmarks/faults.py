"""
What /health says, and what happens to requests, while a dependency is frozen or gone.

    python -m benchmarks.faults [SECONDS]

PostgreSQL, Valkey and a collector of traces are each stopped (SIGSTOP) and killed under traffic,
and brought back after so many seconds. Nothing here is a test: it prints a table.
"""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx2

from benchmarks.servers import ADMIN_KEY, ctxfy_server
from tests import otlp_receiver
from tests.integration.valkey_kit import ValkeyProcess, free_port, valkey_process
from tests.postgres_kit import TestServer


PATIENCE_SECONDS = 60
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    What befalls a part, and how it is undone.
    """

    check: str
    kind: str
    strike: Callable[[], object]
    mend: Callable[[], object]


@dataclass(slots=True)
class Seen:
    """
    What was seen while the fault lasted.
    """

    statuses: Counter[int] = field(default_factory=Counter[int])
    health_ms: list[float] = field(default_factory=list[float])


class CollectorProcess:
    """
    A collector of traces in a process of its own, on one port however often it is started.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """
        Start it.
        """
        command = [sys.executable, otlp_receiver.__file__, str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        if self._process.stdout is not None:
            self._process.stdout.readline()  # its port: it listens

    def signal(self, number: signal.Signals) -> None:
        """
        Send a signal to it.
        """
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        """
        Kill it, and wait until it is gone.
        """
        self._process.kill()
        self._process.wait()


@contextmanager
def collector_process() -> Generator[CollectorProcess]:
    """
    Run a collector.
    """
    process = CollectorProcess()
    try:
        yield process
    finally:
        process.kill()


def faults(postgres: TestServer, valkey: ValkeyProcess, collector: CollectorProcess) -> list[Fault]:
    """
    List all that is to happen.
    """
    frozen = [
        Fault(
            check=check,
            kind="frozen",
            strike=partial(part.signal, signal.SIGSTOP),
            mend=partial(part.signal, signal.SIGCONT),
        )
        for check, part in (("storage", postgres), ("limits", valkey), ("traces", collector))
    ]
    return [
        *frozen,
        Fault(
            check="storage",
            kind="killed",
            strike=lambda: postgres.signal(signal.SIGKILL),
            mend=postgres.start_again,
        ),
        Fault(check="limits", kind="killed", strike=valkey.kill, mend=valkey.start),
        Fault(check="traces", kind="killed", strike=collector.kill, mend=collector.start),
    ]


async def try_fault(http: httpx2.AsyncClient, fault: Fault, seconds: float) -> str:
    """
    Let it happen, and return a row of the table.
    """
    await _until(http, fault.check, lambda status: status == "pass")
    seen, over = Seen(), asyncio.Event()
    traffic = [asyncio.create_task(_execute(http, seen, over)) for _ in range(4)]
    watching = asyncio.create_task(_watch(http, seen, over))
    await asyncio.to_thread(fault.strike)
    began = time.monotonic()
    told = await _until(http, fault.check, lambda status: status != "pass") - began
    await asyncio.sleep(max(seconds - told, 0))
    await asyncio.to_thread(fault.mend)
    mended = time.monotonic()
    back = await _until(http, fault.check, lambda status: status == "pass") - mended
    over.set()
    await asyncio.gather(*traffic, watching)
    health = sorted(seen.health_ms)
    p95 = health[len(health) * 95 // 100]
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(seen.statuses.items()))
    times = f"{told:>6.1f} s {p95:>12.1f} ms {back:>8.1f} s"
    return f"{fault.check:<8} {fault.kind:<7} {times}   {answers}"


async def _execute(http: httpx2.AsyncClient, seen: Seen, over: asyncio.Event) -> None:
    body = {"arguments": {"diff": "-a\n+b"}}
    while not over.is_set():
        answer = await http.post("/prompts/commit-message/execute", json=body)
        seen.statuses[answer.status_code] += 1
        await asyncio.sleep(PAUSE_SECONDS)


async def _watch(http: httpx2.AsyncClient, seen: Seen, over: asyncio.Event) -> None:
    while not over.is_set():
        began = time.perf_counter()
        await http.get("/health/ready")
        seen.health_ms.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)


async def _until(http: httpx2.AsyncClient, check: str, holds: Callable[[str], bool]) -> float:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            report = (await http.get("/health")).json()
            if holds(report["checks"][check][0]["status"]):
                return time.monotonic()
            await asyncio.sleep(PAUSE_SECONDS)


async def _try_all(seconds: float) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(TestServer())
        valkey = stack.enter_context(valkey_process())
        collector = stack.enter_context(collector_process())
        settings = {
            "CTXFY_STORAGE__URL": postgres.url(await postgres.create()),
            "CTXFY_AUTH__KEY_FILE": str(folder / "keys"),
            "CTXFY_LIMITS__URL": valkey.url,
            "CTXFY_MONITORING__TRACES_URL": f"http://127.0.0.1:{collector.port}",
        }
        server = stack.enter_context(ctxfy_server("ctxfy", folder, "/health", settings))
        base = f"http://127.0.0.1:{server.port}"
        print("part     fault    told in   /health p95  back in   answers to prompts")
        async with httpx2.AsyncClient(base_url=base, headers=HEADERS, timeout=30) as http:
            for fault in faults(postgres, valkey, collector):
                print(await try_fault(http, fault, seconds), flush=True)


def main() -> None:
    """
    Do what the command line says.
    """
    asyncio.run(_try_all(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0))


if __name__ == "__main__":
    main()
