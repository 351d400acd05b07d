"""
Erasure on real databases: what of a person stays where, and what nobody can read any more.
"""

import gzip
from base64 import b64encode
from copy import replace
from pathlib import Path

from sqlalchemy import select

from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.backup import back_up
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.tables import people
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter, AuditRecord
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    NOON,
    key,
    key_store,
    person_store,
)


CANARY = "canary-person-4c1e"
HOME = {"network": "203.0.113.0/24", "means": "rest", "status": 200}


async def person_row(database: Database) -> tuple[str, list[bytes]]:
    """
    Read the only person: the id, and what is secret or leads to them.
    """
    wanted = select(people.c.person_id, people.c.lookup, people.c.wrapped_key, people.c.ciphertext)
    row = await database.read(lambda connection: connection.execute(wanted).one())
    return row[0], list(row[1:])


def act_by(person_id: str) -> AuditEvent:
    """
    Make an event of something a person did from home.
    """
    return AuditEvent(action="prompt_executed", at=NOON, person_id=person_id, details=HOME)


def trail_on(database: Database, seals: AuditSeals) -> AuditTrail:
    """
    Open a trail that remembers the keys it has seen.
    """
    return AuditTrail(database=database, envelope=ENVELOPE, seals=seals, chain="main")


async def everything(database: Database, seals: AuditSeals) -> list[AuditRecord]:
    """
    Read the whole trail, and require it to be whole.
    """
    assert (await AuditProofs(database=database, envelope=ENVELOPE).verify()).is_valid
    reader = AuditReader(database=database, envelope=ENVELOPE, seals=seals)
    return [record async for record in reader.records(AuditFilter())]


async def test_history_of_the_erased_verifies_and_tells_nothing(
    either_database: Database, tmp_path: Path
) -> None:
    """
    Events stay in their places under an id; neither name nor details can be read, nor be found by.
    """
    database, seals = either_database, AuditSeals(ENVELOPE)
    await key_store(database).add(key("a", user_id=CANARY), told())
    person_id, _ = await person_row(database)
    await trail_on(database, seals).append(act_by(person_id))
    assert (await everything(database, seals))[1].event.details == HOME
    assert await person_store(database, tmp_path).erase(CANARY, told()) is not None
    created, executed, erased = await everything(database, seals)
    assert (executed.user_id, executed.is_readable, executed.event.details) == ("", False, {})
    assert [each.subject for each in (created, erased)] == ["", ""]
    assert [each.event.subject_id for each in (created, erased)] == [person_id] * 2
    reader = AuditReader(database=database, envelope=ENVELOPE, seals=seals)
    assert await reader.page(AuditFilter(user_id=CANARY), cursor=None, limit=9) == ([], None)


async def test_what_is_told_of_the_erased_afterwards_is_nothing_personal(
    either_database: Database, tmp_path: Path
) -> None:
    """
    In the erasure itself, in another process that remembers the key, and out of a spool.
    """
    database, elsewhere = either_database, AuditSeals(ENVELOPE)
    await key_store(database).add(key("a", user_id=CANARY), told())
    person_id, _ = await person_row(database)
    other = trail_on(database, elsewhere)
    await other.append(act_by(person_id))
    own_wish = replace(act_by(person_id), action="person_erased")
    await person_store(database, tmp_path).erase(CANARY, own_wish)
    await other.append(act_by(person_id))
    _, _, erased, late = await everything(database, elsewhere)
    assert erased.event.details == {"means": "rest", "status": 200, "keys": 1, "sessions": 0}
    assert late.event.details == {"means": "rest", "status": 200}
    assert late.event.person_id == person_id


async def test_whoever_comes_back_is_somebody_new(
    either_database: Database, tmp_path: Path
) -> None:
    """
    The same name gets another id, and nothing of what was.
    """
    store, keys = person_store(either_database, tmp_path), key_store(either_database)
    await keys.add(key("a", user_id=CANARY), told())
    erased = await store.erase(CANARY, told())
    await keys.add(key("b", user_id=CANARY), told())
    held = await store.holdings(CANARY)
    assert held is not None
    assert erased is not None
    assert held.person.person_id != erased.person_id
    assert held.keys == (key("b", user_id=CANARY),)
    assert (await keys.list_keys())[0].user_id == ""


async def test_no_byte_of_the_erased_lingers(sqlite_database: Database, tmp_path: Path) -> None:
    """
    Name, note, wrapped key, sealed name and look-up value are in no file, nor in a new backup.
    """
    database = sqlite_database
    note = "of canary, on the canary laptop"
    await key_store(database).add(replace(key("a", user_id=CANARY), name=note), told())
    _, secrets = await person_row(database)
    assert all(any(secret in text for text in files_in(tmp_path)) for secret in secrets)
    assert any(note.encode() in text for text in files_in(tmp_path))
    await person_store(database, tmp_path).erase(CANARY, told())
    await back_up(database, tmp_path / "new.backup")
    told_in_backup = gzip.decompress((tmp_path / "new.backup").read_bytes())
    for secret in (*secrets, CANARY.encode(), note.encode()):
        assert not any(secret in text for text in files_in(tmp_path))
        assert secret not in told_in_backup
        assert b64encode(secret) not in told_in_backup


def files_in(folder: Path) -> list[bytes]:
    """
    Read every file: the database, its write-ahead log, and what else is there.
    """
    return [path.read_bytes() for path in folder.iterdir()]


async def test_a_reader_in_the_way_is_told_of(sqlite_database: Database) -> None:
    """
    While somebody reads an older state, the log cannot be emptied; afterwards it can.
    """
    database = sqlite_database
    await key_store(database).add(key("a"), told())

    async with database._opening.snapshotting() as reading:  # pyright: ignore[reportPrivateUsage] - nothing else reads so long
        await reading.run_sync(
            lambda connection: connection.exec_driver_sql("SELECT count(*) FROM people")
        )
        await key_store(database).add(key("b"), told())
        assert not await database.scrub()
    assert await database.scrub()


class LostBeforeScrubbing(Database):
    """
    A database that goes out of reach right after an erasure.
    """

    async def scrub(self) -> bool:
        """
        Fail.

        Raises:
            UnavailableError: Always.
        """
        raise UnavailableError("storage", "gone")


async def test_an_erasure_that_could_not_be_scrubbed_is_told_as_done(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """
    Otherwise the caches of running servers would keep the person's keys.
    """
    await key_store(sqlite_database).add(key("a", user_id=CANARY), told())
    lost = LostBeforeScrubbing(sqlite_database._opening)  # pyright: ignore[reportPrivateUsage] - the same file
    erased = await person_store(lost, tmp_path).erase(CANARY, told())
    assert erased is not None
    assert erased.keys == 1


async def test_an_erasure_is_told_once(either_database: Database, tmp_path: Path) -> None:
    """
    Asked for again there is nobody, and no event.
    """
    await key_store(either_database).add(key("a", user_id=CANARY), told())
    store = person_store(either_database, tmp_path)
    outcomes = [await store.erase(CANARY, told()) for _ in range(2)]
    assert [outcome is None for outcome in outcomes] == [False, True]
    assert len(await everything(either_database, AuditSeals(ENVELOPE))) == 2
