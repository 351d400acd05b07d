"""
Backups: whole, of one moment, and restored into either kind of database.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.backup import back_up, restore
from ctxfy.adapters.storage.backup_file import (
    BackupTable,
    Kind,
    batches_of,
    new_backup,
)
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.adapters.storage.tables import metadata, schema_floor
from ctxfy.core.exceptions import ConfigurationError, UnavailableError
from ctxfy.core.models.auth_models import KeyStatus, Scope
from ctxfy.core.models.session_models import SessionLifetimes, TokenDigest
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import ENVELOPE, NOON, key, key_store
from tests.postgres_kit import TestServer


LIFETIMES = SessionLifetimes(idle=timedelta(hours=1), absolute=timedelta(hours=1))


@pytest.fixture
async def empty_ones(postgres: TestServer, tmp_path: Path) -> AsyncIterator[list[Database]]:
    """
    A database of each kind in which nobody has ever been.
    """
    name = await postgres.create()
    found = [open_database(f"sqlite:///{tmp_path}/empty.db"), postgres.open(name)]
    yield found
    for each in found:
        await each.aclose()
    await postgres.drop(name)


async def fill(database: Database) -> None:
    """
    Put something into most of the tables.
    """
    store = key_store(database)
    await store.add(key("a", user_id="Zoë", scope=Scope.ADMIN), told())
    await store.add(key("b"), told())
    await store.set_status(key("b").key_id, KeyStatus.REVOKED, told())
    session = begin_session(TokenDigest("d" * 64), key("a").key_id, LIFETIMES, NOON)
    await SqlSessionStore(database=database).open(session, keep=1)


async def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """
    Read every table whole that belongs into a backup.
    """

    def act(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
            if table is not schema_floor
        }

    return await database.read(act)


async def test_a_backup_restores_everything_into_either_kind(
    either_database: Database, empty_ones: list[Database], tmp_path: Path
) -> None:
    """
    From SQLite to PostgreSQL and back: the same rows, keys that are found, a chain that verifies.
    """
    await fill(either_database)
    before = await content(either_database)
    keys = ENVELOPE.backup_keys()
    summary = await back_up(either_database, tmp_path / "b.gz", keys)
    assert (summary.revision, summary.rows) == (migrate.HEAD, sum(map(len, before.values())))
    assert summary.tables == {name: len(rows) for name, rows in before.items()}
    for empty in empty_ones:
        assert await restore(empty, tmp_path / "b.gz", keys) == summary
        await migrate.check(empty)
        assert await content(empty) == before
        assert await key_store(empty).list_keys(user_id="Zoë") == [
            key("a", user_id="Zoë", scope=Scope.ADMIN)
        ]
        await key_store(empty).add(key("c"), told())


async def test_an_old_backup_is_brought_up_to_date(
    either_database: Database, empty_ones: list[Database], tmp_path: Path
) -> None:
    """
    A backup from before an upgrade can be made and restored after it.
    """
    await fill(either_database)
    await migrate.downgrade(either_database, "0001")
    assert (await back_up(either_database, tmp_path / "b.gz")).revision == "0001"
    assert {described.name for described, _ in batches_of(tmp_path / "b.gz")} == {
        "people",
        "api_keys",
        "epochs",
    }
    for empty in empty_ones:
        await restore(empty, tmp_path / "b.gz")
        await migrate.check(empty)
        assert len(await key_store(empty).list_keys()) == 2


async def test_a_backup_is_of_one_moment(either_database: Database, tmp_path: Path) -> None:
    """
    Taken under writes, it holds no half of any: as many keys as the epoch and the trail tell of.
    """
    store = key_store(either_database)

    async def write(letter: str) -> None:
        for number in range(100_000):
            await store.add(key(f"{letter}{number}x"), told())

    writers = [asyncio.create_task(write(letter)) for letter in "ab"]
    for turn in range(3):
        await store.add(key(f"between{turn}x"), told())
        await back_up(either_database, tmp_path / f"{turn}.gz")
    for writer in writers:
        writer.cancel()
    await asyncio.gather(*writers, return_exceptions=True)
    for turn in range(3):
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in metadata.tables}
        for described, batch in batches_of(tmp_path / f"{turn}.gz"):
            rows[described.name] += batch
        count = len(rows["api_keys"])
        assert count > turn
        assert (rows["epochs"][0]["value"], len(rows["audit_events"])) == (count, count)


async def test_a_restore_takes_nothing_away(either_database: Database, tmp_path: Path) -> None:
    """
    A database that holds anything is left alone.
    """
    await fill(either_database)
    await back_up(either_database, tmp_path / "b.gz")
    before = await content(either_database)
    with pytest.raises(ConfigurationError, match="is not empty; restore into a new one"):
        await restore(either_database, tmp_path / "b.gz")
    assert await content(either_database) == before


def write_backup(path: Path, *, revision: str = migrate.HEAD) -> Path:
    """
    Write a backup that holds a session of a key that it does not hold.
    """
    columns: dict[str, Kind] = {"token_digest": "text", "key_id": "text"}
    columns |= dict.fromkeys(
        ("created_at", "last_seen_at", "idle_expires_at", "expires_at"), "integer"
    )
    with new_backup(path, revision=revision) as writer:
        writer.add_table(
            BackupTable(name="sessions", columns=columns), [("d" * 64, "nobody", 1, 1, 1, 1)]
        )
    return path


async def test_a_restore_happens_whole_or_not_at_all(
    empty_ones: list[Database], tmp_path: Path
) -> None:
    """
    A backup whose rows do not fit together leaves the database as empty as it was.
    """
    backup = write_backup(tmp_path / "b.gz")
    for empty in empty_ones:
        with pytest.raises(UnavailableError, match="refused the request"):
            await restore(empty, backup)
        assert await migrate.current_revision(empty) is None


async def test_what_is_not_known_is_refused(empty_ones: list[Database], tmp_path: Path) -> None:
    """
    A backup of a newer version is not restored, and of an empty database there is none.
    """
    backup = write_backup(tmp_path / "b.gz", revision="9999")
    for empty in empty_ones:
        with pytest.raises(UnavailableError, match="does not know revision 9999"):
            await restore(empty, backup)
        with pytest.raises(UnavailableError, match="is empty"):
            await back_up(empty, tmp_path / "x.gz")
    assert not (tmp_path / "x.gz").exists()
