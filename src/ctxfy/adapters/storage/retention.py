"""
Takes away what was kept long enough, some rows at a time, so that nobody waits for long.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, exists, func, or_, select

from ctxfy.adapters.storage.audit_proofs import BATCH, AuditProofs
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.epochs import move_epoch
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.tables import (
    api_keys,
    audit_checkpoints,
    audit_events,
    audit_months,
    microseconds,
    moment,
    people,
    replays,
    sessions,
)
from ctxfy.core.models.auth_models import KeyStatus
from ctxfy.core.models.retention_models import Periods, Pruned
from ctxfy.core.use_cases.audit_use_cases import month_of


class Retention:
    """
    Prunes (RetentionPort).
    """

    def __init__(
        self,
        *,
        database: Database,
        proofs: AuditProofs,
        erasures: Erasures,
        periods: Periods,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._proofs = proofs
        self._erasures = erasures
        self._periods = periods
        self._batch = batch

    async def settle(self) -> int:
        """
        Bring the ledger of erasures into step with the database.
        """
        return await self._erasures.settle()

    async def prune(self, *, at: datetime) -> Pruned:
        """
        Take away what was kept long enough at a moment.

        Raises:
            UnavailableError: The database, or the ledger of erasures, is out of reach.
        """
        events = checkpoints = keys = erased = 0
        if (period := self._periods.events) is not None:
            events = await self._proofs.prune(before=at - period, at=at, batch=self._batch)
            checkpoints = await self._in_batches(_old_checkpoints(at - period))
        if (period := self._periods.ended_keys) is not None:
            keys = await self._in_batches(_ended_keys(at - period))
        if (period := self._periods.erasures) is not None:
            erased = await self._erasures.prune(before=at - period)
        pruned = Pruned(
            events=events,
            checkpoints=checkpoints,
            months=await self._database.write(lambda connection: _drop_months(connection, at)),
            sessions=await self._in_batches(_over_sessions(at)),
            answers=await self._in_batches(_over_answers(at)),
            keys=keys,
            people=await self._in_batches(_unneeded_people(at)),
            erasures=erased,
        )
        # Also for an erasure that somebody who read for long kept from ending in the files.
        await self._database.scrub()
        return pruned

    async def _in_batches(self, act: Callable[[Connection, int], int]) -> int:
        total = 0
        while count := await self._database.write(lambda connection: act(connection, self._batch)):
            total += count
        return total


def _old_checkpoints(before: datetime) -> Callable[[Connection, int], int]:
    def act(connection: Connection, limit: int) -> int:
        # The newest stays however old it is: the trail is compared with it.
        newest = select(func.max(audit_checkpoints.c.at_us)).scalar_subquery()
        at_us = audit_checkpoints.c.at_us
        old = select(at_us).where(at_us < microseconds(before), at_us < newest).limit(limit)
        gone = delete(audit_checkpoints).where(at_us.in_(old))
        return connection.execute(gone).rowcount

    return act


def _ended_keys(before: datetime) -> Callable[[Connection, int], int]:
    ended = or_(
        (api_keys.c.status == KeyStatus.REVOKED.value) & (api_keys.c.revoked_at < before),
        api_keys.c.expires_at < before,
    )

    def act(connection: Connection, limit: int) -> int:
        wanted = select(api_keys.c.key_id).where(ended).order_by(api_keys.c.key_id).limit(limit)
        gone = connection.execute(delete(api_keys).where(api_keys.c.key_id.in_(wanted))).rowcount
        if gone:
            move_epoch(connection)
        return gone

    return act


def _over_sessions(at: datetime) -> Callable[[Connection, int], int]:
    over = or_(sessions.c.idle_expires_at <= at, sessions.c.expires_at <= at)

    def act(connection: Connection, limit: int) -> int:
        wanted = select(sessions.c.token_digest).where(over).limit(limit)
        gone = delete(sessions).where(sessions.c.token_digest.in_(wanted))
        return connection.execute(gone).rowcount

    return act


def _over_answers(at: datetime) -> Callable[[Connection, int], int]:
    def act(connection: Connection, limit: int) -> int:
        wanted = select(replays.c.lookup).where(replays.c.expires_at <= at).limit(limit)
        return connection.execute(delete(replays).where(replays.c.lookup.in_(wanted))).rowcount

    return act


def _unneeded_people(at: datetime) -> Callable[[Connection, int], int]:
    # Whoever was just met may have an event coming.
    met = people.c.created_at < at - timedelta(days=1)

    def act(connection: Connection, limit: int) -> int:
        person_id = people.c.person_id
        unneeded: list[ColumnElement[bool]] = [
            ~exists().where(column == person_id)
            for column in (
                api_keys.c.person_id,
                audit_events.c.person_id,
                audit_events.c.subject_id,
            )
        ]
        wanted = select(person_id).where(met, *unneeded).limit(limit)
        return connection.execute(delete(people).where(person_id.in_(wanted))).rowcount

    return act


def _drop_months(connection: Connection, at: datetime) -> int:
    """
    Destroy the keys of months whose events are all gone: one in a month, so they are few.
    """
    oldest_us = connection.scalar(select(func.min(audit_events.c.at_us)))
    oldest = at if oldest_us is None else min(at, moment(oldest_us))
    gone = delete(audit_months).where(audit_months.c.month < month_of(oldest))
    return connection.execute(gone).rowcount
