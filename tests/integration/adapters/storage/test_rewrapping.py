"""
From one master key to the next, on real databases.
"""

import secrets

import pytest
from sqlalchemy import select, text

from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.people import check_master_key
from ctxfy.adapters.storage.rewrapping import Rewrapped, Rewrapping
from ctxfy.adapters.storage.tables import people
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    MASTER,
    NOON,
    key,
    key_store,
)


NEXT = MasterKey(id=2, secret=b"n" * 32)
BOTH = Envelope([MASTER, NEXT], random_bytes=secrets.token_bytes, current=2)
STILL_OLD = Envelope([MASTER, NEXT], random_bytes=secrets.token_bytes, current=1)
ONLY_NEXT = Envelope([NEXT], random_bytes=secrets.token_bytes)
NAMES = [f"person {number}" for number in range(5)]
DETAILS = {"network": "203.0.113.0/24"}


async def fill(database: Database) -> None:
    """
    Keep people, and events of one of them and of nobody.
    """
    for number, name in enumerate(NAMES):
        await key_store(database).add(key(f"k{number}x", user_id=name), told())
    person_id = await database.read(
        lambda connection: connection.scalar(select(people.c.person_id))
    )
    trail = AuditTrail(
        database=database, envelope=ENVELOPE, seals=AuditSeals(ENVELOPE), chain="other"
    )
    for person in (person_id, None):
        await trail.append(AuditEvent(action="tested", at=NOON, person_id=person, details=DETAILS))


async def details(database: Database, envelope: Envelope) -> list[object]:
    """
    Open the details of what was tested.
    """
    reader = AuditReader(database=database, envelope=envelope, seals=AuditSeals(envelope))
    found = reader.records(AuditFilter(action="tested"))
    return [record.event.details async for record in found if record.chain == "other"]


async def test_all_is_under_the_new_key_and_the_old_one_can_go(either_database: Database) -> None:
    """
    Names are found and read, history is read and proved, by the new key alone; before, it is
    missed in one sentence.
    """
    await fill(either_database)
    with pytest.raises(UnavailableError, match="master key number 1, which is not set"):
        await check_master_key(either_database, ONLY_NEXT)
    done = await Rewrapping(database=either_database, envelope=BOTH, batch=2).run()
    assert done == Rewrapped(people=5, months=1, chains=2)
    await check_master_key(either_database, ONLY_NEXT)
    store = key_store(either_database, ONLY_NEXT)
    assert [info.user_id for info in await store.list_keys()] == NAMES
    assert len(await store.list_keys(user_id=NAMES[3])) == 1
    assert await details(either_database, ONLY_NEXT) == [DETAILS] * 2
    verdict = await AuditProofs(database=either_database, envelope=ONLY_NEXT).verify()
    assert (verdict.is_valid, verdict.chains) == (True, 2)
    again = await Rewrapping(database=either_database, envelope=ONLY_NEXT).run()
    assert again == Rewrapped()


async def test_who_was_interrupted_goes_on_where_it_was(either_database: Database) -> None:
    """
    What was committed is not done again, and what servers write meanwhile is under either key.
    """
    await fill(either_database)

    def interrupt(done: int, wanted: int) -> None:
        assert wanted == len(NAMES)
        if done == 4:
            raise KeyboardInterrupt

    rewrapping = Rewrapping(database=either_database, envelope=BOTH, batch=2, tell=interrupt)
    with pytest.raises(KeyboardInterrupt):
        await rewrapping.run()
    for envelope in (BOTH, STILL_OLD):
        info = key(f"n{envelope.master_id}x", user_id=f"new under {envelope.master_id}")
        await key_store(either_database, envelope).add(info, told())
    seen: list[tuple[int, int]] = []
    rest = Rewrapping(
        database=either_database, envelope=BOTH, tell=lambda *counts: seen.append(counts)
    )
    assert (await rest.run()).people == 2
    assert seen == [(2, 2)]
    assert len(await key_store(either_database, ONLY_NEXT).list_keys()) == 7


async def test_a_head_that_nobody_vouched_for_is_not_vouched_for(
    either_database: Database,
) -> None:
    """
    A changed head stays what it is: found by verification, before and after.
    """
    await fill(either_database)
    forge = text("UPDATE audit_chains SET seq = seq + 1 WHERE chain = 'other'")
    await either_database.write(lambda connection: connection.execute(forge))
    done = await Rewrapping(database=either_database, envelope=BOTH).run()
    assert (done.chains, done.doubted) == (1, ("other",))
    verdict = await AuditProofs(database=either_database, envelope=BOTH).verify()
    assert [fault.chain for fault in verdict.faults] == ["other"]


async def test_an_older_key_that_is_missing_stops_it(either_database: Database) -> None:
    """
    Nothing is changed by who cannot open what there is.
    """
    await fill(either_database)
    with pytest.raises(UnavailableError, match="CTXFY_AUTH__OTHER_MASTER_KEYS"):
        await Rewrapping(database=either_database, envelope=ONLY_NEXT).run()
    assert [info.user_id for info in await key_store(either_database).list_keys()] == NAMES
