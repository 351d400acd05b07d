"""
Erasures: what is done to a person's rows, and how a restored backup is made to know of them.

Which erasures are carried out stands in a table, so that it goes back with the database when a
backup is restored; that they were asked for stands in the ledger beside it, which does not.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from copy import replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.epochs import move_epoch
from ctxfy.adapters.storage.erasure_ledger import MARK_BYTES, ErasureLedger
from ctxfy.adapters.storage.people import erase_person, page_of_names
from ctxfy.adapters.storage.tables import api_keys, erasures, key_usage, sessions
from ctxfy.core.models.audit_models import SERVER, AuditEvent
from ctxfy.core.models.auth_models import KeyStatus
from ctxfy.core.models.person_models import Erasure, LedgerEntry, Person
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.person_use_cases import is_erased


PAGE = 500


class Erasures:
    """
    Carries erasures out, once, and again where a backup brought somebody back.
    """

    def __init__(
        self,
        *,
        database: Database,
        envelope: Envelope,
        seals: AuditSeals,
        trail: AuditTrail,
        ledger: ErasureLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._seals = seals
        self._trail = trail
        self._ledger = ledger
        self._now = now

    def carry_out(self, connection: Connection, person: Person, at: datetime) -> Erasure:
        """
        Erase somebody within a transaction; the ledger has it before that can be committed.

        Raises:
            UnavailableError: The ledger cannot be written.
        """
        erased = self._erase(connection, person.person_id, at)
        entry = LedgerEntry(
            # By clocks that differ, somebody may come after they were erased.
            at=max(at, person.created_at),
            marks=self._envelope.erasure_marks(person.user_id),
        )
        _note(connection, [entry])
        # Here the event loop waits for the disk: erasures are rare, and this one must not wait for
        # a transaction that another process has to begin.
        self._ledger.add([entry])
        return erased

    async def settle(self) -> int:
        """
        Bring table and ledger into step; tells how many people were erased again.

        What only the ledger tells of is carried out, what only the table knows is told to it.

        Raises:
            ConfigurationError: The ledger is damaged.
            UnavailableError: Database or ledger are out of reach, or the master key does not fit.
        """
        told = await asyncio.to_thread(self._ledger.read)
        known = await self._database.read(_entries)
        missing = _without(told, known)
        count = await self._carry_out_again(missing) if missing else 0
        if untold := _without(known, told):
            await asyncio.to_thread(self._ledger.add, untold)
        return count

    async def prune(self, *, before: datetime) -> int:
        """
        Forget erasures from before a moment; tells how many.

        Raises:
            UnavailableError: Database or ledger are out of reach.
        """
        gone = delete(erasures).where(erasures.c.at < before)
        # The ledger first: what only the table knows is told to it, the other way is carried out.
        await asyncio.to_thread(self._ledger.drop, before=before)
        return await self._database.write(lambda connection: connection.execute(gone).rowcount)

    async def _carry_out_again(self, entries: Sequence[LedgerEntry]) -> int:
        count, after = 0, ""
        while page := await self._database.read(self._page_reader(after)):
            for person in page:
                marks = self._envelope.erasure_marks(person.user_id)
                if is_erased(person.created_at, marks, entries):
                    await self._trail.change(self._again(person.person_id), lambda event: event)
                    count += 1
            after = page[-1].person_id
        await self._database.write(lambda connection: _note(connection, entries))
        if count:
            await self._database.scrub()
        return count

    def _page_reader(self, after: str) -> Callable[[Connection], list[Person]]:
        return lambda connection: page_of_names(connection, self._envelope, after=after, limit=PAGE)

    def _again(self, person_id: str) -> Callable[[Connection], AuditEvent]:
        def act(connection: Connection) -> AuditEvent:
            at = self._now()
            erased = self._erase(connection, person_id, at)
            event = act_of(
                SERVER, "person_erased", at, again=True, keys=erased.keys, sessions=erased.sessions
            )
            return replace(event, subject_id=person_id)

        return act

    def _erase(self, connection: Connection, person_id: str, at: datetime) -> Erasure:
        of_person = api_keys.c.person_id == person_id
        keys = select(api_keys.c.key_id).where(of_person)
        connection.execute(delete(key_usage).where(key_usage.c.key_id.in_(keys)))
        ended = connection.execute(delete(sessions).where(sessions.c.key_id.in_(keys)))
        live = api_keys.c.status != KeyStatus.REVOKED.value
        revoked = connection.execute(
            update(api_keys)
            .where(of_person, live)
            .values(status=KeyStatus.REVOKED.value, revoked_at=at)
        )
        # A note on a key may say whose it is, and a network where they live.
        connection.execute(update(api_keys).where(of_person).values(name="", networks=None))
        erase_person(connection, self._envelope, person_id)
        move_epoch(connection)
        # The event that tells of it is sealed next, and may be of the very person.
        self._seals.forget(person_id)
        return Erasure(person_id=person_id, keys=revoked.rowcount, sessions=ended.rowcount)


def _entries(connection: Connection) -> list[LedgerEntry]:
    rows = connection.execute(select(erasures).order_by(erasures.c.at, erasures.c.marks))
    return [LedgerEntry(at=row.at, marks=_split(row.marks)) for row in rows]


def _note(connection: Connection, entries: Iterable[LedgerEntry]) -> None:
    known = set(_entries(connection))
    rows = [
        {"at": entry.at, "marks": b"".join(entry.marks)}
        for entry in dict.fromkeys(entries)
        if entry not in known
    ]
    if rows:
        connection.execute(insert(erasures), rows)


def _without(these: Iterable[LedgerEntry], those: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    known = set(those)
    return [entry for entry in these if entry not in known]


def _split(marks: bytes) -> tuple[bytes, ...]:
    return tuple(marks[start : start + MARK_BYTES] for start in range(0, len(marks), MARK_BYTES))
