"""
A real PostgreSQL server for tests, and databases of their own on it.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self
from urllib.parse import quote

import asyncpg  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.postgres_server import ServerOptions
from tests import postgres_process
from tests.postgres_process import PASSWORD, USER


PATIENT = ServerOptions(
    pool_seconds=20, connect_seconds=20, statement_seconds=20, lock_seconds=16, password=PASSWORD
)
"""
For tests that are about something else: a busy machine is not a slow database.
"""

_TEMPLATE = "ctxfy_template"


class TestServer:
    """
    A server; a process beside it ends it when this one is gone, whatever way.
    """

    __test__ = False

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        given = [f"{name}={value}" for name, value in (options or {}).items()]
        self._process = subprocess.Popen(
            [sys.executable, postgres_process.__file__, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._names = (f"test_{number}" for number in count(1))
        self._has_template = False
        self._read_place()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def url(self, database: str, *, port: int | None = None, password: str = PASSWORD) -> str:
        """
        Name a database as the settings do.
        """
        secret = quote(password, safe="")
        return f"postgresql://{USER}:{secret}@127.0.0.1:{port or self.port}/{database}"

    def open(
        self, database: str, options: ServerOptions = PATIENT, *, port: int | None = None
    ) -> Database:
        """
        Open a database of this server, perhaps through another port.
        """
        return open_database(self.url(database, port=port), server=options)

    async def create(self) -> str:
        """
        Make an empty database.
        """
        return await self._create("template0")

    async def create_migrated(self) -> str:
        """
        Make a database with its tables: copying one takes less than migrating each.
        """
        if not self._has_template:
            await self.execute(f'CREATE DATABASE "{_TEMPLATE}" TEMPLATE template0')
            database = self.open(_TEMPLATE, replace(PATIENT, pool_size=1))
            await migrate.upgrade(database)
            await database.aclose()
            self._has_template = True
        return await self._create(_TEMPLATE)

    async def drop(self, database: str) -> None:
        """
        Take a database away, whoever is still connected to it.
        """
        await self.execute(f'DROP DATABASE "{database}" WITH (FORCE)')

    async def execute(self, statement: str, *, database: str = "postgres") -> object:
        """
        Run a statement as the administrator; returns the first value of the first row.
        """
        connection = await asyncpg.connect(self.url(database))
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    def signal(self, number: int) -> None:
        """
        Send a signal to the server, and for SIGSTOP and SIGCONT to the processes it made.
        """
        if number in {signal.SIGSTOP, signal.SIGCONT}:
            for child in self._children():
                os.kill(child, number)
        os.kill(self.pid, number)

    def start_again(self) -> None:
        """
        Start a server that was killed once more, on the same port.
        """
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        self._read_place()

    def end(self) -> None:
        """
        End the server.
        """
        self._process.communicate()

    def _read_place(self) -> None:
        assert self._process.stdout is not None
        place = json.loads(self._process.stdout.readline())
        self.port: int = place["port"]
        self.pid: int = place["pid"]
        self.folder = Path(place["folder"])

    def _children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in listed.split()]

    async def _create(self, template: str) -> str:
        name = next(self._names)
        await self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name
