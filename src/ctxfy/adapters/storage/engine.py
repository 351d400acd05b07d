"""
Opens databases. What is special to SQLite is here, in `failures` and in `write_lock`.

A process has one writing connection, and a write is one BEGIN IMMEDIATE under the write lock.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.failures import UNREACHABLE, unavailable
from ctxfy.adapters.storage.write_lock import WriteLock
from ctxfy.core.exceptions import ConfigurationError


LOCK_PATIENCE_SECONDS = 5.0
BUSY_SECONDS = 1.0
READERS = 4


def open_database(
    url: str,
    *,
    lock_patience_seconds: float = LOCK_PATIENCE_SECONDS,
    busy_seconds: float = BUSY_SECONDS,
) -> Database:
    """
    Make a database ready for use; the disk is first touched by what is asked of it.

    Args:
        url: `sqlite:///PATH`.
        lock_patience_seconds: How long a write waits for its turn.
        busy_seconds: How long a statement waits for a program that knows nothing of the lock file.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    file = database_file_of(url)
    return Database(
        file=file,
        reader=_reading_engine(file, busy_seconds),
        writer=_writing_engine(file, busy_seconds),
        lock=WriteLock(
            file.with_name(file.name + ".lock"), guards=str(file), patience=lock_patience_seconds
        ),
    )


def database_file_of(url: str) -> Path:
    """
    Read where the database is.

    Raises:
        ConfigurationError: The URL is not one this version can use.
    """
    # Whatever is wrong, the URL itself is not shown: other databases carry a password in it.
    refusal = "The storage URL must be sqlite:///PATH."
    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(refusal) from error
    path = parts.database
    strange = parts.drivername != "sqlite" or parts.host or parts.query
    if strange or not path or path.startswith((":memory:", "file:")):
        raise ConfigurationError(refusal)
    return Path(path)


def _reading_engine(file: Path, busy_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        _address(file),
        connect_args={"timeout": busy_seconds},
        hide_parameters=True,
        isolation_level="AUTOCOMMIT",
        max_overflow=0,
        pool_size=READERS,
        skip_autocommit_rollback=True,
    )
    event.listen(engine.sync_engine, "do_connect", lambda *_: _require_file(file))
    event.listen(engine.sync_engine, "connect", _settings("query_only = ON"))
    return engine


def _writing_engine(file: Path, busy_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        _address(file),
        # None: the sqlite3 module must not begin transactions of its own, deferred ones, which
        # fail on their first write if somebody else wrote in between.
        connect_args={"timeout": busy_seconds, "isolation_level": None},
        hide_parameters=True,
        max_overflow=0,
        pool_size=1,
    )
    settings = _settings("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
    event.listen(engine.sync_engine, "do_connect", lambda *_: _create(file))
    event.listen(engine.sync_engine, "connect", settings)
    event.listen(engine.sync_engine, "begin", _begin_immediate)
    return engine


def _address(file: Path) -> URL:
    # mode=rw: SQLite itself must never create the file, it would do so readable for everybody.
    location = f"file:{quote(str(file.absolute()))}"
    return URL.create("sqlite+aiosqlite", database=location, query={"mode": "rw", "uri": "true"})


def _settings(*settings: str) -> Callable[[DBAPIConnection, object], None]:
    def apply(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for setting in settings:
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    return apply


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _create(file: Path) -> None:
    # Only if there is none: to open and close a file that SQLite has open elsewhere in this process
    # would take away all the locks that SQLite holds on it.
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    _require_file(file)


def _require_file(file: Path) -> None:
    # SQLite would notice too, but aiosqlite does not wait for the thread of a connection that could
    # not be opened: a program that ends at once would show that thread's traceback.
    if not (file.is_file() and os.access(file, os.R_OK)):
        raise unavailable(UNREACHABLE, file=str(file))
