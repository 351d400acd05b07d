"""
A real server: the installed command in a process of its own, on a port of its own.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.waiting import wait_until_ready


ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "ctxfy")
KEY = re.compile(r"ctxfy_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")


@dataclass
class Server:
    """
    A running server, and what it wrote.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    url: str

    @property
    def mcp(self) -> str:
        """
        Where MCP is spoken.
        """
        return f"{self.url}/mcp"

    @property
    def errors(self) -> str:
        """
        What went to standard error so far.
        """
        return (self.folder / "stderr.txt").read_text()

    @property
    def logs(self) -> str:
        """
        What went to standard output so far.
        """
        return (self.folder / "stdout.txt").read_text()

    @property
    def key(self) -> str:
        """
        The admin key that the first start printed.
        """
        found = KEY.search(self.errors)
        assert found is not None, self.errors
        return found[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """
        End the server and return its exit code.
        """
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """
        Run another command in the server's folder.
        """
        return run_command(self.folder, *arguments)


def run_command(folder: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """
    Run `ctxfy` to its end.
    """
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env=clean_environment(**extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def clean_environment(**extra: str) -> dict[str, str]:
    """
    Our environment without any setting of ctxfy's.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CTXFY_")}
    return kept | extra


type StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server() -> Iterator[StartServer]:
    """
    Start servers, and end those that still run.
    """
    running: list[Server] = []

    def start(folder: Path, *arguments: str, prompts: Path | None = None, **extra: str) -> Server:
        with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
            process = subprocess.Popen(
                [
                    *COMMAND,
                    "serve",
                    "--port",
                    "0",
                    "--prompts",
                    str(prompts or ROOT / "prompts"),
                    *arguments,
                ],
                cwd=folder,
                env=clean_environment(**extra),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        server = Server(process=process, folder=folder, url="")
        running.append(server)
        server.url = wait_until_ready(process, folder / "stdout.txt", folder / "stderr.txt")
        return server

    yield start
    for server in running:
        server.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def server(start_server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """
    One server with the example prompts, for every test that leaves it as it was.
    """
    return start_server(tmp_path_factory.mktemp("server"))
