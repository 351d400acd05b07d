"""
Erasures that outlive a restored backup, a crash in the middle, and a change of the master key.
"""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.backup import back_up, restore
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.engine import open_database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.tables import erasures
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyStatus, Scope
from tests.builders import told
from tests.integration.adapters.storage import person_eraser
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    MASTER,
    NOON,
    PeopleKit,
    key,
    key_store,
)


NAME = "canary-person-4c1e"
LATER = NOON + timedelta(hours=1)


@pytest.fixture
async def fresh(tmp_path: Path) -> Database:
    """
    A database to restore into.
    """
    return open_database(f"sqlite:///{tmp_path}/fresh.db")


async def names(database: Database, envelope: Envelope = ENVELOPE) -> list[str]:
    """
    List whose keys there are, those of the erased as nobody's.
    """
    return [info.user_id for info in await key_store(database, envelope).list_keys()]


async def test_a_backup_from_before_does_not_bring_the_erased_back(
    either_database: Database, fresh: Database, tmp_path: Path
) -> None:
    """
    Restored, the name is readable until the ledger is settled; then it is gone, with an event.
    """
    kit = PeopleKit(either_database, tmp_path)
    await key_store(either_database).add(key("a", user_id=NAME, scope=Scope.ADMIN), told())
    await key_store(either_database).add(key("b", user_id="ben", scope=Scope.ADMIN), told())
    await back_up(either_database, tmp_path / "old.backup")
    await kit.store.erase(NAME, told(LATER))
    assert await kit.erasures.settle() == 0
    assert NAME not in (tmp_path / "ctxfy.erasures").read_text()
    await restore(fresh, tmp_path / "old.backup")
    assert await names(fresh) == [NAME, "ben"]
    restored = PeopleKit(fresh, tmp_path)
    assert await restored.erasures.settle() == 1
    assert await names(fresh) == ["", "ben"]
    assert [info.status for info in await key_store(fresh).list_keys()] == [
        KeyStatus.REVOKED,
        KeyStatus.ACTIVE,
    ]
    assert (await AuditProofs(database=fresh, envelope=ENVELOPE).verify()).events == 3
    assert await restored.erasures.settle() == 0
    await fresh.aclose()


async def test_whoever_came_back_later_is_kept(fresh: Database, tmp_path: Path) -> None:
    """
    A backup that has both, the erased one and somebody new of the same name, loses neither.
    """
    await key_before_and_after(fresh, tmp_path)
    kit = PeopleKit(fresh, tmp_path)
    await fresh.write(lambda connection: connection.execute(delete(erasures)))
    assert await kit.erasures.settle() == 0
    assert await names(fresh) == ["", NAME]
    await fresh.aclose()


async def key_before_and_after(database: Database, folder: Path) -> None:
    """
    Erase somebody, and let another one of the same name come after.
    """
    await migrate.upgrade(database)
    await key_store(database).add(key("a", user_id=NAME), told())
    await PeopleKit(database, folder).store.erase(NAME, told(NOON + timedelta(minutes=5)))
    await key_store(database).add(key("b", user_id=NAME, minutes=6), told())


async def test_a_new_machine_gets_its_ledger_from_the_table(
    either_database: Database, tmp_path: Path
) -> None:
    """
    A replica that was elsewhere when somebody was erased writes it down when it settles.
    """
    (tmp_path / "replica").mkdir()
    here, there = (
        PeopleKit(either_database, tmp_path),
        PeopleKit(either_database, tmp_path / "replica"),
    )
    await key_store(either_database).add(key("a", user_id=NAME), told())
    await here.store.erase(NAME, told())
    assert await there.erasures.settle() == 0
    assert there.ledger.read() == here.ledger.read() != []


async def test_a_process_killed_in_between_leaves_what_the_next_makes_whole(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """
    The ledger has it, the database not: the next start erases, and the chain is whole.
    """
    await key_store(sqlite_database).add(key("a", user_id=NAME), told())
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, person_eraser.__file__, str(tmp_path), NAME],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert killed.returncode == -signal.SIGKILL
    kit = PeopleKit(sqlite_database, tmp_path)
    assert len(kit.ledger.read()) == 1
    assert await names(sqlite_database) == [NAME]
    assert await kit.erasures.settle() == 1
    assert await names(sqlite_database) == [""]
    assert (await AuditProofs(database=sqlite_database, envelope=ENVELOPE).verify()).is_valid


async def test_a_ledger_that_cannot_be_written_stops_the_erasure(
    either_database: Database, tmp_path: Path
) -> None:
    """
    503, and the person is still there: an erasure that a backup could take back is none.
    """
    await key_store(either_database).add(key("a", user_id=NAME), told())
    (tmp_path / "ctxfy.erasures").mkdir()
    with pytest.raises(UnavailableError, match="ledger of erasures"):
        await PeopleKit(either_database, tmp_path).store.erase(NAME, told())
    assert await names(either_database) == [NAME]


async def test_an_erasure_is_found_under_another_master_key(
    either_database: Database, fresh: Database, tmp_path: Path
) -> None:
    """
    Erased when only the new key was known, restored from when only the old one was.
    """
    new = MasterKey(id=2, secret=b"n" * 32)
    both = Envelope([MASTER, new], random_bytes=os.urandom)
    await key_store(either_database).add(key("a", user_id=NAME), told())
    await back_up(either_database, tmp_path / "old.backup")
    only_new = Envelope([new], random_bytes=os.urandom)
    mark = only_new.erasure_marks(NAME)
    await PeopleKit(either_database, tmp_path, both).store.erase(NAME, told())
    kept = PeopleKit(fresh, tmp_path, both)
    (entry,) = kept.ledger.read()
    assert entry.marks[0] == mark[0]
    await restore(fresh, tmp_path / "old.backup")
    assert await kept.erasures.settle() == 1
    await fresh.aclose()


async def test_old_erasures_are_forgotten_in_both_places(
    either_database: Database, tmp_path: Path
) -> None:
    """
    Those from before a moment, in table and ledger; settling brings none back.
    """
    kit = PeopleKit(either_database, tmp_path)
    for number, name in enumerate(("ann", "ben")):
        await key_store(either_database).add(key(name, user_id=name), told())
        await kit.store.erase(name, told(NOON + timedelta(hours=number)))
    assert await kit.erasures.prune(before=LATER) == 1
    assert [entry.at for entry in kit.ledger.read()] == [LATER]
    assert await kit.erasures.settle() == 0
    count = select(func.count()).select_from(erasures)
    assert await either_database.read(lambda connection: connection.scalar(count)) == 1
