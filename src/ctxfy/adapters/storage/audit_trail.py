"""
The one writer of the audit trail in a process (AuditPort): group commit, and changes with events.

Whoever has something to keep waits in one line. What has gathered there while the last transaction
went to the disk goes into the next one: under load hundreds of events share one commit, alone an
event waits for nobody. A change of keys, settings or people stands in the same line with its event:
both are kept, or neither.

While the database is away, events go to a spool, if there is one; changes cannot be made. `drain`
takes the spool over once the database is back.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy import Connection

from ctxfy.adapters.storage.audit_line import MAX_BATCH, CommitLine, Entry, Failed
from ctxfy.adapters.storage.audit_rows import Chain, insert_events, lock_chain, move_chain
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_spool import AuditSpool, Spooled
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.null_watcher import NullAuditWatcher
from ctxfy.adapters.storage.tables import microseconds
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, ChainHead, Drained, Fate, StoredEvent
from ctxfy.core.ports.audit_ports import AuditWatcherPort
from ctxfy.core.use_cases.audit_use_cases import append_to_chain, head_of, is_chain_name


class AuditTrail:
    """
    Writes one chain.

    Args:
        chain: Its name; several processes may write to one chain, one after the other.
        spool: Where events wait while the database is away; None if they must not.
        strict: Whether `append` returns only when the event is on the disk.
        watcher: Is told what became of every event.
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(
        self,
        *,
        database: Database,
        envelope: Envelope,
        seals: AuditSeals,
        chain: str,
        spool: AuditSpool | None = None,
        strict: bool = True,
        watcher: AuditWatcherPort | None = None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        if not is_chain_name(chain):
            message = f"{chain!r} cannot name an audit chain"
            raise ValueError(message)
        self._database = database
        self._envelope = envelope
        self._seals = seals
        self._chain = chain
        self._spool = spool
        self._strict = strict
        self._watcher = watcher or NullAuditWatcher()
        self._monotonic = monotonic
        self._is_away = False
        self._lost = 0
        self._spooling = asyncio.Lock()
        self._line = CommitLine(self._write)

    @property
    def waiting(self) -> int:
        """
        How many entries stand in line.
        """
        return self._line.waiting

    @property
    def is_away(self) -> bool:
        """
        Whether the database was out of reach when last tried: events go to the spool.
        """
        return self._is_away

    @property
    def spooled_bytes(self) -> int:
        """
        How much waits in the spool.
        """
        return 0 if self._spool is None else self._spool.size

    @property
    def lost(self) -> int:
        """
        How many events could not be kept anywhere. In strict mode their requests were refused.
        """
        return self._lost

    async def append(self, event: AuditEvent) -> None:
        """
        Keep an event; on return it is safe on the disk, if the trail is strict.

        Raises:
            UnavailableError: It could not be kept; what it tells of must not be acknowledged.
        """
        done = asyncio.get_running_loop().create_future() if self._strict else None
        entry = Entry(tell=lambda _nothing: event, done=done)
        try:
            self._line.enqueue(entry)
        except UnavailableError:
            self._lose([event])
            raise
        if done is not None:
            await done

    async def change[T](
        self, act: Callable[[Connection], T], tell: Callable[[T], AuditEvent | None]
    ) -> T:
        """
        Change something and keep the event that tells of it, in one transaction.

        Args:
            act: The change; a CtxfyError it raises undoes this change and no other.
            tell: Makes the event of what `act` returned; None if there is nothing to tell.

        Raises:
            UnavailableError: Neither was kept.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = Entry(tell=tell, act=act, done=done)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - what act returns is what tell is given
        self._line.enqueue(entry)
        with self._database.waiting_for_change():
            return await done

    async def settled(self) -> None:
        """
        Wait until nothing stands in line.
        """
        await self._line.settled()

    async def drain(self) -> Drained:
        """
        Take over what waits in the spool, and so find out whether the database is back.

        Raises:
            UnavailableError: It is not, or the spool cannot be read.
        """
        if self._spool is None:
            await self._database.write(lambda _connection: None)
            self._is_away = False
            return Drained()
        async with self._spooling:  # nothing is added meanwhile: what was read is all there is
            spooled = await asyncio.to_thread(self._spool.read)
            for start in range(0, max(1, len(spooled.events)), MAX_BATCH):
                await self._database.write(partial(self._take_over, spooled, start))
            aside = await asyncio.to_thread(self._empty, spooled)
            await asyncio.to_thread(self._spool.inherit)
            self._is_away = False
            self._watcher.told(Fate.RECOVERED, spooled.events)
        return Drained(events=len(spooled.events), damaged=aside)

    async def _write(self, batch: Sequence[Entry]) -> None:
        if self._is_away and self._spool is not None:
            events = [entry for entry in batch if entry.act is None]
            batch = [entry for entry in batch if entry.act is not None]
            await self._spool_events(self._spool, events)
        if not batch:
            return
        began = self._monotonic()
        try:
            outcomes, stored = await self._database.write(
                lambda connection: self._keep(connection, batch),
                # A change reads what it decides by; an event is written whatever there is.
                alone=any(entry.act is not None for entry in batch),
            )
        except UnavailableError as error:
            await self._write_without_database(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            self._settle(batch, [Failed(error)] * len(batch))
        else:
            self._settle(batch, outcomes)
            self._watcher.committed(self._monotonic() - began)
            self._watcher.told(Fate.STORED, stored)

    async def _write_without_database(
        self, batch: Sequence[Entry], error: UnavailableError
    ) -> None:
        self._is_away = True
        failed = [entry for entry in batch if entry.act is not None or self._spool is None]
        self._settle(failed, [Failed(error)] * len(failed))
        if self._spool is not None:
            await self._spool_events(self._spool, [each for each in batch if each.act is None])

    async def _spool_events(self, spool: AuditSpool, entries: Sequence[Entry]) -> None:
        events = [event for entry in entries if (event := entry.tell(None)) is not None]
        outcome: object = None
        try:
            async with self._spooling:
                await asyncio.to_thread(spool.add, events)
        except UnavailableError as error:
            outcome = Failed(error)
        self._settle(entries, [outcome] * len(entries))
        if outcome is None:
            self._watcher.told(Fate.SPOOLED, events)

    def _settle(self, entries: Sequence[Entry], outcomes: Sequence[object]) -> None:
        lost = list[AuditEvent]()
        for entry, outcome in zip(entries, outcomes, strict=True):
            entry.settle(outcome)
            if isinstance(outcome, Failed) and entry.act is None and (event := entry.tell(None)):
                lost.append(event)
        self._lose(lost)

    def _lose(self, events: Sequence[AuditEvent]) -> None:
        if events:
            self._lost += len(events)
            self._watcher.told(Fate.LOST, events)

    def _take_over(self, spooled: Spooled, start: int, connection: Connection) -> None:
        chain = self._locked(connection)
        end = min(start + MAX_BATCH, len(spooled.events))
        if _taken(chain.spool_mark, spooled.name) >= end:
            return  # a process that was killed before it could remove the file has done it
        stored, nonces = list[StoredEvent](), self._seals.nonces(end - start)
        head: ChainHead | StoredEvent = chain.head
        for event in spooled.events[start:end]:
            head = self._place(connection, head, event, next(nonces))
            stored.append(head)
        self._grow(connection, chain, stored, spool_mark=f"{spooled.name}:{end}")

    def _empty(self, spooled: Spooled) -> str | None:
        assert self._spool is not None  # noqa: S101 - asked of by `drain` alone # nosec B101
        if not spooled.is_whole:
            return str(self._spool.set_aside())
        self._spool.clear()
        return None

    def _keep(
        self, connection: Connection, batch: Sequence[Entry]
    ) -> tuple[list[object], list[StoredEvent]]:
        chain = self._locked(connection)
        stored, outcomes = list[StoredEvent](), list[object]()
        nonces = self._seals.nonces(len(batch))
        head: ChainHead | StoredEvent = chain.head
        for entry in batch:
            outcome = entry.perform(connection)
            outcomes.append(outcome)
            if isinstance(outcome, Failed) or (event := entry.tell(outcome)) is None:
                continue
            head = self._place(connection, head, event, next(nonces))
            stored.append(head)
        if stored:
            self._grow(connection, chain, stored, spool_mark=chain.spool_mark)
        return outcomes, stored

    def _grow(
        self,
        connection: Connection,
        chain: Chain,
        stored: Sequence[StoredEvent],
        *,
        spool_mark: str | None,
    ) -> None:
        insert_events(connection, stored)
        move_chain(
            connection,
            self._envelope,
            head=head_of(stored[-1]),
            base=chain.base,
            spool_mark=spool_mark,
        )

    def _locked(self, connection: Connection) -> Chain:
        chain = lock_chain(connection, self._envelope, self._chain)
        self._seals.follow(chain.epoch)
        return chain

    def _place(
        self,
        connection: Connection,
        head: ChainHead | StoredEvent,
        event: AuditEvent,
        nonce: bytes,
    ) -> StoredEvent:
        seal, sealed = self._seals.seal(
            connection, event, chain=head.chain, seq=head.seq + 1, nonce=nonce
        )
        at_us = microseconds(event.at)
        return append_to_chain(head, event, at_us=at_us, seal=seal, sealed=sealed)


def _taken(mark: str | None, name: str) -> int:
    taken_from, _, count = (mark or "").partition(":")
    return int(count) if count and taken_from == name else 0
