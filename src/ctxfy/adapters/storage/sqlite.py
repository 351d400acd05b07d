"""
SQLite. What is special to it is here, in `failures` and in `write_lock`.

A process has one writing connection, in a thread of its own, and a write is one BEGIN IMMEDIATE
under the write lock. Connections that read have threads too.
"""

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection

from ctxfy.adapters.storage.database import Connected, Connecting
from ctxfy.adapters.storage.failures import DRIVER_ERRORS, explain
from ctxfy.adapters.storage.pool import connections_of
from ctxfy.adapters.storage.reader_threads import ReaderThreads
from ctxfy.adapters.storage.write_lock import WriteLock
from ctxfy.adapters.storage.writer_thread import WriterThread


READERS = 4


class SqliteOpening:
    """
    One file.

    Args:
        lock_patience_seconds: How long a write waits for its turn.
        busy_seconds: How long a statement waits for a program that knows nothing of the lock file.
    """

    outage = None  # it fails at once or not at all: there is nothing to remember

    def __init__(self, file: Path, *, lock_patience_seconds: float, busy_seconds: float) -> None:
        self._file = file
        self._reading = _reading_engine(file, busy_seconds)
        self._readers = ReaderThreads(self._reading, count=READERS)
        self._writer = WriterThread(_writing_engine(file, busy_seconds))
        self._lock = WriteLock(
            file.with_name(file.name + ".lock"), guards=str(file), patience=lock_patience_seconds
        )

    @property
    def name(self) -> str:
        """
        The file.
        """
        return str(self._file)

    @property
    def exists(self) -> bool:
        """
        Whether anybody ever wrote to it.
        """
        return self._file.exists()

    @property
    def connections(self) -> tuple[int, int]:
        """
        Those that read, and the one that writes.
        """
        in_use, most = connections_of(self._reading.pool)
        return in_use + self._writer.is_writing, most + 1

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[ReaderThreads]:
        """
        Connect without a transaction.
        """
        try:
            yield self._readers
        except DRIVER_ERRORS as error:
            raise explain(error, self.name) from error

    @asynccontextmanager
    async def writing(self, *, alone: bool = True) -> AsyncGenerator[WriterThread]:
        """
        Hold the write lock; SQLite knows no other way, so `alone` changes nothing.
        """
        del alone
        try:
            async with self._lock.held():
                yield self._writer
        except DRIVER_ERRORS as error:
            raise explain(error, self.name) from error

    def maintaining(self) -> Connecting:
        """
        Begin as for any write: none is limited in time.
        """
        return self.writing()

    @asynccontextmanager
    async def snapshotting(self) -> AsyncGenerator[Connected]:
        """
        Read in one transaction; in write-ahead mode it hinders no writer, nor they it.
        """
        async with self.reading() as readers, readers.snapshot() as connection:
            yield connection

    async def scrub(self) -> bool:
        """
        Write what is in the write-ahead log into the database, and empty the log.

        Older pages in it still hold what was deleted; in the database that is zeros already.
        """
        # Under the lock, so that only a reader can be in the way; for that one the driver waits.
        try:
            async with self._lock.held():
                return await self._readers.run_sync(_empty_log)
        except DRIVER_ERRORS as error:
            raise explain(error, self.name) from error

    async def aclose(self) -> None:
        """
        Close every connection.
        """
        await self._writer.aclose()
        await self._readers.aclose()


def _reading_engine(file: Path, busy_seconds: float) -> Engine:
    engine = create_engine(
        _address(file),
        connect_args={"timeout": busy_seconds},
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        max_overflow=0,
        pool_size=READERS,
        skip_autocommit_rollback=True,
    )
    event.listen(engine, "connect", _settings("query_only = ON"))
    return engine


def _writing_engine(file: Path, busy_seconds: float) -> Engine:
    engine = create_engine(
        _address(file),
        # None: the sqlite3 module must not begin transactions of its own, deferred ones, which
        # fail on their first write if somebody else wrote in between.
        connect_args={"timeout": busy_seconds, "isolation_level": None},
        hide_parameters=True,
        max_overflow=0,
        pool_size=1,
    )
    settings = _settings(
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "secure_delete = ON",  # what is deleted becomes zeros
    )
    event.listen(engine, "do_connect", lambda *_: _create(file))
    event.listen(engine, "connect", settings)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _address(file: Path) -> URL:
    # mode=rw: SQLite itself must never create the file, it would do so readable for everybody.
    location = f"file:{quote(str(file.absolute()))}"
    return URL.create("sqlite+pysqlite", database=location, query={"mode": "rw", "uri": "true"})


def _settings(*settings: str) -> Callable[[DBAPIConnection, object], None]:
    def apply(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    return apply


def _empty_log(connection: Connection) -> bool:
    is_busy, *_ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not is_busy


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _create(file: Path) -> None:
    # Only if there is none: to open and close a file that SQLite has open elsewhere in this process
    # would take away all the locks that SQLite holds on it.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
