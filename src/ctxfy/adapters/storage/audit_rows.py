"""
Audit events as rows and back, and the heads of chains with the keyed hash that vouches for them.
"""

import hmac
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.epochs import select_epoch
from ctxfy.adapters.storage.prepared import PreparedStatement
from ctxfy.adapters.storage.tables import audit_chains, audit_events
from ctxfy.core.models.audit_models import ChainHead, StoredEvent


_FIELDS = tuple(column.name for column in audit_events.columns)
_HEAD = ("seq", "hash", "base_seq", "base_hash", "mac", "master_id", "spool_mark")
_KEEP = PreparedStatement(insert(audit_events), _FIELDS)
# With the epoch in the same question: a batch is to be quick.
_LOCK = PreparedStatement(
    select(audit_chains, select_epoch().label("epoch"))
    .where(audit_chains.c.chain == bindparam("name"))
    .with_for_update()
)
_MOVE = PreparedStatement(
    update(audit_chains).where(audit_chains.c.chain == bindparam("name")), _HEAD
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """
    A chain as it is kept.

    Attributes:
        base: The last event that retention took away; what is left begins behind it.
        vouched: Whether the keyed hash is right: nobody without the master key wrote this.
        spool_mark: The last event that was taken over from a spool file.
        epoch: Of what is remembered of keys and people, at the moment the chain was locked.
    """

    head: ChainHead
    base: ChainHead
    vouched: bool
    spool_mark: str | None = None
    epoch: int = 0


def insert_events(connection: Connection, events: Sequence[StoredEvent]) -> None:
    """
    Keep events.
    """
    _KEEP.run_for_each(connection, events)


def insert_if_absent(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """
    Insert a row, or leave the one that another process was quicker to insert; tell which.
    """
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(row))
    except IntegrityError:
        return False
    return True


def event_of(row: Mapping[Any, Any]) -> StoredEvent:
    """
    Read an event.
    """
    return StoredEvent(**{name: row[name] for name in _FIELDS})


def lock_chain(connection: Connection, envelope: Envelope, name: str) -> Chain:
    """
    Read a chain that is about to grow, made if it is new; nobody else makes it grow meanwhile.
    """
    row = _LOCK.run(connection, {"name": name}).mappings().first()
    if row is not None:
        return replace(chain_of(row, envelope), epoch=row["epoch"])
    fresh = ChainHead(chain=name)
    insert_if_absent(connection, audit_chains, _row(envelope, fresh, fresh))
    return lock_chain(connection, envelope, name)


def move_chain(
    connection: Connection,
    envelope: Envelope,
    *,
    head: ChainHead,
    base: ChainHead,
    spool_mark: str | None = None,
) -> None:
    """
    Keep how far a chain has come.
    """
    row = _row(envelope, head, base)
    _MOVE.run(connection, {**row, "name": head.chain, "spool_mark": spool_mark})


def select_chains() -> Select[tuple[object, ...]]:
    """
    Select all chains, by name.
    """
    return select(audit_chains).order_by(audit_chains.c.chain)


def chain_of(row: Mapping[Any, Any], envelope: Envelope) -> Chain:
    """
    Read a chain, and whether its keyed hash is right.

    Raises:
        UnavailableError: The master key it was vouched for with is not here.
    """
    head = ChainHead(chain=row["chain"], seq=row["seq"], hash=row["hash"])
    base = ChainHead(chain=row["chain"], seq=row["base_seq"], hash=row["base_hash"])
    mac = envelope.audit_mac(_vouched(head, base), master_id=row["master_id"])
    return Chain(
        head=head,
        base=base,
        vouched=hmac.compare_digest(mac, row["mac"]),
        spool_mark=row["spool_mark"],
    )


def _row(envelope: Envelope, head: ChainHead, base: ChainHead) -> dict[str, object]:
    return {
        "chain": head.chain,
        "seq": head.seq,
        "hash": head.hash,
        "base_seq": base.seq,
        "base_hash": base.hash,
        "mac": envelope.audit_mac(_vouched(head, base), master_id=envelope.master_id),
        "master_id": envelope.master_id,
    }


def _vouched(head: ChainHead, base: ChainHead) -> bytes:
    heads = (f"{each.seq}|{each.hash.hex()}" for each in (head, base))
    return "|".join((head.chain, *heads)).encode()
