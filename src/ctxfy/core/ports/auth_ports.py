"""
Ports about keys: two that are driven by the outside, and what they drive in turn.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from ctxfy.core.models.address_models import Network
from ctxfy.core.models.audit_models import SERVER, Actor, AuditEvent
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    Decision,
    KeyId,
    KeyStatus,
    NewDigest,
    NewSecret,
    RateLimit,
    RotatedKey,
    Scope,
)
from ctxfy.core.models.limit_models import Charge, LimitDecision
from ctxfy.core.models.session_models import Session, TokenDigest


class AuthCommandPort(Protocol):
    """
    Primary port for what changes something about keys (specification 2.2.1).
    """

    async def validate_api_key(self, api_key: str) -> bool:
        """
        Tell whether a key is valid: the truth of `authenticate`.

        Raises:
            UnavailableError: The store is out of reach; that says nothing about the key.
        """
        ...

    async def authenticate(self, api_key: str) -> Decision:
        """
        Decide who holds a key, and note its use.

        Raises:
            UnavailableError: The store is out of reach.
        """
        ...

    async def recognize(self, key_id: KeyId, *, fresh: bool = False) -> Decision:
        """
        Decide about the holder of a key that was shown before, as the key is now; note its use.

        Only for who has proved that: a session, and nothing that came from outside.

        Args:
            key_id: Which key.
            fresh: Ask the store, whatever is remembered.

        Raises:
            UnavailableError: The store is out of reach.
        """
        ...

    async def create_api_key(
        self,
        user_id: str,
        *,
        scope: Scope = Scope.READ,
        ttl_hours: int | None = None,
        name: str = "",
        prompts: Sequence[str] = ("*",),
        networks: Sequence[Network] = (),
        rate_limit: RateLimit | None = None,
        actor: Actor = SERVER,
    ) -> str:
        """
        Create a key and return it whole, the only time it can be seen.

        Raises:
            InvalidKeyRequestError: The wish cannot be granted.
            UnavailableError: The store is out of reach.
        """
        ...

    async def set_api_key_status(
        self, key_id: KeyId, status: KeyStatus, *, actor: Actor = SERVER
    ) -> ApiKeyInfo:
        """
        Disable a key or enable it again; every process knows within a second. Idempotent.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: It is the last key that can administer the server.
            UnavailableError: The store is out of reach.
        """
        ...

    async def rotate_api_key(
        self,
        key_id: KeyId,
        *,
        grace_hours: int = 24,
        idempotency_key: str | None = None,
        actor: Actor = SERVER,
    ) -> RotatedKey:
        """
        Give a key a new secret; the old one stays good for a while, never past the key's own end.

        Asked again under the same idempotency key within ten minutes, it is still one rotation.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            InvalidKeyRequestError: The wish cannot be granted.
            KeyNotRotatableError: The key is not live.
            UnavailableError: The store is out of reach.
        """
        ...

    async def revoke_api_key(self, key_id: KeyId, *, actor: Actor = SERVER) -> ApiKeyInfo:
        """
        End a key for good; every process refuses it within a second. Idempotent.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: It is the last key that can administer the server.
            UnavailableError: The store is out of reach.
        """
        ...


class AuthQueryPort(Protocol):
    """
    Primary port for questions about keys (specification 2.2.1).
    """

    async def get_api_key_info(self, api_key: str) -> ApiKeyInfo | None:
        """
        Look a key up by the key itself; None if its form or secret is wrong.
        """
        ...

    async def find_api_key(self, key_id: KeyId) -> ApiKeyInfo:
        """
        Look a key up by its public id.

        Raises:
            ApiKeyNotFoundError: No key has this id.
        """
        ...

    async def list_user_api_keys(self, user_id: str) -> list[ApiKeyInfo]:
        """
        List the keys of one user, oldest first.
        """
        ...

    async def list_api_keys(self) -> list[ApiKeyInfo]:
        """
        List all keys, oldest first.
        """
        ...

    async def list_expiring_api_keys(self, within: timedelta) -> list[ApiKeyInfo]:
        """
        List the keys that are good now and end within a time, oldest first.
        """
        ...


class ApiKeyStorePort(Protocol):
    """
    Driven port: where keys are kept. Every method may raise UnavailableError.

    A change is made at the time of the event that tells of it, and in one transaction with it; the
    store fills in whose key it is (`subject_id`). A change that is none tells nothing.
    """

    async def add(self, info: ApiKeyInfo, event: AuditEvent) -> None:
        """
        Keep a new key, and its owner with it.
        """
        ...

    async def add_first(self, info: ApiKeyInfo, event: AuditEvent) -> bool:
        """
        Keep a new key if there is none at all; False if there is. One transaction.
        """
        ...

    async def find(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Look a key up by its public id.
        """
        ...

    async def list_keys(self, *, user_id: str | None = None) -> list[ApiKeyInfo]:
        """
        List keys, oldest first: all, or those of one user.
        """
        ...

    async def list_expiring(
        self, now: datetime, until: datetime, *, limit: int
    ) -> list[ApiKeyInfo]:
        """
        List active keys that end after `now` and no later than `until`, the first to end first.
        """
        ...

    async def list_admins(self, now: datetime) -> list[ApiKeyInfo]:
        """
        List the keys that can administer the server at `now`; whose they are is left out.
        """
        ...

    async def count_lives(self) -> Mapping[tuple[KeyStatus, datetime | None], int]:
        """
        Count keys by status and by when they end.
        """
        ...

    async def set_status(
        self, key_id: KeyId, status: KeyStatus, event: AuditEvent, *, keep_admin: bool = True
    ) -> ApiKeyInfo:
        """
        Change a key's status and move the epoch on, in one transaction.

        Revocation is for good: a revoked key stays revoked, whatever is asked.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: With `keep_admin`, no live admin key would remain.
        """
        ...

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

        If the same was asked under the same idempotency key a moment ago, what came of that is
        returned, and nothing changes.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            KeyNotRotatableError: The key is not live.
        """
        ...

    async def rekey(self, digests: Sequence[NewDigest]) -> int:
        """
        Put digests in the place of those before them; tells how many. Does not move the epoch.

        A secret that was rotated meanwhile keeps the digest it has: only the very digest that is
        named is replaced.
        """
        ...

    async def touch(self, uses: Mapping[KeyId, datetime]) -> None:
        """
        Note when keys were last used; never moves a time back, does not move the epoch.
        """
        ...

    async def epoch(self) -> int:
        """
        A number that grows with every change that a cached key must not outlive.
        """
        ...


class KeyMaterialPort(Protocol):
    """
    Driven port: randomness and keyed digests.
    """

    def new_key(self) -> tuple[KeyId, str]:
        """
        Make a key id and the whole key around it.
        """
        ...

    def new_secret(self, key_id: KeyId) -> str:
        """
        Make a whole key with this id.
        """
        ...

    def digest(self, api_key: str, pepper_id: int | None = None) -> ApiKeyDigest | None:
        """
        HMAC-SHA-256 of a whole key under a pepper, the current one if none is named.

        None if that pepper is not known here.
        """
        ...

    def static_digest(self, api_key: str) -> ApiKeyDigest:
        """
        Digest of a whole key for the settings, which no pepper is needed for.
        """
        ...

    def fingerprint(self, api_key: str) -> bytes:
        """
        Make what stands for a whole key in the memory of a process; it is never written anywhere.
        """
        ...

    @property
    def pepper_id(self) -> int:
        """
        Which pepper new digests are made with.
        """
        ...


class KeySetSourcePort(Protocol):
    """
    Driven port: where the public keys of a token's issuer are published (RFC 7517).
    """

    async def fetch(self) -> bytes:
        """
        Read the whole set, within bounds of time and size.

        Raises:
            UnavailableError: It could not be read.
        """
        ...


class PersonDirectoryPort(Protocol):
    """
    Driven port: which random id stands for a person who holds no key here.
    """

    async def person_of(self, user_id: str) -> str:
        """
        Return the id of a person, who is kept if new.

        Raises:
            UnavailableError: The store is out of reach.
        """
        ...


class RateLimiterPort(Protocol):
    """
    Driven port: how often subjects came.
    """

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Count one request for all its subjects, and decide about it for each, in their order.

        All or nothing: what one limit refuses is charged to none. Never raises for a dependency
        that is away: the limiter has a stated policy for that.
        """
        ...


class SessionStorePort(Protocol):
    """
    Driven port: browsers that showed a key. Every method may raise UnavailableError.
    """

    async def open(self, session: Session, *, keep: int) -> None:
        """
        Keep a new session, and at most `keep` of its key: the oldest go.

        What is over when it begins is removed, whose it ever was.
        """
        ...

    async def find(self, token_digest: TokenDigest) -> Session | None:
        """
        Look a session up by the digest of its token, live or not.
        """
        ...

    async def touch(self, session: Session) -> None:
        """
        Note when a session was last seen and when it ends; one that was closed stays closed.
        """
        ...

    async def close(self, token_digest: TokenDigest) -> None:
        """
        End a session. Idempotent.
        """
        ...
