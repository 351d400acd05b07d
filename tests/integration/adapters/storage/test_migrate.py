"""
Migrations: up, down, in step with the tables, and silent when there is nothing to do.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from copy import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.adapters.storage.tables import metadata
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import KeyId, KeyStatus
from ctxfy.core.models.session_models import SessionLifetimes, TokenDigest
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import ENVELOPE, NOON, key, key_store
from tests.postgres_kit import TestServer


START = """
import asyncio, sys
from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.engine import open_database

async def start():
    database = open_database(sys.argv[1])
    assert not await migrate.upgrade(database)
    await migrate.check(database)
    await database.aclose()

asyncio.run(start())
assert "alembic" not in sys.modules
"""


def newer_with(*, floor: str) -> Callable[[Connection], None]:
    """
    Do what a newer version would: another revision, and the mark of those that may serve on it.
    """

    def act(connection: Connection) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("UPDATE schema_floor SET revision = :floor"), {"floor": floor})

    return act


def test_the_constants_are_in_step_with_the_scripts() -> None:
    """
    The revisions named in the code are those of the scripts, in their order.
    """
    scripts = ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == migrate.REVISIONS


async def test_the_migrations_make_the_tables_of_the_code(either_database: Database) -> None:
    """
    A migrated database and the tables in the code do not differ in anything.
    """

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await either_database.read(differences) == []


async def test_each_step_down_and_up_again_with_data(either_database: Database) -> None:
    """
    Keys outlive every step back to the first revision, and the way up again.
    """
    store = key_store(either_database)
    await store.add(key("a"), told())
    sessions = SqlSessionStore(database=either_database)
    lifetimes = SessionLifetimes(idle=timedelta(hours=1), absolute=timedelta(hours=1))
    session = begin_session(TokenDigest("d" * 64), key("a").key_id, lifetimes, NOON)
    await sessions.open(session, keep=1)
    seals = AuditSeals(ENVELOPE)
    trail = AuditTrail(database=either_database, envelope=ENVELOPE, seals=seals, chain="one")
    await trail.append(AuditEvent(at=NOON, action="prompt_executed"))
    # By the one column that every revision has: the store reads those of the newest.
    ids = text("SELECT key_id FROM api_keys")
    for revision in migrate.REVISIONS[-2::-1]:
        await migrate.downgrade(either_database, revision)
        assert await migrate.current_revision(either_database) == revision
        kept = await either_database.read(lambda connection: connection.scalars(ids).all())
        assert kept == [key("a").key_id]
    assert await migrate.upgrade(either_database)
    await migrate.check(either_database)
    assert await store.list_keys() == [key("a")]
    assert await sessions.find(session.token_digest) is None


async def test_a_key_that_was_bound_does_not_become_good_everywhere(
    either_database: Database,
) -> None:
    """
    On the way down from where networks are known such keys are disabled, and caches told.
    """
    store = key_store(either_database)
    bound = replace(key("a"), networks=(ip_network("10.0.0.0/8"),))
    revoked = replace(bound, key_id=KeyId("b" * 12), status=KeyStatus.REVOKED)
    for info in (bound, revoked, key("free")):
        await store.add(info, told())
    before = await store.epoch()
    await migrate.downgrade(either_database, "0004")
    await migrate.upgrade(either_database)
    found = {info.key_id: info.status for info in await store.list_keys()}
    assert found == {
        bound.key_id: KeyStatus.DISABLED,
        revoked.key_id: KeyStatus.REVOKED,
        key("free").key_id: KeyStatus.ACTIVE,
    }
    assert await store.epoch() > before


async def test_up_down_and_up_again_with_data(either_database: Database) -> None:
    """
    A database with keys in it goes down to nothing and comes back, empty and whole.
    """
    store = key_store(either_database)
    await store.add(key("a"), told())
    assert not await migrate.upgrade(either_database)
    assert await store.list_keys() == [key("a")]
    await migrate.downgrade(either_database)
    assert await migrate.current_revision(either_database) is None
    left = await either_database.read(lambda connection: inspect(connection).get_table_names())
    assert not set(left) & set(metadata.tables)
    assert await migrate.upgrade(either_database)
    await migrate.check(either_database)
    assert await store.list_keys() == []


async def test_a_database_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    """
    A migration that fails half-way leaves none of its tables, and can be tried again.
    """
    database = open_database(f"sqlite:///{tmp_path}/50% new.db")
    with closing(sqlite3.connect(database.name)) as raw:
        raw.execute("CREATE TABLE epochs (in_the_way)")  # the last one to be made
        with pytest.raises(UnavailableError, match="refused the request"):
            await migrate.upgrade(database)
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("epochs",)]
        raw.execute("DROP TABLE epochs")
    assert await migrate.upgrade(database)
    await migrate.check(database)
    await database.aclose()


async def test_two_starts_at_once_migrate_once(tmp_path: Path) -> None:
    """
    Whoever comes second finds the work done.
    """
    databases = [open_database(f"sqlite:///{tmp_path}/ctxfy.db") for _ in range(2)]
    await asyncio.gather(*(migrate.upgrade(database) for database in databases))
    for database in databases:
        await migrate.check(database)
        await database.aclose()
    with closing(sqlite3.connect(tmp_path / "ctxfy.db")) as raw:
        assert raw.execute("SELECT count(*) FROM epochs").fetchone() == (1,)


async def test_two_replicas_that_start_at_once_migrate_once(postgres: TestServer) -> None:
    """
    On PostgreSQL too, whoever comes second finds the work done.
    """
    name = await postgres.create()
    databases = [postgres.open(name) for _ in range(3)]
    await asyncio.gather(*(migrate.upgrade(database) for database in databases))
    for database in databases:
        await migrate.check(database)
        await database.aclose()
    assert await postgres.execute("SELECT count(*) FROM epochs", database=name) == 1


async def test_check_names_the_remedy(tmp_path: Path, database: Database) -> None:
    """
    An empty database wants an upgrade; a newer version's wants that version, and is left alone.
    """
    empty = open_database(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(
        UnavailableError, match=r"empty\.db is empty .* CTXFY_STORAGE__MIGRATE=auto"
    ):
        await migrate.check(empty)
    await empty.aclose()
    assert not (tmp_path / "empty.db").exists()
    with closing(sqlite3.connect(database.name)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
        raw.execute("DROP TABLE schema_floor")
    for act in (migrate.check, migrate.upgrade, migrate.downgrade):
        with pytest.raises(UnavailableError, match="does not know revision 9999"):
            await act(database)
    with pytest.raises(UnavailableError, match="does not know revision"):
        await migrate.downgrade(database, "0000")


async def test_a_version_serves_on_newer_tables_that_are_marked_for_it(
    either_database: Database,
) -> None:
    """
    They are left as they are; if the mark is above the version, it says which one may serve.
    """
    await either_database.maintain(newer_with(floor=migrate.HEAD))
    assert not await migrate.upgrade(either_database)
    await migrate.check(either_database)
    assert await migrate.newer_revision(either_database) == "9999"
    with pytest.raises(UnavailableError, match="does not know revision 9999"):
        await migrate.downgrade(either_database, migrate.HEAD)
    await either_database.maintain(newer_with(floor="9998"))
    for act in (migrate.check, migrate.upgrade, migrate.newer_revision):
        with pytest.raises(UnavailableError, match=r"9998 or newer may serve.*ctxfy db downgrade"):
            await act(either_database)


async def test_every_step_says_who_may_serve(either_database: Database) -> None:
    """
    The mark is that of the revision the tables are at, on the way up and on the way down.
    """
    marked = text("SELECT revision FROM schema_floor")
    floor = migrate.FLOORS[migrate.HEAD]
    assert await either_database.read(lambda connection: connection.scalar(marked)) == floor
    await migrate.downgrade(either_database, migrate.REVISIONS[-2])
    assert await migrate.newer_revision(either_database) is None
    await migrate.upgrade(either_database)
    assert await either_database.read(lambda connection: connection.scalar(marked)) == floor


def test_a_usual_start_does_not_load_alembic(template: Path) -> None:
    """
    With a database at the newest revision, start-up never imports Alembic.
    """
    environment = {**os.environ, "PYTHONPATH": str(migrate.SCRIPTS.parents[3])}
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", START, f"sqlite:///{template}"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (process.returncode, process.stderr) == (0, "")
