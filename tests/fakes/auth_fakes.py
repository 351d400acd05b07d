"""
Fakes of the ports about keys: they hold state, and can be told to be out of reach.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import replace
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    InvalidKeyRequestError,
    LastAdminKeyError,
    UnavailableError,
)
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import (
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    NewDigest,
    NewSecret,
    OldSecret,
    RotatedKey,
)
from ctxfy.core.models.session_models import Session, TokenDigest
from ctxfy.core.use_cases.auth_use_cases import is_live_admin
from ctxfy.core.use_cases.expiry_use_cases import is_expiring, may_go
from ctxfy.core.use_cases.rotation_use_cases import REPLAY_LIFETIME, decide_rotation
from ctxfy.core.use_cases.session_use_cases import is_live


@dataclass(slots=True, kw_only=True)
class FakeApiKeyStore:
    """
    Keeps keys in a dictionary.

    Attributes:
        keys: What is kept; a test may put keys in and look at them.
        events: What was told of changes.
        replays: What came of rotations, and until when it is given again.
        moves: How often the epoch moved.
        outage: Raised by every method while it is set.
    """

    keys: dict[KeyId, ApiKeyInfo] = field(default_factory=dict[KeyId, ApiKeyInfo])
    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    replays: dict[tuple[KeyId, str], tuple[datetime, str]] = field(
        default_factory=dict[tuple[KeyId, str], tuple[datetime, str]]
    )
    moves: int = 0
    outage: UnavailableError | None = None

    async def add(self, info: ApiKeyInfo, event: AuditEvent) -> None:
        """
        Keep a new key.
        """
        self._reach()
        if info.key_id in self.keys:
            raise InvalidKeyRequestError(
                f"There is already an API key with the id {info.key_id!r}."
            )
        self.keys[info.key_id] = info
        self.events.append(event)
        self.moves += 1

    async def add_first(self, info: ApiKeyInfo, event: AuditEvent) -> bool:
        """
        Keep a new key if there is none.
        """
        self._reach()
        if self.keys:
            return False
        await self.add(info, event)
        return True

    async def find(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Look a key up.
        """
        self._reach()
        return self.keys.get(key_id)

    async def list_keys(self, *, user_id: str | None = None) -> list[ApiKeyInfo]:
        """
        List keys, oldest first.
        """
        self._reach()
        wanted = [info for info in self.keys.values() if user_id in {None, info.user_id}]
        return sorted(wanted, key=lambda info: (info.created_at, info.key_id))

    async def set_status(
        self, key_id: KeyId, status: KeyStatus, event: AuditEvent, *, keep_admin: bool = True
    ) -> ApiKeyInfo:
        """
        Change a key's status.
        """
        self._reach()
        info = self.keys.get(key_id)
        if info is None:
            raise ApiKeyNotFoundError(key_id)
        if info.status in {status, KeyStatus.REVOKED}:
            return info
        if keep_admin and status is not KeyStatus.ACTIVE and self._is_last_admin(info, event.at):
            raise LastAdminKeyError(f"The key {key_id!r} is the last admin key.")
        revoked_at = event.at if status is KeyStatus.REVOKED else None
        self.keys[key_id] = replace(info, status=status, revoked_at=revoked_at)
        self.events.append(event)
        self.moves += 1
        return self.keys[key_id]

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
        Change a key's secret.
        """
        self._reach()
        info = self.keys.get(key_id)
        if info is None:
            raise ApiKeyNotFoundError(key_id)
        until, whole = self.replays.get((key_id, idempotency_key or ""), (event.at, ""))
        if until > event.at:
            return RotatedKey(whole=whole, info=info)
        old = OldSecret(
            api_key=info.api_key,
            pepper_id=info.pepper_id,
            expires_at=decide_rotation(info, grace, event.at),
        )
        self.keys[key_id] = replace(
            info, api_key=secret.api_key, pepper_id=secret.pepper_id, old_secret=old
        )
        if idempotency_key is not None:
            self.replays[key_id, idempotency_key] = (event.at + REPLAY_LIFETIME, secret.whole)
        self.events.append(event)
        self.moves += 1
        return RotatedKey(whole=secret.whole, info=self.keys[key_id])

    async def rekey(self, digests: Sequence[NewDigest]) -> int:
        """
        Replace the digests that are still there.
        """
        self._reach()
        changed = 0
        for each in digests:
            info = self.keys.get(each.key_id)
            if info is not None and info.api_key == each.before:
                info = replace(info, api_key=each.api_key, pepper_id=each.pepper_id)
            elif info is not None and info.old_secret and info.old_secret.api_key == each.before:
                old = replace(info.old_secret, api_key=each.api_key, pepper_id=each.pepper_id)
                info = replace(info, old_secret=old)
            else:
                continue
            self.keys[each.key_id] = info
            changed += 1
        return changed

    async def touch(self, uses: Mapping[KeyId, datetime]) -> None:
        """
        Note uses of the keys that are known.
        """
        self._reach()
        for key_id in uses.keys() & self.keys.keys():
            info = self.keys[key_id]
            latest = max(uses[key_id], info.last_used_at or uses[key_id])
            self.keys[key_id] = replace(info, last_used_at=latest)

    async def epoch(self) -> int:
        """
        How often the epoch moved.
        """
        self._reach()
        return self.moves

    async def list_expiring(
        self, now: datetime, until: datetime, *, limit: int
    ) -> list[ApiKeyInfo]:
        """
        List what ends soon.
        """
        self._reach()
        ending = [info for info in self.keys.values() if is_expiring(info, until - now, now)]
        ending.sort(key=lambda info: (info.expires_at or now, info.key_id))
        return ending[:limit]

    async def list_admins(self, now: datetime) -> list[ApiKeyInfo]:
        """
        List the live admin keys.
        """
        self._reach()
        live = (replace(info, user_id="") for info in self.keys.values())
        return sorted(
            (info for info in live if is_live_admin(info, now)),
            key=lambda info: (info.created_at, info.key_id),
        )

    async def count_lives(self) -> Mapping[tuple[KeyStatus, datetime | None], int]:
        """
        Count by status and end.
        """
        self._reach()
        return Counter((info.status, info.expires_at) for info in self.keys.values())

    def _is_last_admin(self, info: ApiKeyInfo, at: datetime) -> bool:
        others = [each for each in self.keys.values() if each.key_id != info.key_id]
        return not may_go(info, others, at)

    def _reach(self) -> None:
        if self.outage is not None:
            raise self.outage


@dataclass(slots=True, kw_only=True)
class FakeSessionStore:
    """
    Keeps sessions in a dictionary.

    Attributes:
        sessions: What is kept; a test may put sessions in and look at them.
        outage: Raised by every method while it is set.
        write_outage: Raised by `open`, `touch` and `close` while it is set.
    """

    sessions: dict[TokenDigest, Session] = field(default_factory=dict[TokenDigest, Session])
    outage: UnavailableError | None = None
    write_outage: UnavailableError | None = None

    async def open(self, session: Session, *, keep: int) -> None:
        """
        Keep a new session.
        """
        self._reach(writing=True)
        live = [each for each in self.sessions.values() if is_live(each, session.created_at)]
        mine = [each for each in live if each.key_id == session.key_id]
        mine.sort(key=lambda each: each.created_at)
        surplus = mine[: max(0, len(mine) - keep + 1)]
        kept = [each for each in live if each not in surplus]
        self.sessions = {each.token_digest: each for each in [*kept, session]}

    async def find(self, token_digest: TokenDigest) -> Session | None:
        """
        Look a session up.
        """
        self._reach()
        return self.sessions.get(token_digest)

    async def touch(self, session: Session) -> None:
        """
        Note when a session was last seen and when it ends.
        """
        self._reach(writing=True)
        if session.token_digest in self.sessions:
            self.sessions[session.token_digest] = session

    async def close(self, token_digest: TokenDigest) -> None:
        """
        End a session.
        """
        self._reach(writing=True)
        self.sessions.pop(token_digest, None)

    def _reach(self, *, writing: bool = False) -> None:
        if self.outage is not None:
            raise self.outage
        if writing and self.write_outage is not None:
            raise self.write_outage


@dataclass(slots=True, kw_only=True)
class FakeKeySetSource:
    """
    Publishes what it holds.

    Attributes:
        body: What is read.
        fetches: How often it was.
        outage: Raised while it is set.
    """

    body: bytes = b""
    fetches: int = 0
    outage: Exception | None = None

    async def fetch(self) -> bytes:
        """
        Read the whole set.
        """
        self.fetches += 1
        if self.outage is not None:
            raise self.outage
        return self.body


@dataclass(slots=True, kw_only=True)
class FakePersonDirectory:
    """
    Keeps people in a dictionary.

    Attributes:
        people: Ids by name.
        outage: Raised while it is set.
    """

    people: dict[str, str] = field(default_factory=dict[str, str])
    outage: UnavailableError | None = None

    async def person_of(self, user_id: str) -> str:
        """
        Return the id of a person, who is kept if new.
        """
        if self.outage is not None:
            raise self.outage
        return self.people.setdefault(user_id, f"{len(self.people):032x}")
