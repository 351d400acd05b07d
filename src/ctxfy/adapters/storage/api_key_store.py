"""
API keys in the database (ApiKeyStorePort).

Each method is one function over a connection, run in one transaction; those that write happen one
after the other, in this process and in all others.
"""

from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ctxfy.adapters.storage.api_key_rows import (
    infos_of,
    live_admin_keys,
    row_of,
    select_keys,
)
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.epochs import move_epoch, read_epoch
from ctxfy.adapters.storage.people import find_or_create_person, find_person
from ctxfy.adapters.storage.replays import find_replay, keep_replay
from ctxfy.adapters.storage.tables import api_keys, sessions
from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    InvalidKeyRequestError,
    LastAdminKeyError,
)
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import (
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    NewDigest,
    NewSecret,
    RotatedKey,
)
from ctxfy.core.use_cases.expiry_use_cases import may_go
from ctxfy.core.use_cases.rotation_use_cases import REPLAY_LIFETIME, decide_rotation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changed:
    """
    A key after what was asked for it, and what there is to tell of that.
    """

    info: ApiKeyInfo
    told: AuditEvent | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rotated:
    """
    What came of a rotation, and what there is to tell of it.
    """

    key: RotatedKey
    told: AuditEvent | None


class SqlApiKeyStore:
    """
    Keeps keys, and their owners' names sealed. Each change goes with its event, or not at all.
    """

    def __init__(self, *, database: Database, envelope: Envelope, trail: AuditTrail) -> None:
        self._database = database
        self._envelope = envelope
        self._trail = trail

    async def add(self, info: ApiKeyInfo, event: AuditEvent) -> None:
        """
        Keep a new key, and its owner with it.

        Raises:
            InvalidKeyRequestError: The id is taken.
        """
        await self._trail.change(
            lambda connection: self._add(connection, info),
            lambda person_id: replace(event, subject_id=person_id),
        )

    async def add_first(self, info: ApiKeyInfo, event: AuditEvent) -> bool:
        """
        Keep a new key if there is none at all; False if there is.
        """

        def act(connection: Connection) -> str | None:
            if connection.execute(select(api_keys.c.key_id).limit(1)).first():
                return None
            return self._add(connection, info)

        person_id = await self._trail.change(
            act, lambda owner: None if owner is None else replace(event, subject_id=owner)
        )
        return person_id is not None

    async def find(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Look a key up by its public id.
        """
        return await self._database.read(lambda connection: self._find(connection, key_id))

    async def list_keys(self, *, user_id: str | None = None) -> list[ApiKeyInfo]:
        """
        List keys, oldest first: all, or those of one user.
        """

        def act(connection: Connection) -> list[ApiKeyInfo]:
            wanted = select_keys()
            if user_id is not None:
                person_id = find_person(connection, self._envelope, user_id)
                if person_id is None:
                    return []
                wanted = wanted.where(api_keys.c.person_id == person_id)
            return infos_of(connection.execute(wanted).mappings(), self._envelope)

        return await self._database.read(act)

    async def list_expiring(
        self, now: datetime, until: datetime, *, limit: int
    ) -> list[ApiKeyInfo]:
        """
        List active keys that end soon, the first to end first.
        """
        wanted = (
            select_keys()
            .where(
                api_keys.c.status == KeyStatus.ACTIVE.value,
                api_keys.c.expires_at > now,
                api_keys.c.expires_at <= until,
            )
            .order_by(None)
            .order_by(api_keys.c.expires_at, api_keys.c.key_id)
            .limit(limit)
        )
        return await self._database.read(
            lambda connection: infos_of(connection.execute(wanted).mappings(), self._envelope)
        )

    async def list_admins(self, now: datetime) -> list[ApiKeyInfo]:
        """
        List the keys that can administer the server.
        """
        return await self._database.read(lambda connection: live_admin_keys(connection, now))

    async def count_lives(self) -> Mapping[tuple[KeyStatus, datetime | None], int]:
        """
        Count keys by status and by when they end.
        """
        lives = (api_keys.c.status, api_keys.c.expires_at)
        wanted = select(*lives, func.count()).group_by(*lives)
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        return {(KeyStatus(status), expires_at): count for status, expires_at, count in rows}

    async def set_status(
        self, key_id: KeyId, status: KeyStatus, event: AuditEvent, *, keep_admin: bool = True
    ) -> ApiKeyInfo:
        """
        Change a key's status and move the epoch on; a change that is none moves and tells nothing.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: With `keep_admin`, it is the last live admin key then.
        """

        def act(connection: Connection) -> _Changed:
            info = self._find(connection, key_id)
            if info is None:
                raise ApiKeyNotFoundError(key_id)
            if info.status in {status, KeyStatus.REVOKED}:
                return _Changed(info=info, told=None)
            if keep_admin and status is not KeyStatus.ACTIVE:
                _require_another_admin(connection, info, event.at)
            _change_status(connection, key_id, status, event.at)
            changed = self._find(connection, key_id) or info
            return _Changed(info=changed, told=replace(event, subject_id=info.person_id))

        return (await self._trail.change(act, lambda changed: changed.told)).info

    async def rotate(
        self,
        key_id: KeyId,
        secret: NewSecret,
        event: AuditEvent,
        *,
        grace: timedelta,
        idempotency_key: str | None = None,
    ) -> RotatedKey:
        """
        Put a new secret in the place of a key's, which stays good for a while; move the epoch on.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            KeyNotRotatableError: The key is not live.
        """

        def act(connection: Connection) -> _Rotated:
            info = self._find(connection, key_id)
            if info is None:
                raise ApiKeyNotFoundError(key_id)
            if idempotency_key is not None:
                again = find_replay(connection, self._envelope, key_id, idempotency_key, event.at)
                if again is not None:
                    return _Rotated(key=RotatedKey(whole=again, info=info), told=None)
                keep_replay(
                    connection,
                    self._envelope,
                    key_id,
                    idempotency_key,
                    secret.whole,
                    now=event.at,
                    until=event.at + REPLAY_LIFETIME,
                )
            until = decide_rotation(info, grace, event.at)
            _change_secret(connection, info, secret, until)
            if until <= event.at:
                # The old secret is to be good for nothing, nor is what it opened.
                connection.execute(delete(sessions).where(sessions.c.key_id == key_id))
            changed = self._find(connection, key_id) or info
            return _Rotated(
                key=RotatedKey(whole=secret.whole, info=changed),
                told=replace(event, subject_id=info.person_id),
            )

        return (await self._trail.change(act, lambda rotated: rotated.told)).key

    async def rekey(self, digests: Sequence[NewDigest]) -> int:
        """
        Put digests in the place of those before them; tells how many.
        """
        # In one order, or two processes could each hold a row that the other waits for.
        batch = sorted(digests, key=lambda each: each.key_id)
        return await self._database.write(
            lambda connection: sum(_rekey(connection, each) for each in batch), alone=False
        )

    async def touch(self, uses: Mapping[KeyId, datetime]) -> None:
        """
        Note when keys were last used; never moves a time back, knows nothing of unknown keys.
        """
        if not uses:
            return
        later = or_(
            api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < bindparam("used_at")
        )
        statement = (
            update(api_keys)
            .where(api_keys.c.key_id == bindparam("used_key"), later)
            .values(last_used_at=bindparam("used_at"))
        )
        # In one order, or two processes could each hold a row that the other waits for.
        batch = [{"used_key": key_id, "used_at": at} for key_id, at in sorted(uses.items())]
        await self._database.write(
            lambda connection: connection.execute(statement, batch), alone=False
        )

    async def epoch(self) -> int:
        """
        A number that grows with every change that a cached key must not outlive.
        """
        return await self._database.read(read_epoch)

    def _add(self, connection: Connection, info: ApiKeyInfo) -> str:
        person_id = find_or_create_person(
            connection, self._envelope, info.user_id, at=info.created_at
        )
        try:
            connection.execute(insert(api_keys).values(row_of(info, person_id)))
        except IntegrityError as error:
            raise InvalidKeyRequestError(
                f"There is already an API key with the id {info.key_id!r}."
            ) from error
        # Caches remember also which keys do not exist.
        move_epoch(connection)
        return person_id

    def _find(self, connection: Connection, key_id: KeyId) -> ApiKeyInfo | None:
        rows = connection.execute(select_keys().where(api_keys.c.key_id == key_id))
        return next(iter(infos_of(rows.mappings(), self._envelope)), None)


def _require_another_admin(connection: Connection, info: ApiKeyInfo, at: datetime) -> None:
    admins = live_admin_keys(connection, at)
    if not may_go(info, [each for each in admins if each.key_id != info.key_id], at):
        raise LastAdminKeyError(
            f"The key {info.key_id!r} is the last one that can administer this server;"
            " create another admin key first, good for a day or longer."
        )


def _change_status(connection: Connection, key_id: KeyId, status: KeyStatus, at: datetime) -> None:
    change: dict[str, object] = {"status": status.value}
    if status is KeyStatus.REVOKED:
        change["revoked_at"] = at
    connection.execute(update(api_keys).where(api_keys.c.key_id == key_id).values(change))
    move_epoch(connection)


def _change_secret(
    connection: Connection, info: ApiKeyInfo, secret: NewSecret, until: datetime
) -> None:
    change: dict[str, object] = {
        "digest": secret.api_key,
        "pepper_id": secret.pepper_id,
        "old_digest": info.api_key,
        "old_pepper_id": info.pepper_id,
        "old_expires_at": until,
    }
    connection.execute(update(api_keys).where(api_keys.c.key_id == info.key_id).values(change))
    move_epoch(connection)


def _rekey(connection: Connection, change: NewDigest) -> int:
    columns = api_keys.c
    changed = 0
    for digest, pepper_id in (
        (columns.digest, columns.pepper_id),
        (columns.old_digest, columns.old_pepper_id),
    ):
        found = connection.execute(
            update(api_keys)
            .where(columns.key_id == change.key_id, digest == change.before)
            .values({digest: change.api_key, pepper_id: change.pepper_id})
        )
        changed += found.rowcount
    return changed
