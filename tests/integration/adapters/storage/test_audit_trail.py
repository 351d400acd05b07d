"""
The audit trail on a real database: group commit, changes with events, proofs, pruning.
"""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Select, Update, delete, insert, select, text, update

from ctxfy.adapters.storage import audit_proofs
from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope, MasterKey
from ctxfy.adapters.storage.people import find_person
from ctxfy.adapters.storage.tables import audit_chains, audit_events, epochs, people
from ctxfy.core.exceptions import CheckpointError, InvalidRequestError, LastAdminKeyError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter, SignedCheckpoint
from ctxfy.core.models.auth_models import KeyId
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import ENVELOPE, NOON, key, key_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """
    A trail and what reads and proves it.
    """

    database: Database
    trail: AuditTrail
    reader: AuditReader
    proofs: AuditProofs

    async def run(self, statement: str) -> None:
        """
        Tamper with the database.
        """
        await self.database.write(lambda connection: connection.execute(text(statement)))


@pytest.fixture(params=["sqlite", "postgresql"])
def kit(request: pytest.FixtureRequest) -> Kit:
    """
    A trail on an empty database of each kind.
    """
    database: Database = request.getfixturevalue(f"{request.param}_database")
    seals = AuditSeals(ENVELOPE)
    return Kit(
        database=database,
        trail=AuditTrail(database=database, envelope=ENVELOPE, seals=seals, chain="main"),
        reader=AuditReader(database=database, envelope=ENVELOPE, seals=AuditSeals(ENVELOPE)),
        proofs=AuditProofs(database=database, envelope=ENVELOPE),
    )


def event(number: int = 0, **facts: object) -> AuditEvent:
    """
    Make an event, so many minutes after noon.
    """
    given: dict[str, object] = {"action": "prompt_executed", "target": f"prompt-{number}"}
    return AuditEvent(at=NOON + timedelta(minutes=number), **(given | facts))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - by name


def list_files(folder: Path) -> list[Path]:
    """
    List what the database has written.
    """
    return sorted(folder.iterdir())


async def everything(kit: Kit) -> list[AuditEvent]:
    """
    Read the whole trail, the oldest first.
    """
    return [record.event async for record in kit.reader.records(AuditFilter())]


async def test_events_come_back_as_they_were_kept(kit: Kit) -> None:
    """
    Every field survives, details included, though these are on the disk only sealed.
    """
    kept = event(
        1,
        outcome="prompt.invalid_arguments",
        request_id="r-1",
        key_id=KeyId("k" * 12),
        details={"address": "203.0.113.0", "bytes": 7, "client": "Zoë"},
    )
    await kit.trail.append(kept)
    assert await everything(kit) == [kept]


async def test_many_events_at_once_become_one_whole_chain(kit: Kit) -> None:
    """
    Two hundred writers at once leave two hundred events in one order, in far fewer transactions.
    """
    await asyncio.gather(*(kit.trail.append(event(number)) for number in range(200)))
    verdict = await kit.proofs.verify()
    assert (verdict.is_valid, verdict.events, verdict.chains) == (True, 200, 1)
    assert {each.target for each in await everything(kit)} == {f"prompt-{n}" for n in range(200)}


async def test_a_change_and_its_event_are_kept_together(kit: Kit) -> None:
    """
    What the change returns reaches the caller and the event.
    """

    def act(connection: Connection) -> int:
        connection.execute(insert(epochs).values(name="test", value=7))
        return 7

    got = await kit.trail.change(act, lambda value: event(action="changed", target=str(value)))
    assert (got, [each.target for each in await everything(kit)]) == (7, ["7"])


async def test_a_refused_change_leaves_neither_itself_nor_an_event(kit: Kit) -> None:
    """
    A refusal undoes its own change, and those that shared the transaction stay.
    """

    def refuse(connection: Connection) -> None:
        connection.execute(insert(epochs).values(name="half", value=1))
        raise LastAdminKeyError("no")

    outcomes = await asyncio.gather(
        kit.trail.append(event(1)),
        kit.trail.change(refuse, lambda _nothing: event(2)),
        kit.trail.append(event(3)),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes] == [type(None), LastAdminKeyError, type(None)]
    assert [each.target for each in await everything(kit)] == ["prompt-1", "prompt-3"]
    half = select(epochs).where(epochs.c.name == "half")
    assert await kit.database.read(lambda connection: connection.execute(half).first()) is None


async def test_pages_go_from_the_newest_to_the_oldest(kit: Kit) -> None:
    """
    Each event is on exactly one page, whatever is written in between.
    """
    for number in range(5):
        await kit.trail.append(event(number))
    seen, cursor = list[str | None](), None
    for _ in range(3):
        page, cursor = await kit.reader.page(AuditFilter(), cursor=cursor, limit=2)
        seen += [record.event.target for record in page]
        await kit.trail.append(event(9))
    assert (seen, cursor) == ([f"prompt-{number}" for number in (4, 3, 2, 1, 0)], None)
    with pytest.raises(InvalidRequestError, match="cursor"):
        await kit.reader.page(AuditFilter(), cursor="bm9uZQ", limit=2)


async def test_filters_narrow_what_is_read(kit: Kit) -> None:
    """
    Each filter leaves the events it asks for, a person's both as actor and as subject.
    """
    await key_store(kit.database).add(key("a", user_id="ann"), told())
    ann = await kit.database.read(lambda connection: find_person(connection, ENVELOPE, "ann"))
    await kit.trail.append(event(1, person_id=ann, request_id="r-1", outcome="bad"))
    await kit.trail.append(event(2, subject_id=ann, key_id=KeyId("k"), action="key_created"))
    await kit.trail.append(event(3))
    cases = {
        AuditFilter(user_id="ann"): [1, 2],
        AuditFilter(user_id="nobody"): [],
        AuditFilter(request_id="r-1"): [1],
        AuditFilter(outcome="bad"): [1],
        AuditFilter(key_id="k"): [2],
        AuditFilter(action="key_created"): [2],
        AuditFilter(target="prompt-3"): [3],
        AuditFilter(since=NOON + timedelta(minutes=2)): [2, 3],
        AuditFilter(until=NOON + timedelta(minutes=2)): [1],
        AuditFilter(user_id="ann", action="prompt_executed"): [1],
    }
    for wanted, numbers in cases.items():
        targets = [record.event.target async for record in kit.reader.records(wanted)]
        found = [target for target in targets if target]  # the key's own event has none here
        assert found == [f"prompt-{number}" for number in numbers], wanted


async def test_an_erased_person_takes_the_details_along(kit: Kit) -> None:
    """
    With the person's key destroyed nobody reads the details, and the chain is whole all the same.
    """
    await key_store(kit.database).add(key("a", user_id="ann"), told())
    ann = await kit.database.read(lambda connection: find_person(connection, ENVELOPE, "ann"))
    await kit.trail.append(event(1, person_id=ann, details={"address": "203.0.113.0"}))
    gone = update(people).values(wrapped_key=b"", ciphertext=b"", lookup=secrets.token_bytes(32))
    await kit.database.write(lambda connection: connection.execute(gone))
    wanted = AuditFilter(action="prompt_executed")
    (record,) = [record async for record in kit.reader.records(wanted)]
    assert (record.user_id, record.is_readable, record.event.details) == ("", False, {})
    assert (await kit.proofs.verify()).is_valid


PUT_IN = (
    "INSERT INTO audit_events (chain, seq, at_us, action, outcome, seal, sealed, hash) SELECT"
    " chain, {}, at_us, action, outcome, seal, sealed, hash FROM audit_events WHERE seq = 5"
)
SWAP = "UPDATE audit_events SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)"
SETTLE = "UPDATE audit_events SET seq = -seq WHERE seq < 0"
TAMPERINGS = {
    "a changed event": ("UPDATE audit_events SET target = 'x' WHERE seq = 3", 3),
    "changed details": ("UPDATE audit_events SET sealed = hash WHERE seq = 2", 2),
    "a missing event": ("DELETE FROM audit_events WHERE seq = 2", 2),
    "a cut tail": ("DELETE FROM audit_events WHERE seq >= 4", 4),
    "all events gone": ("DELETE FROM audit_events", 1),
    "a renamed chain": ("UPDATE audit_events SET chain = 'other'", 1),
    "a moved head": ("UPDATE audit_chains SET seq = 4", 4),
    "a forged base": ("UPDATE audit_chains SET base_seq = 5, base_hash = hash", 5),
    "a forgotten chain": ("DELETE FROM audit_chains", 1),
    "an event put in": (PUT_IN.format(6), 6),
    "an event before all": (PUT_IN.format(0), 0),
    "two events exchanged": (f"{SWAP}; {SETTLE}", 2),
}


async def test_a_gentle_verification_comes_to_the_same(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    In small pages, with rests between them.
    """
    monkeypatch.setattr(audit_proofs, "GENTLE", audit_proofs.Pace(page=2, rest_seconds=0.001))
    for number in range(7):
        await kit.trail.append(event(number))
    verdict = await kit.proofs.verify(gently=True)
    assert verdict == await kit.proofs.verify()
    assert (verdict.is_valid, verdict.events) == (True, 7)


@pytest.mark.parametrize(("statements", "seq"), TAMPERINGS.values(), ids=TAMPERINGS)
async def test_tampering_is_found_at_its_place(kit: Kit, statements: str, seq: int) -> None:
    """
    Whatever was done to the rows, verification names the chain and the exact place.
    """
    for number in range(5):
        await kit.trail.append(event(number))
    assert (await kit.proofs.verify()).is_valid
    for statement in statements.split("; "):
        await kit.run(statement)
    verdict = await kit.proofs.verify()
    assert await kit.proofs.verify(gently=True) == verdict
    assert [fault.seq for fault in verdict.faults] == [seq]


async def test_no_column_can_be_changed_unseen(sqlite_database: Database) -> None:
    """
    Whichever field of whichever row is changed, to something or to nothing, its place is named.
    """
    trail = AuditTrail(
        database=sqlite_database, envelope=ENVELOPE, seals=AuditSeals(ENVELOPE), chain="main"
    )
    proofs = AuditProofs(database=sqlite_database, envelope=ENVELOPE)
    for number in range(3):
        await trail.append(event(number, request_id="r", key_id=KeyId("k" * 12)))
    for column in audit_events.columns:
        if column.name in {"chain", "seq"}:
            continue  # to move a row is another test's business
        for seq in (1, 2, 3):
            place = audit_events.c.seq == seq
            kept = await look(sqlite_database, select(column).where(place))
            others: dict[type, object] = {int: 7, bytes: b"x"}
            other = others.get(type(kept), "x")
            await change(sqlite_database, update(audit_events).where(place).values({column: other}))
            assert [fault.seq for fault in (await proofs.verify()).faults] == [seq], column.name
            await change(sqlite_database, update(audit_events).where(place).values({column: kept}))
    assert (await proofs.verify()).is_valid


async def look(database: Database, statement: Select[tuple[object]]) -> object:
    """
    Read one field.
    """
    return await database.read(lambda connection: connection.execute(statement).scalar_one())


async def change(database: Database, statement: Update) -> None:
    """
    Change a row.
    """
    await database.write(lambda connection: connection.execute(statement))


async def test_a_rolled_back_database_shows_against_a_checkpoint(kit: Kit) -> None:
    """
    Every row of an older state is right in itself; the checkpoint that was kept elsewhere is newer.
    """
    for number in range(3):
        await kit.trail.append(event(number))
    before = await kit.database.read(
        lambda connection: dict(connection.execute(select(audit_chains)).mappings().one())
    )
    await kit.trail.append(event(3))
    checkpoint = await kit.proofs.sign_checkpoint(at=NOON)
    assert await kit.proofs.compare(checkpoint) == []

    def roll_back(connection: Connection) -> None:
        connection.execute(delete(audit_events).where(audit_events.c.seq > 3))
        connection.execute(update(audit_chains).values(before))

    await kit.database.write(roll_back)
    assert (await kit.proofs.verify()).is_valid
    (fault,) = await kit.proofs.compare(checkpoint)
    assert (fault.chain, fault.seq) == ("main", 4)


async def test_a_rewritten_chain_shows_against_a_checkpoint(kit: Kit) -> None:
    """
    Whoever holds the master key can write other events; the hash at the checkpoint's place differs.
    """
    await kit.trail.append(event(1))
    checkpoint = await kit.proofs.sign_checkpoint(at=NOON)
    await kit.run("DELETE FROM audit_events")
    await kit.run("DELETE FROM audit_chains")
    assert [fault.reason for fault in await kit.proofs.compare(checkpoint)] == [
        "the whole chain is missing"
    ]
    await kit.trail.append(event(2))
    assert (await kit.proofs.verify()).is_valid
    (fault,) = await kit.proofs.compare(checkpoint)
    assert fault.seq == 1


async def test_a_foreign_checkpoint_is_refused(kit: Kit) -> None:
    """
    A changed text, another signature and another master key's checkpoint tell nothing.
    """
    checkpoint = await kit.proofs.sign_checkpoint(at=NOON)
    other = Envelope([MasterKey(id=2, secret=b"o" * 32)], random_bytes=secrets.token_bytes)
    foreign = await AuditProofs(database=kit.database, envelope=other).sign_checkpoint(
        at=NOON + timedelta(hours=1)
    )
    for strange in (
        SignedCheckpoint(text=checkpoint.text, signature=b"s" * 64),
        SignedCheckpoint(
            text=checkpoint.text.replace("12:00", "13:00"), signature=checkpoint.signature
        ),
        foreign,
    ):
        with pytest.raises(CheckpointError, match="not signed by this server"):
            await kit.proofs.compare(strange)


async def test_checkpoints_are_kept_in_a_row(kit: Kit) -> None:
    """
    Each tells the hash of the one before; they are listed with the newest first.
    """
    first = await kit.proofs.sign_checkpoint(at=NOON)
    second = await kit.proofs.sign_checkpoint(at=NOON + timedelta(hours=1))
    assert await kit.proofs.checkpoints() == [second, first]
    assert "previous -" in first.text
    assert "previous -" not in second.text


async def test_two_checkpoints_of_one_moment_are_both_kept(kit: Kit) -> None:
    """
    The second is a microsecond later: two processes may sign at the same time.
    """
    first = await kit.proofs.sign_checkpoint(at=NOON)
    second = await kit.proofs.sign_checkpoint(at=NOON)
    assert await kit.proofs.checkpoints() == [second, first]
    assert await kit.proofs.compare(second) == []


async def test_pruning_leaves_a_chain_that_verifies(kit: Kit) -> None:
    """
    Old events go, two at a time, the rest is whole from the base on, and a second finds nothing.
    """
    for number in range(5):
        await kit.trail.append(event(number))
    cut = NOON + timedelta(minutes=3)
    assert await kit.proofs.prune(before=cut, at=NOON + timedelta(days=1), batch=2) == 3
    assert [each.target for each in await everything(kit)] == ["prompt-3", "prompt-4"]
    verdict = await kit.proofs.verify()
    assert (verdict.is_valid, verdict.events) == (True, 2)
    assert await kit.proofs.prune(before=cut, at=NOON + timedelta(days=2)) == 0
    await kit.trail.append(event(5))
    assert (await kit.proofs.verify()).is_valid


async def test_a_pruning_under_a_verification_is_no_fault(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Which begins anew with what is left; what is missing apart from that is found all the same.
    """
    monkeypatch.setattr(audit_proofs, "GENTLE", audit_proofs.Pace(page=1, rest_seconds=0.01))
    for number in range(9):
        await kit.trail.append(event(number))
    looking = asyncio.create_task(kit.proofs.verify(gently=True))
    cut, day = NOON + timedelta(minutes=6), timedelta(days=1)
    assert await kit.proofs.prune(before=cut, at=NOON + day, batch=4) == 6
    assert (await looking).is_valid
    await kit.run("DELETE FROM audit_events WHERE seq = 8")
    looking = asyncio.create_task(kit.proofs.verify(gently=True))
    await kit.proofs.prune(before=cut + timedelta(minutes=1), at=NOON + day)
    assert [fault.seq for fault in (await looking).faults] == [8]


async def test_nothing_personal_is_on_the_disk_in_clear(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """
    Details are found in no file of the database.
    """
    trail = AuditTrail(
        database=sqlite_database, envelope=ENVELOPE, seals=AuditSeals(ENVELOPE), chain="main"
    )
    await trail.append(event(1, details={"address": "203.0.113.0", "client": "canary-client"}))
    files = b"".join(map(Path.read_bytes, list_files(tmp_path)))
    assert b"prompt_executed" in files
    assert b"canary-client" not in files
    assert b"203.0.113" not in files
