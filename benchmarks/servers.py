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
        memory_mb: What the server held after it, in millions of bytes; what its processes share
            counts once.
    """

    per_second: float
    per_cpu_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    memory_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """
    A server that runs, and what it is asked.

    Attributes:
        body: Sent by POST; without one it is GET.
        expected: What stands in each answer, and each answer is the same then.
        processors: Where the client may run.
    """

    name: str
    pid: int
    port: int
    path: str
    headers: Sequence[str] = ()
    body: str | None = None
    expected: str = ""
    processors: Collection[int] = (CLIENT_PROCESSOR,)

    def load(
        self,
        *,
        connections: int,
        seconds: float,
        status: HTTPStatus = HTTPStatus.OK,
        rate: float | None = None,
    ) -> Load:
        """
        Ask it, from the other processor, as often as it answers or at a rate.

        Raises:
            RuntimeError: It did not always answer as it should: then the figure would tell nothing.
        """
        order = {
            "port": self.port,
            "path": self.path,
            "connections": connections,
            "seconds": seconds,
            "headers": self.headers,
            "body": self.body,
            "rate": rate,
            "expected": self.expected,
        }
        with pinned(
            [sys.executable, "-m", "benchmarks.load"],
            self.processors,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as client:
            before = self._cpu_seconds()
            said, _ = client.communicate(json.dumps(order).encode())
            used = self._cpu_seconds() - before
        found = json.loads(said)
        statuses, answers, is_right, answer = (
            found.pop(name) for name in ("statuses", "answers", "right", "answer")
        )
        is_well = set(statuses) == {str(status.value)} and is_right
        if not is_well or (self.expected and answers != 1):
            message = f"{self.name} was not well: {statuses}, {answers} answers such as {answer!r}"
            raise RuntimeError(message)
        per_cpu_second = statuses[str(status.value)] / used
        return Load(per_cpu_second=per_cpu_second, memory_mb=self._memory() / 1e6, **found)

    def _cpu_seconds(self) -> float:
        times = [each.cpu_times() for each in self._processes()]
        return sum(each.user + each.system for each in times)

    def _memory(self) -> int:
        own, *workers = self._processes()  # which share what they had before they parted
        return int(own.memory_info().rss + sum(each.memory_full_info().uss for each in workers))

    def _processes(self) -> list[psutil.Process]:
        own = psutil.Process(self.pid)
        return [own, *own.children()]  # its workers


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
    port = free_port()
    command = [sys.executable, "-m", "ctxfy", "serve", "--port", str(port)]
    with (
        log.open("wb") as output,
        pinned(
            [*command, "--prompts", str(prompts)],
            processors,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        try:
            if not becomes_live(port, process):
                sys.exit(f"the server did not start: {log.read_text()}")
            headers = (f"Authorization: Bearer {ADMIN_KEY}",)
            yield Measured(name=name, pid=process.pid, port=port, path=path, headers=headers)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def asgi_server(
    name: str, app: str, path: str, environment: Mapping[str, str] | None = None
) -> Generator[Measured]:
    """
    Serve another application, or what a function makes, under the same HTTP server.
    """
    port = free_port()
    arguments = [app] if app.endswith(":app") else ["--factory", app]
    options = ["--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]
    with pinned(
        [sys.executable, "-m", "uvicorn", *options, *arguments],
        (SERVER_PROCESSOR,),
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait_for(name, port, process)
            yield Measured(name=name, pid=process.pid, port=port, path=path)
        finally:
            process.send_signal(signal.SIGTERM)


@contextmanager
def echo_server(name: str) -> Generator[Measured]:
    """
    Serve the least that an ASGI application can do.
    """
    with asgi_server(name, "benchmarks.echo:app", "/") as server:
        yield server


@contextmanager
def pinned(
    command: Sequence[str],
    processors: Collection[int],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """
    Run a command on some processors only; wait for its end.
    """
    here = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(processors))  # a child inherits it from its first thread on
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr
        )
    finally:
        os.sched_setaffinity(0, here)
    with process:
        yield process


def free_port() -> int:
    """
    Find a port that nobody listens on.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def becomes_live(
    port: int,
    process: subprocess.Popen[bytes],
    path: str = "/health/live",
    patience: float = PATIENCE_SECONDS,
) -> bool:
    """
    Wait until it answers; false when it ended, or took too long.
    """
    # It listens before it can answer, and may be told to log nothing.
    until = time.monotonic() + patience
    while time.monotonic() < until and process.poll() is None:
        asked = HTTPConnection("127.0.0.1", port, timeout=patience)
        with suppress(OSError), closing(asked):
            asked.request("GET", path)
            return asked.getresponse().status == HTTPStatus.OK
        time.sleep(0.05)
    return False


def _wait_for(name: str, port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit(f"{name} did not start")
