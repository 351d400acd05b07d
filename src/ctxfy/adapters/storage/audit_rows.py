"""
Audit events as rows and back, and the heads of chains with the keyed hash that vouches for them.
"""

import hmac
from collections.abc import Iterable, Mapping
from copy import replace
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, Select, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.epochs import select_epoch
from ctxfy.adapters.storage.tables import audit_chains, audit_events
from ctxfy.core.models.audit_models import ChainHead, StoredEvent


_FIELDS = tuple(column.name for column in audit_events.columns)


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


def insert_events(connection: Connection, events: Iterable[StoredEvent]) -> None:
    """
    Keep events.
    """
    rows = [{name: getattr(event, name) for name in _FIELDS} for event in events]
    connection.execute(insert(audit_events), rows)


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


def event_of(row: RowMapping) -> StoredEvent:
    """
    Read an event.
    """
    return StoredEvent(**{name: row[name] for name in _FIELDS})


def lock_chain(connection: Connection, envelope: Envelope, name: str) -> Chain:
    """
    Read a chain that is about to grow, made if it is new; nobody else makes it grow meanwhile.
    """
    epoch = select_epoch().label("epoch")  # in the same question: a batch is to be quick
    wanted = select(audit_chains, epoch).where(audit_chains.c.chain == name)
    row = connection.execute(wanted.with_for_update()).mappings().first()
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
    connection.execute(
        update(audit_chains)
        .where(audit_chains.c.chain == head.chain)
        .values(_row(envelope, head, base) | {"spool_mark": spool_mark})
    )


def select_chains() -> Select[tuple[object, ...]]:
    """
    Select all chains, by name.
    """
    return select(audit_chains).order_by(audit_chains.c.chain)


def chain_of(row: RowMapping, envelope: Envelope) -> Chain:
    """
    Read a chain, and whether its keyed hash is right.

    Raises:
        UnavailableError: The master key it was vouched for with is not here.
    """
    name = row[audit_chains.c.chain]
    head = ChainHead(chain=name, seq=row[audit_chains.c.seq], hash=row[audit_chains.c.hash])
    base = ChainHead(
        chain=name, seq=row[audit_chains.c.base_seq], hash=row[audit_chains.c.base_hash]
    )
    mac = envelope.audit_mac(_vouched(head, base), master_id=row[audit_chains.c.master_id])
    return Chain(
        head=head,
        base=base,
        vouched=hmac.compare_digest(mac, row[audit_chains.c.mac]),
        spool_mark=row[audit_chains.c.spool_mark],
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
