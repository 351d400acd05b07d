"""
Two replicas of ctxfy behind HAProxy with TLS 1.3, on one PostgreSQL and one Valkey.

HAProxy has the configuration that ships, whole; what it reads from the environment is all that is
set here.
"""

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.servers import ADMIN_KEY, ROOT
from ctxfy.app.deployment_files import deployment_files
from tests.certificates import server_context
from tests.integration.valkey_kit import free_port, valkey_process
from tests.postgres_kit import TestServer


PROMPTS = str(ROOT / "prompts")
PATIENCE_SECONDS = 60
DRAIN_SECONDS = 3
SETTINGS: Mapping[str, str] = {
    "CTXFY_AUTH__BOOTSTRAP_KEY": ADMIN_KEY,
    "CTXFY_LIMITS__KEY_RATE": "100000000/minute",
    "CTXFY_LIMITS__REPLICAS": "2",
    "CTXFY_LOGGING__FORMAT": "json",
    "CTXFY_SERVER__DRAIN_SECONDS": str(DRAIN_SECONDS),
    "CTXFY_SERVER__KEEP_ALIVE_SECONDS": "75",
    "CTXFY_SERVER__TRUSTED_PROXIES": "127.0.0.1/32",
}


class Replica:
    """
    A replica, on one port however often it is started.

    Args:
        name: As HAProxy calls it.
        folder: Where it runs, and what it says is kept.
        settings: What it is told by its environment.

    Attributes:
        version: What makes Python run another version of ctxfy than this one, in the environment.
    """

    def __init__(self, name: str, folder: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.port = free_port()
        self.version: Mapping[str, str] = {}
        self._folder = folder
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    @property
    def address(self) -> str:
        """
        Where HAProxy finds it.
        """
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """
        What it has said since the first start.
        """
        return self._folder / "log.jsonl"

    def start(self) -> None:
        """
        Start it; it becomes ready by and by.
        """
        options = ["--port", str(self.port), "--prompts", PROMPTS]
        command = [sys.executable, "-m", "ctxfy", "serve", *options]
        environment = {**os.environ, **self._settings, **self.version}
        self._process = _spawn(command, environment, self.log, self._folder)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """
        Send a signal, and wait until it is gone; returns its exit code.
        """
        assert self._process is not None  # noqa: S101 - it was started
        self._process.send_signal(number)
        return await asyncio.to_thread(self._process.wait, PATIENCE_SECONDS)

    def kill(self) -> None:
        """
        End it at once, if it still runs.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancer:
    """
    HAProxy, and what is behind it.

    Attributes:
        address: Where clients come.
        trust: By which clients know its certificate.
    """

    address: tuple[str, int]
    trust: ssl.SSLContext
    replicas: tuple[Replica, Replica]
    socket: Path

    @property
    def url(self) -> str:
        """
        The same, as clients are given it.
        """
        host, port = self.address
        return f"https://{host}:{port}"

    async def wait_for(self, replica: Replica, state: str) -> None:
        """
        Wait until HAProxy takes a replica to be `UP` or `DOWN`.

        Raises:
            TimeoutError: It does not.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self._states()).get(replica.name) != state:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.05)

    async def _states(self) -> dict[str, str]:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        writer.write(b"show stat\n")
        said = (await reader.read()).decode()
        writer.close()
        names, *rows = [line.split(",") for line in said.splitlines() if line]
        named = [dict(zip(names, row, strict=True)) for row in rows]
        return {row["svname"]: row["status"] for row in named if row["# pxname"] == "replicas"}


@asynccontextmanager
async def balanced(folder: Path) -> AsyncGenerator[Balancer]:
    """
    Run everything; the replicas are up.

    Raises:
        SystemExit: There is no HAProxy here.
    """
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(TestServer())
        valkey = stack.enter_context(valkey_process())
        settings = {
            **SETTINGS,
            "CTXFY_STORAGE__URL": postgres.url(await postgres.create()),
            "CTXFY_AUTH__KEY_FILE": str(folder / "ctxfy.keys"),
            "CTXFY_LIMITS__URL": valkey.url,
        }
        replicas = (
            Replica("one", folder / "one", settings),
            Replica("two", folder / "two", settings),
        )
        for replica in replicas:
            stack.callback(replica.kill)
            replica.start()
        balancer = await stack.enter_async_context(_haproxy(folder, replicas))
        for replica in replicas:
            await balancer.wait_for(replica, "UP")
        yield balancer


@asynccontextmanager
async def _haproxy(folder: Path, replicas: tuple[Replica, Replica]) -> AsyncGenerator[Balancer]:
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        sys.exit("there is no HAProxy here: apt-get install haproxy")
    server_context(folder)
    port, socket = free_port(), folder / "haproxy.sock"
    configuration = folder / "haproxy.cfg"
    configuration.write_bytes(deployment_files()["haproxy/haproxy.cfg"])
    places = {
        "HAPROXY_BIND": f"127.0.0.1:{port}",
        "HAPROXY_CERTIFICATE": str(folder / "server.pem"),
        "HAPROXY_SOCKET": str(socket),
        "REPLICA_ONE": replicas[0].address,
        "REPLICA_TWO": replicas[1].address,
    }
    process = _spawn([program, "-db", "-f", str(configuration)], places, folder / "haproxy.log")
    try:
        await asyncio.to_thread(_wait_for_socket, socket, process)
        yield Balancer(
            address=("127.0.0.1", port),
            trust=ssl.create_default_context(cafile=folder / "ca.pem"),
            replicas=replicas,
            socket=socket,
        )
    finally:
        process.kill()
        process.wait()


def _spawn(
    command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _wait_for_socket(socket: Path, process: subprocess.Popen[bytes]) -> None:
    patience = time.monotonic() + PATIENCE_SECONDS
    while not socket.exists():
        if process.poll() is not None or time.monotonic() > patience:
            sys.exit(f"HAProxy did not start: {socket.with_suffix('.log').read_text()}")
        time.sleep(0.05)
