"""
The database: whole transactions, one writer at a time, and clear sentences when it cannot be had.
"""

import asyncio
import fcntl
import os
import sqlite3
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import Connection, text

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.storage_probe import StorageProbe
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import HealthStatus
from tests.integration.adapters.storage.storage_kit import open_copy


def make_read_only(path: Path) -> None:
    """
    Make SQLite take a database for one of a later write format, which it may only read.
    """
    content = bytearray(path.read_bytes())
    content[18] = 3
    path.write_bytes(content)


def make_bad(template: Path, path: Path) -> None:
    """
    Put rubbish behind a good header.
    """
    path.write_bytes(template.read_bytes()[:100] + os.urandom(40_000))


def bump(connection: Connection) -> None:
    """
    Write something.
    """
    connection.execute(text("UPDATE epochs SET value = value + 1"))


def value(connection: Connection) -> int:
    """
    Read it.
    """
    found: int = connection.execute(text("SELECT value FROM epochs")).scalar_one()
    return found


@contextmanager
def foreign_lock(database: Database) -> Generator[None]:
    """
    Hold the lock file, as another process would: a flock belongs to the opened file.
    """
    with Path(f"{database.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


async def test_the_database_is_durable_and_private(tmp_path: Path) -> None:
    """
    A new database is in write-ahead mode with full syncs and foreign keys, for its owner only.
    """
    path = tmp_path / "new folder" / "a b%?#.db"
    database = open_database(f"sqlite:///{quote(str(path))}")
    assert await migrate.upgrade(database)

    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.scalar(text(f"PRAGMA {name}")) for name in names]

    assert await database.write(pragmas) == ["wal", 2, 1]
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert set(modes.values()) == {0o600}
    assert path.name in modes
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await database.aclose()


async def test_a_failed_write_leaves_nothing(database: Database) -> None:
    """
    An error in the middle of a transaction takes back what came before it.
    """

    def act(connection: Connection) -> None:
        bump(connection)
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(act)
    assert await database.read(value) == 0


async def test_a_connection_is_in_use_while_it_writes(sqlite_database: Database) -> None:
    """
    Between transactions the writer keeps its connection, which is not in use then.
    """
    assert await sqlite_database.write(lambda _: sqlite_database.connections) == (1, 5)
    assert sqlite_database.connections == (0, 5)


async def test_a_write_locks_from_its_beginning(database: Database) -> None:
    """
    A transaction has the right to write before its first statement (BEGIN IMMEDIATE).
    """

    def act(_: Connection) -> None:
        with closing(sqlite3.connect(database.name, timeout=0)) as raw:
            raw.execute("BEGIN IMMEDIATE")

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await database.write(act)


async def test_a_reading_connection_cannot_write(database: Database) -> None:
    """
    A write that was meant as a read is refused.
    """
    with pytest.raises(UnavailableError, match="read-only"):
        await database.read(bump)
    assert await database.read(value) == 0


async def test_writes_at_once_all_happen(sqlite_database: Database) -> None:
    """
    Writers of one process take turns.
    """
    await asyncio.gather(*(sqlite_database.write(bump) for _ in range(20)))
    assert await sqlite_database.read(value) == 20


async def test_a_cancelled_caller_does_not_cut_a_write(template: Path, tmp_path: Path) -> None:
    """
    Whoever is cancelled leaves at once; the transaction ends, and closing waits for it.
    """
    database = open_copy(template, tmp_path)
    caller = asyncio.create_task(database.write(bump))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await database.aclose()
    with closing(sqlite3.connect(database.name)) as raw:
        assert raw.execute("SELECT value FROM epochs").fetchone() == (1,)


async def test_a_closed_database_says_so(database: Database) -> None:
    """
    After closing, which may be done twice, nothing opens it again.
    """
    await database.write(bump)
    await database.aclose()
    await database.aclose()
    with pytest.raises(UnavailableError, match="is closed"):
        await database.read(value)


async def test_a_lock_that_is_not_given_back_is_told(database: Database) -> None:
    """
    A writer loses patience with another process; reading goes on, and so does writing afterwards.
    """
    with foreign_lock(database):
        attempts = await asyncio.gather(
            *(database.write(bump) for _ in range(3)), return_exceptions=True
        )
        assert await database.read(value) == 0
    (sentence,) = {str(attempt) for attempt in attempts}
    assert sentence == (
        f"The storage is not available: the database {database.name} is locked by another"
        " process; wait for that process or end it, then try again."
    )
    await database.write(bump)
    assert await database.read(value) == 1
    with foreign_lock(database):  # nobody kept it
        pass


async def test_a_waiting_writer_gets_its_turn(template: Path, tmp_path: Path) -> None:
    """
    A lock given back in time lets the writers that wait go on.
    """
    database = open_copy(template, tmp_path)
    with foreign_lock(database):
        waiting = [asyncio.create_task(database.write(bump)) for _ in range(3)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(task.done() for task in waiting)
    await asyncio.gather(*waiting)
    assert await database.read(value) == 3
    await database.aclose()


async def test_a_program_that_ignores_the_lock_file_is_told(database: Database) -> None:
    """
    A database held by another program, say a SQLite shell, is reported as locked.
    """
    with closing(sqlite3.connect(database.name, isolation_level=None)) as raw:
        raw.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnavailableError, match=r"ctxfy\.db is locked by another process; wait"):
            await database.write(bump)
        raw.execute("ROLLBACK")
    await database.write(bump)
    assert await database.read(value) == 1


async def test_a_read_only_database_is_told(database: Database) -> None:
    """
    A database that may only be read is read, and a write names the remedy.
    """
    # Not by its mode, which means nothing to root.
    make_read_only(Path(database.name))
    with pytest.raises(UnavailableError, match=r"ctxfy\.db is read-only; give this process"):
        await database.write(bump)
    assert await database.read(value) == 0


async def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    """
    A database below a file, or where a folder is, cannot be opened, and a sentence says so.
    """
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for path in ("file/ctxfy.db", "folder"):
        database = open_database(f"sqlite:///{tmp_path}/{path}")
        with pytest.raises(UnavailableError, match=f"{path} cannot be opened; check"):
            await database.write(bump)
        await database.aclose()


@pytest.mark.parametrize("content", [b"not a database, but long enough" * 50, b"short"])
async def test_another_file_is_not_touched(tmp_path: Path, content: bytes) -> None:
    """
    A file that is no database is told from one, and stays as it is.
    """
    (tmp_path / "notes.txt").write_bytes(content)
    database = open_database(f"sqlite:///{tmp_path}/notes.txt")
    with pytest.raises(UnavailableError, match=r"notes\.txt is not a SQLite database; name"):
        await migrate.upgrade(database)
    await database.aclose()
    assert (tmp_path / "notes.txt").read_bytes() == content


async def test_a_damaged_database_is_told(template: Path, tmp_path: Path) -> None:
    """
    Pages of rubbish behind a good header are reported as damage.
    """
    make_bad(template, tmp_path / "bad.db")
    database = open_database(f"sqlite:///{tmp_path}/bad.db")
    with pytest.raises(UnavailableError, match=r"bad\.db is damaged; restore it"):
        await database.write(bump)
    await database.aclose()


async def test_the_probe_tells_how_the_database_is(database: Database, tmp_path: Path) -> None:
    """
    The probe passes on a good database and fails with a sentence on a missing one.
    """
    good = await StorageProbe(database=database, can_do_without=lambda: False).check()
    missing = open_database(f"sqlite:///{tmp_path}/missing.db")
    bad = await StorageProbe(database=missing, can_do_without=lambda: False).check()
    assert (good.status, bad.status) == (HealthStatus.PASS, HealthStatus.FAIL)
    assert "missing.db cannot be opened" in bad.detail
    assert not (tmp_path / "missing.db").exists()
    await missing.aclose()


async def test_the_probe_does_not_wait_for_ever(database: Database) -> None:
    """
    A database that does not answer in time fails the probe.
    """
    probe = StorageProbe(database=database, can_do_without=lambda: False, limit_seconds=0)
    result = await probe.check()
    assert result.status is HealthStatus.FAIL
    assert "did not answer within 0 s" in result.detail


async def test_a_database_that_is_not_missed_yet_is_a_warning(database: Database) -> None:
    """
    As long as known keys are served without it, its absence is no failure.
    """
    await database.aclose()
    yes, no = (
        StorageProbe(database=database, can_do_without=partial(bool, served)) for served in (1, 0)
    )
    found = [await yes.check(), await no.check()]
    assert [result.status for result in found] == [HealthStatus.WARN, HealthStatus.FAIL]
    assert "Known keys are served" in found[0].detail
