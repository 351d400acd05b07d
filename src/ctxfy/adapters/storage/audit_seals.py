"""
The details of audit events, sealed: under the key of the person who acted, or of the month.

To destroy a person's key makes the details of all their events unreadable at once, in backups too,
and the hashes, which cover the ciphertext, stay right.
"""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

import orjson
from sqlalchemy import Connection, select

from ctxfy.adapters.storage.audit_rows import insert_if_absent
from ctxfy.adapters.storage.envelope import KEY_BYTES, NONCE_BYTES, DataKey, Envelope, Place
from ctxfy.adapters.storage.people import data_key_of
from ctxfy.adapters.storage.tables import audit_months
from ctxfy.core.models.audit_models import AuditEvent, StoredEvent
from ctxfy.core.use_cases.audit_use_cases import month_of, without_person


MAX_CACHED = 10_000


class AuditSeals:
    """
    Seals and opens details. Data keys that were unwrapped once are kept in memory, bounded.
    """

    def __init__(self, envelope: Envelope) -> None:
        self._envelope = envelope
        self._keys: dict[str, DataKey] = {}
        self._making_room = Lock()  # the writer seals in its thread, readers open in theirs
        self._epoch: int | None = None

    def follow(self, epoch: int) -> None:
        """
        Forget every key if anybody may have been erased since; called with what the database says.
        """
        if epoch != self._epoch:
            self._keys.clear()
            self._epoch = epoch

    def forget(self, person_id: str) -> None:
        """
        Forget the key of a person who is being erased.
        """
        self._keys.pop(person_id, None)

    def seal(
        self,
        connection: Connection,
        event: AuditEvent,
        *,
        chain: str,
        seq: int,
        nonce: bytes | None = None,
    ) -> tuple[str, bytes]:
        """
        Seal the details of an event for its place in a chain; return under what, and the blob.

        What is personal in them is left out if whoever acted was erased meanwhile.
        """
        seal, data_key = self._key_for(connection, event)
        if event.person_id not in {None, seal}:
            event = without_person(event)
        return seal, data_key.seal(orjson.dumps(event.details), _place(chain, seq), nonce)

    def nonces(self, count: int) -> Iterator[bytes]:
        """
        Fetch the randomness for so many seals at once: to ask for it takes longer than to seal.
        """
        random = self._envelope.random_bytes(count * NONCE_BYTES)
        return (random[at : at + NONCE_BYTES] for at in range(0, len(random), NONCE_BYTES))

    def open(self, connection: Connection, event: StoredEvent) -> Mapping[str, Any] | None:
        """
        Open the details of an event, or None if their key was destroyed.

        Raises:
            UnavailableError: The master key does not fit, or the blob was changed.
        """
        data_key = (
            self._month_key(connection, event.seal)
            if _is_month(event.seal)
            else self._person_key(connection, event.seal)
        )
        if data_key is None:
            return None
        text = data_key.open(event.sealed, _place(event.chain, event.seq))
        details: Mapping[str, Any] = orjson.loads(text)
        return details

    def _key_for(self, connection: Connection, event: AuditEvent) -> tuple[str, DataKey]:
        if event.person_id is not None:
            data_key = self._person_key(connection, event.person_id)
            if data_key is not None:
                return event.person_id, data_key
        month = month_of(event.at)
        data_key = self._month_key(connection, month) or self._new_month(connection, month)
        return month, data_key

    def _person_key(self, connection: Connection, person_id: str) -> DataKey | None:
        data_key = self._keys.get(person_id)
        if data_key is None:
            found = data_key_of(connection, self._envelope, person_id)
            data_key = self._remember(person_id, found)
        return data_key

    def _month_key(self, connection: Connection, month: str) -> DataKey | None:
        data_key = self._keys.get(month)
        if data_key is None:
            wanted = select(audit_months).where(audit_months.c.month == month)
            row = connection.execute(wanted).mappings().first()
            if row is not None:
                found = self._envelope.unwrap(
                    row[audit_months.c.wrapped_key],
                    month_place(month),
                    master_id=row[audit_months.c.master_id],
                )
                data_key = self._remember(month, found)
        return data_key

    def _new_month(self, connection: Connection, month: str) -> DataKey:
        data_key = self._envelope.random_bytes(KEY_BYTES)
        row = {
            "month": month,
            "wrapped_key": self._envelope.wrap(data_key, month_place(month)),
            "master_id": self._envelope.master_id,
        }
        # Not remembered: the transaction may yet come to nothing.
        if insert_if_absent(connection, audit_months, row):
            return self._envelope.data_key(data_key)
        found = self._month_key(connection, month)
        assert found is not None  # noqa: S101 - another process made it just now # nosec B101
        return found

    def _remember(self, name: str, secret: bytes | None) -> DataKey | None:
        if secret is None:
            return None
        data_key = self._envelope.data_key(secret)
        with self._making_room:
            if len(self._keys) >= MAX_CACHED:
                del self._keys[next(iter(self._keys))]
            self._keys[name] = data_key
        return data_key


def _is_month(seal: str) -> bool:
    # A person's id has no hyphen.
    return "-" in seal


def _place(chain: str, seq: int) -> Place:
    return Place(table="audit_events", column="sealed", row=f"{chain}:{seq}")


def month_place(month: str) -> Place:
    """
    Where the key of a month is kept.
    """
    return Place(table="audit_months", column="wrapped_key", row=month)
