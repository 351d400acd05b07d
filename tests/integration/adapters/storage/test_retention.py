"""
What goes when its time is over, and what stays, on real databases.
"""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.retention import Retention
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.adapters.storage.tables import audit_checkpoints, audit_months, people, sessions
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import KeyStatus
from ctxfy.core.models.retention_models import Periods, Pruned
from ctxfy.core.models.session_models import SessionLifetimes, TokenDigest
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    NOON,
    PeopleKit,
    key,
    key_store,
)


DAY = timedelta(days=1)
PERIODS = Periods(events=10 * DAY, ended_keys=30 * DAY, erasures=60 * DAY)
LIVES = SessionLifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=12))


def retention_on(database: Database, folder: Path, periods: Periods = PERIODS) -> Retention:
    """
    Prune a few rows at a time.
    """
    return Retention(
        database=database,
        proofs=AuditProofs(database=database, envelope=ENVELOPE),
        erasures=PeopleKit(database, folder).erasures,
        periods=periods,
        batch=2,
    )


async def count(database: Database, table: object) -> int:
    """
    Count rows.
    """
    wanted = select(func.count()).select_from(table)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a table
    return await database.read(lambda connection: connection.execute(wanted).scalar_one())


async def fill(database: Database, folder: Path) -> None:
    """
    Keep five ended keys of five people, a live one, a session, and somebody who was erased.
    """
    keys = key_store(database)
    for number in range(5):
        ended = replace(
            key(f"old{number}x", user_id=f"person {number}"),
            status=KeyStatus.REVOKED,
            revoked_at=NOON,
        )
        await keys.add(ended, told())
    await keys.add(key("live"), told())
    await keys.add(replace(key("expired"), expires_at=NOON + DAY), told())
    session = begin_session(TokenDigest("s" * 64), key("live").key_id, LIVES, NOON)
    await SqlSessionStore(database=database).open(session, keep=5)
    await PeopleKit(database, folder).store.erase("person 4", told())


async def test_each_kind_goes_when_its_time_is_over(
    either_database: Database, tmp_path: Path
) -> None:
    """
    Not a day before; who is referred to stays; the trail verifies from what is left.
    """
    await fill(either_database, tmp_path)
    retention = retention_on(either_database, tmp_path)
    assert await retention.prune(at=NOON) == Pruned()
    assert await retention.prune(at=NOON + DAY) == Pruned(sessions=1)
    assert await count(either_database, sessions) == 0
    gone = await retention.prune(at=NOON + 11 * DAY)
    assert gone == Pruned(events=8, checkpoints=1, months=1)
    assert await retention.prune(at=NOON + 30 * DAY) == Pruned(checkpoints=2)
    gone = await retention.prune(at=NOON + 32 * DAY)
    assert gone == Pruned(keys=6, people=5)
    assert [info.key_id for info in await key_store(either_database).list_keys()] == [
        key("live").key_id
    ]
    assert await count(either_database, people) == 1
    assert await count(either_database, audit_months) == 0
    assert (await retention.prune(at=NOON + 61 * DAY)).erasures == 1
    assert PeopleKit(either_database, tmp_path).ledger.read() == []
    assert await count(either_database, audit_checkpoints) <= 2
    assert (await AuditProofs(database=either_database, envelope=ENVELOPE).verify()).is_valid


async def test_an_erasure_that_a_reader_held_up_ends_in_the_files_later(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """
    While somebody reads for long the journal keeps the name's seal; the next pruning empties it.
    """
    database, keys = sqlite_database, key_store(sqlite_database)
    journal = tmp_path / "ctxfy.db-wal"
    await keys.add(key("a"), told())
    wanted = select(people.c.ciphertext)
    sealed = await database.read(lambda connection: connection.execute(wanted).scalar_one())
    async with database._opening.snapshotting() as reading:  # pyright: ignore[reportPrivateUsage] - nothing else reads so long
        await reading.run_sync(
            lambda connection: connection.exec_driver_sql("SELECT count(*) FROM people")
        )
        assert await PeopleKit(database, tmp_path).store.erase("ann", told()) is not None
    assert sealed in journal.read_bytes()
    await retention_on(database, tmp_path).prune(at=NOON)
    assert journal.read_bytes() == b""
    assert sealed not in (tmp_path / "ctxfy.db").read_bytes()


async def test_what_is_for_ever_stays(either_database: Database, tmp_path: Path) -> None:
    """
    Without periods only what is over by itself goes, and no checkpoint is signed for it.
    """
    await fill(either_database, tmp_path)
    for_ever = Periods(events=None, ended_keys=None, erasures=None)
    retention = retention_on(either_database, tmp_path, for_ever)
    assert await retention.prune(at=NOON + 9999 * DAY) == Pruned(sessions=1)
    assert await count(either_database, audit_checkpoints) == 0
    assert await retention.settle() == 0


async def test_people_whom_history_names_stay_as_long_as_it(
    either_database: Database, tmp_path: Path
) -> None:
    """
    An event keeps who did it and to whom it was done, and the key of its month.
    """
    await fill(either_database, tmp_path)
    seals = AuditSeals(ENVELOPE)
    trail = AuditTrail(database=either_database, envelope=ENVELOPE, seals=seals, chain="main")
    ids = await either_database.read(
        lambda connection: connection.scalars(select(people.c.person_id)).all()
    )
    at = NOON + 31 * DAY
    for person_id, subject_id in ((ids[0], None), (None, ids[1])):
        await trail.append(
            AuditEvent(action="tested", at=at, person_id=person_id, subject_id=subject_id)
        )
    await retention_on(either_database, tmp_path).prune(at=at + DAY)
    left = await either_database.read(
        lambda connection: set(connection.scalars(select(people.c.person_id)).all())
    )
    assert {ids[0], ids[1]} <= left
    assert await count(either_database, audit_months) == 1
