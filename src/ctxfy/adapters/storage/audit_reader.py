"""
Reading the audit trail (AuditQueryPort, but for its proofs): filters, pages, everything in order.
"""

from collections.abc import AsyncIterator, Iterable

from sqlalchemy import ColumnElement, Connection, and_, false, or_, select, tuple_

from ctxfy.adapters.storage.audit_rows import event_of
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.epochs import read_epoch
from ctxfy.adapters.storage.people import find_person, names_of
from ctxfy.adapters.storage.tables import audit_events, microseconds, moment
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter, AuditRecord, StoredEvent
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.paging_use_cases import decode_cursor, encode_cursor, strange_cursor


PAGE = 1000

_E = audit_events.c
_ORDER = (_E.at_us, _E.chain, _E.seq)

type Place = tuple[int, str, int]


class AuditReader:
    """
    Reads events and opens their details.
    """

    def __init__(self, *, database: Database, envelope: Envelope, seals: AuditSeals) -> None:
        self._database = database
        self._envelope = envelope
        self._seals = seals

    async def page(
        self, wanted: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditRecord], str | None]:
        """
        Return events, the newest first, and where the next page begins; None if there is none.

        Raises:
            InvalidRequestError: The cursor is none.
        """
        before = None if cursor is None else _place_of(decode_cursor(cursor))

        def act(connection: Connection) -> list[AuditRecord]:
            conditions = self._conditions(connection, wanted)
            if before is not None:
                conditions.append(tuple_(*_ORDER) < tuple_(*before))
            found = select(audit_events).where(*conditions)
            newest = found.order_by(*(column.desc() for column in _ORDER)).limit(limit + 1)
            return self._records(connection, map(event_of, connection.execute(newest).mappings()))

        records = await self._database.read(act)
        if len(records) <= limit:
            return records, None
        last = records[limit - 1]
        return records[:limit], encode_cursor(_cursor_of(last))

    async def records(self, wanted: AuditFilter) -> AsyncIterator[AuditRecord]:
        """
        Iterate over all events that are meant, the oldest first, a page in memory at a time.
        """
        after: Place | None = None
        while True:
            page = await self._after(wanted, after)
            for record in page:
                yield record
            if len(page) < PAGE:
                return
            after = _place(page[-1])

    async def _after(self, wanted: AuditFilter, after: Place | None) -> list[AuditRecord]:
        def act(connection: Connection) -> list[AuditRecord]:
            conditions = self._conditions(connection, wanted)
            if after is not None:
                conditions.append(tuple_(*_ORDER) > tuple_(*after))
            found = select(audit_events).where(*conditions).order_by(*_ORDER).limit(PAGE)
            return self._records(connection, map(event_of, connection.execute(found).mappings()))

        return await self._database.read(act)

    def _conditions(self, connection: Connection, wanted: AuditFilter) -> list[ColumnElement[bool]]:
        conditions = [
            column == value
            for column, value in (
                (_E.action, wanted.action),
                (_E.outcome, wanted.outcome),
                (_E.key_id, wanted.key_id),
                (_E.target, wanted.target),
                (_E.request_id, wanted.request_id),
            )
            if value is not None
        ]
        if wanted.since is not None:
            conditions.append(_E.at_us >= microseconds(wanted.since))
        if wanted.until is not None:
            conditions.append(_E.at_us < microseconds(wanted.until))
        if wanted.user_id is not None:
            person_id = find_person(connection, self._envelope, wanted.user_id)
            conditions.append(
                false()
                if person_id is None
                else or_(_E.person_id == person_id, _E.subject_id == person_id)
            )
        return [and_(*conditions)] if conditions else []

    def _records(self, connection: Connection, events: Iterable[StoredEvent]) -> list[AuditRecord]:
        found = list(events)
        self._seals.follow(read_epoch(connection))
        people = {each for event in found for each in (event.person_id, event.subject_id) if each}
        names = names_of(connection, self._envelope, people)
        return [self._record(connection, event, names) for event in found]

    def _record(
        self, connection: Connection, event: StoredEvent, names: dict[str, str]
    ) -> AuditRecord:
        try:
            details = self._seals.open(connection, event)
        except UnavailableError:
            details = None  # changed by somebody; verification says so, reading goes on
        return AuditRecord(
            chain=event.chain,
            seq=event.seq,
            hash=event.hash,
            user_id=_name(names, event.person_id),
            subject=_name(names, event.subject_id),
            is_readable=details is not None,
            event=AuditEvent(
                action=event.action,
                at=moment(event.at_us),
                outcome=event.outcome,
                request_id=event.request_id,
                key_id=None if event.key_id is None else KeyId(event.key_id),
                person_id=event.person_id,
                subject_id=event.subject_id,
                target=event.target,
                details=details or {},
            ),
        )


def _name(names: dict[str, str], person_id: str | None) -> str | None:
    return None if person_id is None else names.get(person_id, "")


def _place(record: AuditRecord) -> Place:
    return microseconds(record.event.at), record.chain, record.seq


def _cursor_of(record: AuditRecord) -> str:
    return " ".join(map(str, _place(record)))


def _place_of(cursor: str) -> Place:
    try:
        at_us, chain, seq = cursor.split(" ")
        return int(at_us), chain, int(seq)
    except ValueError as error:
        raise strange_cursor() from error
