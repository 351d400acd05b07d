"""
Brings everything that stands under an older master key under the one in use.

Data keys are wrapped anew, and what they seal stays as it is; a name is also found by another hash.
It is done some rows at a time, so that servers go on meanwhile; what is done is not done again, so
whoever was interrupted begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, update

from ctxfy.adapters.storage.audit_rows import chain_of, lock_chain, move_chain
from ctxfy.adapters.storage.audit_seals import month_place
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.people import is_readable, rewrap_person
from ctxfy.adapters.storage.tables import audit_chains, audit_months, people, replays


BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """
    What came under the master key in use, and what could not.

    Attributes:
        doubted: Chains of the audit trail whose heads nobody with the master key wrote; to vouch
            for them anew would be to hide that.
        answers: Answers to rotations, which only who asked for them can open; their time is over
            in ten minutes.
    """

    people: int = 0
    months: int = 0
    chains: int = 0
    doubted: tuple[str, ...] = ()
    answers: int = 0


class Rewrapping:
    """
    Does it.

    Args:
        tell: Is told how many people are done, and how many there were to do.
    """

    def __init__(
        self,
        *,
        database: Database,
        envelope: Envelope,
        tell: Callable[[int, int], None] = lambda _done, _all: None,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._tell = tell
        self._batch = batch

    async def run(self) -> Rewrapped:
        """
        Bring everything under the master key in use.

        Raises:
            UnavailableError: An older master key is not here, or the database is out of reach.
        """
        wanted = select(func.count()).select_from(people).where(is_readable(), self._is_old_person)
        total = await self._database.read(
            lambda connection: connection.execute(wanted).scalar_one()
        )
        done = 0
        while count := await self._database.write(self._rewrap_people):
            done += count
            self._tell(done, total)
        months = await self._database.write(self._rewrap_months)
        chains, doubted = await self._database.write(self._vouch_anew)
        left = select(func.count()).where(replays.c.master_id != self._envelope.master_id)
        answers = await self._database.read(
            lambda connection: connection.execute(left).scalar_one()
        )
        return Rewrapped(
            people=done, months=months, chains=chains, doubted=doubted, answers=answers
        )

    def _rewrap_people(self, connection: Connection) -> int:
        wanted = select(people).where(is_readable(), self._is_old_person)
        rows = connection.execute(wanted.order_by(people.c.person_id).limit(self._batch)).mappings()
        return sum(rewrap_person(connection, self._envelope, row) for row in rows.all())

    def _rewrap_months(self, connection: Connection) -> int:
        # One in a month: they are few.
        wanted = select(audit_months).where(audit_months.c.master_id != self._envelope.master_id)
        rows = connection.execute(wanted).mappings().all()
        for row in rows:
            self._rewrap_month(connection, row)
        return len(rows)

    def _rewrap_month(self, connection: Connection, row: RowMapping) -> None:
        month = row[audit_months.c.month]
        place = month_place(month)
        data_key = self._envelope.unwrap(
            row[audit_months.c.wrapped_key], place, master_id=row[audit_months.c.master_id]
        )
        connection.execute(
            update(audit_months)
            .where(audit_months.c.month == month)
            .values(
                wrapped_key=self._envelope.wrap(data_key, place),
                master_id=self._envelope.master_id,
            )
        )

    def _vouch_anew(self, connection: Connection) -> tuple[int, tuple[str, ...]]:
        wanted = select(audit_chains).where(audit_chains.c.master_id != self._envelope.master_id)
        rows = connection.execute(wanted.order_by(audit_chains.c.chain)).mappings().all()
        found = [chain_of(row, self._envelope) for row in rows]
        for name in (chain.head.chain for chain in found if chain.vouched):
            chain = lock_chain(connection, self._envelope, name)
            move_chain(
                connection,
                self._envelope,
                head=chain.head,
                base=chain.base,
                spool_mark=chain.spool_mark,
            )
        doubted = tuple(chain.head.chain for chain in found if not chain.vouched)
        return len(found) - len(doubted), doubted

    @property
    def _is_old_person(self) -> ColumnElement[bool]:
        return people.c.master_id != self._envelope.master_id
