"""
What came of a rotation, kept for the few minutes in which it may be asked for again.

A client that got no answer asks again under the same idempotency key, and must get the same secret:
otherwise the one it never saw would be the only one. It is sealed under the master key and the
idempotency key, so that neither the database nor the server alone can tell it.
"""

import hashlib
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from ctxfy.adapters.storage.envelope import Envelope, Place
from ctxfy.adapters.storage.tables import replays
from ctxfy.core.models.auth_models import KeyId


def find_replay(
    connection: Connection, envelope: Envelope, key_id: KeyId, idempotency_key: str, now: datetime
) -> str | None:
    """
    Return what came of the same a moment ago, or None.
    """
    lookup = _lookup(key_id, idempotency_key)
    wanted = select(replays).where(replays.c.lookup == lookup, replays.c.expires_at > now)
    row = connection.execute(wanted).mappings().first()
    if row is None:
        return None
    data_key = envelope.replay_key(idempotency_key, master_id=row[replays.c.master_id])
    return envelope.open(row[replays.c.sealed], _place(lookup), data_key=data_key)


def keep_replay(
    connection: Connection,
    envelope: Envelope,
    key_id: KeyId,
    idempotency_key: str,
    answer: str,
    *,
    now: datetime,
    until: datetime,
) -> None:
    """
    Keep an answer for a while; those whose time is over go.
    """
    lookup = _lookup(key_id, idempotency_key)
    data_key = envelope.replay_key(idempotency_key, master_id=envelope.master_id)
    connection.execute(delete(replays).where(replays.c.expires_at <= now))
    connection.execute(
        insert(replays).values(
            lookup=lookup,
            sealed=envelope.seal(answer, _place(lookup), data_key=data_key),
            master_id=envelope.master_id,
            expires_at=until,
        )
    )


def _lookup(key_id: KeyId, idempotency_key: str) -> bytes:
    return hashlib.sha256(f"{key_id}|{idempotency_key}".encode()).digest()


def _place(lookup: bytes) -> Place:
    return Place(table="replays", column="sealed", row=lookup.hex())
