"""
Whether the audit trail is whole (AuditProofPort): verification, checkpoints, and pruning.

Who can write to the database and holds the master key can compute everything anew; only a
checkpoint that was kept elsewhere shows that.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from sqlalchemy import Connection, Select, delete, func, insert, select

from ctxfy.adapters.storage.audit_rows import (
    Chain,
    chain_of,
    event_of,
    lock_chain,
    move_chain,
    select_chains,
)
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.tables import audit_checkpoints, audit_events, microseconds
from ctxfy.core.exceptions import CheckpointError, UnavailableError
from ctxfy.core.models.audit_models import (
    ChainHead,
    Checkpoint,
    Fault,
    SignedCheckpoint,
    StoredEvent,
    Verdict,
)
from ctxfy.core.use_cases.audit_use_cases import (
    NEVER_WRITTEN,
    checkpoint_text,
    compare_heads,
    follow_chain,
    head_of,
    parse_checkpoint,
)


BATCH = 500

_E = audit_events.c
_C = audit_checkpoints.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    How many events are read at once, and how long others have their turn in between.
    """

    page: int
    rest_seconds: float


QUICK = Pace(page=5000, rest_seconds=0)
GENTLE = Pace(page=500, rest_seconds=0.05)


class AuditProofs:
    """
    Proves the trail in the database.
    """

    def __init__(self, *, database: Database, envelope: Envelope) -> None:
        self._database = database
        self._envelope = envelope

    async def verify(self, *, gently: bool = False) -> Verdict:
        """
        Look at every event of every chain; reads in pages, and so lets others write meanwhile.
        """
        pace = GENTLE if gently else QUICK
        chains = await self._database.read(self._chains)
        faults, count = [], 0
        for chain in chains:
            seen, fault = await self._verify_while_pruned(chain, pace)
            count += seen
            if fault is not None:
                faults.append(fault)
        if not faults:
            faults = await self._database.read(self._strangers)
        return Verdict(events=count, chains=len(chains), faults=tuple(faults))

    async def compare(self, checkpoint: SignedCheckpoint) -> list[Fault]:
        """
        Find what a checkpoint, kept elsewhere, tells otherwise: a trail cut or rolled back.

        Raises:
            CheckpointError: It is no checkpoint, or was not signed by this server.
        """
        told = self.open_checkpoint(checkpoint)

        def act(connection: Connection) -> list[Fault]:
            kept = {chain.head.chain: chain for chain in self._chains(connection)}
            faults = (_compare(connection, kept.get(head.chain), head) for head in told.heads)
            return [fault for fault in faults if fault is not None]

        return await self._database.read(act)

    def open_checkpoint(self, signed: SignedCheckpoint) -> Checkpoint:
        """
        Read a checkpoint whose signature is right.

        Raises:
            CheckpointError: It is no checkpoint, or was not signed by this server.
        """
        checkpoint = parse_checkpoint(signed.text)
        try:
            key = self._envelope.signing_key(checkpoint.signer).public_key()
            key.verify(signed.signature, signed.text.encode())
        except (InvalidSignature, UnavailableError) as error:
            raise CheckpointError(
                "The checkpoint was not signed by this server, or with a master key that is not"
                " here any more."
            ) from error
        return checkpoint

    async def sign_checkpoint(self, *, at: datetime) -> SignedCheckpoint:
        """
        Write down how far all chains have come, keep it, and return it to be kept elsewhere too.
        """

        def act(connection: Connection) -> SignedCheckpoint:
            last = connection.execute(_newest(1)).mappings().first()
            free = _free_moment(connection, at)
            text = checkpoint_text(
                Checkpoint(
                    at=free,
                    signer=self._envelope.master_id,
                    heads=tuple(chain.head for chain in self._chains(connection)),
                    previous="" if last is None else _digest(last[_C.text]),
                )
            )
            key = self._envelope.signing_key(self._envelope.master_id)
            signed = SignedCheckpoint(text=text, signature=key.sign(text.encode()))
            connection.execute(
                insert(audit_checkpoints).values(
                    at_us=microseconds(free), text=text, signature=signed.signature
                )
            )
            return signed

        return await self._database.write(act)

    async def checkpoints(self, *, limit: int = 100) -> list[SignedCheckpoint]:
        """
        List the newest checkpoints, the newest first.
        """

        def act(connection: Connection) -> list[SignedCheckpoint]:
            rows = connection.execute(_newest(limit)).mappings()
            return [
                SignedCheckpoint(text=row[_C.text], signature=row[_C.signature]) for row in rows
            ]

        return await self._database.read(act)

    async def prune(self, *, before: datetime, at: datetime, batch: int = BATCH) -> int:
        """
        Take away events older than `before` that a checkpoint covers; tell how many.

        What is left begins behind the last of them, whose hash is kept as the chain's base. Each
        batch is a transaction of its own, and leaves a trail that verifies.
        """
        covered = self.open_checkpoint(await self.sign_checkpoint(at=at)).heads
        return sum([await self._prune_chain(head, before, batch) for head in covered])

    async def _prune_chain(self, covered: ChainHead, before: datetime, batch: int) -> int:
        last = await self._database.read(_last_to_go(covered, before))
        total = 0
        while count := await self._database.write(
            lambda connection: self._prune_batch(connection, covered.chain, last, batch)
        ):
            total += count
        return total

    def _prune_batch(self, connection: Connection, name: str, last: int, batch: int) -> int:
        chain = lock_chain(connection, self._envelope, name)
        end = min(last, chain.base.seq + batch)
        row = connection.execute(_event_at(name, end)).mappings().first()
        if row is None:
            return 0
        gone = connection.execute(delete(audit_events).where(_E.chain == name, _E.seq <= end))
        move_chain(
            connection,
            self._envelope,
            head=chain.head,
            base=head_of(event_of(row)),
            spool_mark=chain.spool_mark,
        )
        return gone.rowcount

    def _chains(self, connection: Connection) -> list[Chain]:
        rows = connection.execute(select_chains()).mappings()
        return [chain_of(row, self._envelope) for row in rows]

    async def _verify_while_pruned(self, chain: Chain, pace: Pace) -> tuple[int, Fault | None]:
        """
        Begin anew where retention took away what was being read: that is no fault.
        """
        while True:
            seen, fault = await self._verify_chain(chain, pace)
            if fault is None:
                return seen, None
            kept = await self._database.read(self._chains)
            again = next((each for each in kept if each.head.chain == chain.head.chain), chain)
            if again.base == chain.base:
                return seen, fault
            chain = again

    async def _verify_chain(self, chain: Chain, pace: Pace) -> tuple[int, Fault | None]:
        if not chain.vouched:
            reason = "the head was changed by somebody without the master key"
            return 0, Fault(chain=chain.head.chain, seq=chain.head.seq, reason=reason)
        reached, count = chain.base, 0
        while True:
            page = await self._database.read(_page_reader(reached, chain.head, pace.page))
            count += len(page)
            outcome = follow_chain(reached, page)
            if isinstance(outcome, Fault):
                return count, outcome
            reached = outcome
            if len(page) < pace.page:
                break
            await asyncio.sleep(pace.rest_seconds)
        return count, compare_heads(reached, chain.head) or await self._before_the_base(chain)

    async def _before_the_base(self, chain: Chain) -> Fault | None:
        """
        Find an event that lies where retention has taken everything away.
        """
        name, base = chain.head.chain, chain.base.seq
        wanted = select(func.min(_E.seq)).where(_E.chain == name, _E.seq <= base)
        seq = await self._database.read(lambda connection: connection.scalar(wanted))
        return None if seq is None else Fault(chain=name, seq=seq, reason=NEVER_WRITTEN)

    def _strangers(self, connection: Connection) -> list[Fault]:
        """
        Find events of chains that do not exist, and events beyond the heads of those that do.
        """
        # The events first: whatever is written in between moves its head before we read that.
        ends = connection.execute(select(_E.chain, func.max(_E.seq)).group_by(_E.chain)).all()
        heads = {chain.head.chain: chain.head.seq for chain in self._chains(connection)}
        return [
            Fault(chain=name, seq=heads.get(name, 0) + 1, reason=NEVER_WRITTEN)
            for name, seq in ends
            if seq > heads.get(name, 0)
        ]


def _page_reader(
    reached: ChainHead, head: ChainHead, page: int
) -> Callable[[Connection], list[StoredEvent]]:
    wanted = (
        select(audit_events)
        .where(_E.chain == head.chain, _E.seq > reached.seq, _E.seq <= head.seq)
        .order_by(_E.seq)
        .limit(page)
    )

    def act(connection: Connection) -> list[StoredEvent]:
        return [event_of(row) for row in connection.execute(wanted).mappings()]

    return act


def _last_to_go(covered: ChainHead, before: datetime) -> Callable[[Connection], int]:
    """
    Find the last event of a chain that is old enough, and covered.
    """
    young = (_E.chain == covered.chain) & (_E.at_us >= microseconds(before))

    def act(connection: Connection) -> int:
        oldest_kept = connection.scalar(select(func.min(_E.seq)).where(young))
        return covered.seq if oldest_kept is None else min(covered.seq, oldest_kept - 1)

    return act


def _free_moment(connection: Connection, at: datetime) -> datetime:
    """
    Move a moment on until no other checkpoint is of it: two processes may sign at the same time.
    """
    while connection.scalar(select(_C.at_us).where(_C.at_us == microseconds(at))) is not None:
        at += timedelta(microseconds=1)
    return at


def _event_at(chain: str, seq: int) -> Select[tuple[object, ...]]:
    return select(audit_events).where(_E.chain == chain, _E.seq == seq)


def _newest(limit: int) -> Select[tuple[object, ...]]:
    return select(audit_checkpoints).order_by(_C.at_us.desc()).limit(limit)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _compare(connection: Connection, kept: Chain | None, told: ChainHead) -> Fault | None:
    """
    Compare a chain with what a checkpoint tells of it; what retention took away cannot be compared.
    """
    if kept is None:
        return Fault(chain=told.chain, seq=1, reason="the whole chain is missing")
    if kept.head.seq < told.seq:
        return Fault(
            chain=told.chain, seq=kept.head.seq + 1, reason="the event is missing at the end"
        )
    if told.seq < kept.base.seq:
        return None
    if told.seq == kept.base.seq:
        found = kept.base.hash
    else:
        row = connection.execute(_event_at(told.chain, told.seq)).mappings().first()
        found = b"" if row is None else row[_E.hash]
    if found == told.hash:
        return None
    reason = "the event is not the one the checkpoint tells of"
    return Fault(chain=told.chain, seq=told.seq, reason=reason)
