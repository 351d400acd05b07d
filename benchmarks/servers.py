"""
Servers to be measured, each in a process of its own that is held to one processor.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

import psutil

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key


ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 60
ADMIN_KEY = compose_key(KeyId("benchmark000"), b"b" * 32)
PROCESSORS = sorted(os.sched_getaffinity(0))
SERVER_PROCESSOR, CLIENT_PROCESSOR = PROCESSORS[0], PROCESSORS[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """
    What came of asking for a while.

    Attributes:
        per_second: Answers in a second of the clock.
        per_cpu_second: Answers in a second of the processor that the server used: what one core
            gives, however much else runs on the machine.
    """

    per_second: float
    per_cpu_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    A server that runs.
    """

    name: str
    pid: int
    port: int
    path: str
    headers: Sequence[str] = ()

    def load(self, *, connections: int, seconds: float, status: HTTPStatus = HTTPStatus.OK) -> Load:
        """
        Ask it, from the other processor.

        Raises:
            RuntimeError: It did not always answer as it should: then the figure would tell nothing.
        """
        command = [sys.executable, "-m", "benchmarks.load", str(self.port), self.path]
        with _pinned(
            [*command, str(connections), str(seconds), *self.headers],
            CLIENT_PROCESSOR,
            stdout=subprocess.PIPE,
        ) as client:
            before = self._cpu_seconds()
            said, _ = client.communicate()
            used = self._cpu_seconds() - before
        found = json.loads(said)
        statuses = found.pop("statuses")
        if set(statuses) != {str(status.value)}:
            message = f"{self.name} was not well: {said!r}"
            raise RuntimeError(message)
        return Load(per_cpu_second=statuses[str(status.value)] / used, **found)

    def _cpu_seconds(self) -> float:
        server = psutil.Process(self.pid)
        times = [each.cpu_times() for each in (server, *server.children())]  # and its workers
        return sum(each.user + each.system for each in times)


@contextmanager
def ctxfy_server(
    name: str,
    folder: Path,
    path: str,
    settings: Mapping[str, str],
    prompts: Path = ROOT / "prompts",
    processors: Collection[int] = (SERVER_PROCESSOR,),
) -> Generator[Measured]:
    """
    Serve prompts, the examples if no others, with everything on, and limits that nobody reaches.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.jsonl"
    environment = os.environ | {
        "CTXFY_AUTH__BOOTSTRAP_KEY": ADMIN_KEY,
        "CTXFY_LIMITS__KEY_RATE": "100000000/minute",
        "CTXFY_LOGGING__FORMAT": "json",
        **settings,
    }
    port = _free_port()
    command = [sys.executable, "-m", "ctxfy", "serve", "--port", str(port)]
    with (
        log.open("wb") as output,
        _pinned(
            [*command, "--prompts", str(prompts)],
            *processors,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            if not _becomes_live(port, process):
                sys.exit(f"the server did not start: {log.read_text()}")
            headers = (f"Authorization: Bearer {ADMIN_KEY}",)
            yield Measured(name=name, pid=process.pid, port=port, path=path, headers=headers)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def echo_server(name: str) -> Generator[Measured]:
    """
    Serve the least that an ASGI application can do, under the same server with the same options.
    """
    port = _free_port()
    options = ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    command = [sys.executable, "-m", "uvicorn", "benchmarks.echo:app", *options]
    with _pinned(command, SERVER_PROCESSOR, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield Measured(name=name, pid=process.pid, port=port, path="/")
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def _pinned(
    command: Sequence[str],
    *processors: int,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)  # a child inherits it from its first thread on
    try:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=stdout, stderr=stderr)
    finally:
        os.sched_setaffinity(0, here)
    with process:
        yield process


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _becomes_live(port: int, process: subprocess.Popen[bytes]) -> bool:
    # It listens before it can answer, and may be told to log nothing.
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        asked = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        with suppress(OSError), closing(asked):
            asked.request("GET", "/health/live")
            return asked.getresponse().status == HTTPStatus.OK
        time.sleep(0.05)
    return False


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("the echo did not start")
