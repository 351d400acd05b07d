"""
The shell around keys, behind both auth ports: load, decide, act, report.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from ctxfy.adapters.auth.credentials import malformed
from ctxfy.adapters.auth.key_cache import KeyCache
from ctxfy.adapters.auth.key_lookup import POLL_SECONDS, KeyLookup
from ctxfy.adapters.auth.key_rekeying import KeyRekeying
from ctxfy.adapters.auth.key_usage import KeyUsage
from ctxfy.adapters.auth.key_uses import KeyUses
from ctxfy.adapters.auth.key_verifier import KeyVerifier
from ctxfy.adapters.auth.proven_keys import ProvenKeys
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import ApiKeyNotFoundError
from ctxfy.core.models.address_models import Network
from ctxfy.core.models.audit_models import SERVER, Actor, AuditEvent
from ctxfy.core.models.auth_models import (
    STATIC,
    ApiKeyInfo,
    ApiKeyRequest,
    Decision,
    Granted,
    KeyId,
    KeyStatus,
    NewSecret,
    RateLimit,
    RotatedKey,
    Scope,
)
from ctxfy.core.ports.auth_ports import ApiKeyStorePort, KeyMaterialPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.auth_use_cases import (
    check_key_request,
    decide_authentication,
    expiry_of,
    is_expired,
    parse_key,
)
from ctxfy.core.use_cases.expiry_use_cases import is_expiring
from ctxfy.core.use_cases.rotation_use_cases import (
    DEFAULT_GRACE_HOURS,
    check_rotation,
    decide_old_secret,
)


FLUSH_SECONDS = 5.0

_STATUS_ACTIONS: Mapping[KeyStatus, str] = {
    KeyStatus.ACTIVE: "key_enabled",
    KeyStatus.DISABLED: "key_disabled",
    KeyStatus.REVOKED: "key_revoked",
}


class ApiKeyService:
    """
    Implements AuthCommandPort and AuthQueryPort.

    What was read of a key is cached; `run` looks twice a second whether any changed, so that a
    revocation holds everywhere within one second.

    Args:
        cache: Remembers what the store said of keys.
        usage: Is written with the last uses; None where no requests are served.
        static: Keys from the settings.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        material: KeyMaterialPort,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        logging: LoggingPort,
        cache: KeyCache | None = None,
        usage: KeyUsage | None = None,
        static: StaticKeys | None = None,
    ) -> None:
        self._store = store
        self._material = material
        self._now = now
        self._monotonic = monotonic
        self._logging = logging
        self._static = static or StaticKeys()
        cache = cache or KeyCache()
        self._lookup = KeyLookup(
            store, monotonic=monotonic, logging=logging, cache=cache, static=self._static
        )
        self._verifier = KeyVerifier(material, self._static)
        self._proven = ProvenKeys(size=cache.size)
        self._uses = KeyUses(store, logging=logging)
        self._usage = usage
        self._rekeying = KeyRekeying(store, material, self._lookup, logging=logging)

    async def validate_api_key(self, api_key: str) -> bool:
        """
        Tell whether a key is valid: the truth of `authenticate`.
        """
        return isinstance(await self.authenticate(api_key), Granted)

    async def authenticate(self, api_key: str) -> Decision:
        """
        Decide who holds a key, and note its use.

        Raises:
            UnavailableError: The store is out of reach.
        """
        fingerprint = self._material.fingerprint(api_key)
        proven = self._proven.find(fingerprint)
        if proven is not None:
            now, (known, granted) = self._now(), proven
            if await self._lookup.find(known.key_id) is known and not is_expired(known, now):
                return self._noted(known.key_id, granted, now)
        return await self._prove(api_key, fingerprint)

    async def _prove(self, api_key: str, fingerprint: bytes) -> Decision:
        parsed = parse_key(api_key)
        if parsed is None:
            return malformed()
        info = await self._lookup.find(parsed.key_id)
        proof = self._verifier.prove(api_key, info)
        now = self._now()
        is_old = proof.old and not proof.current
        if info is not None and is_old and (denied := decide_old_secret(info, now)):
            return denied
        decision = decide_authentication(info, digest_matches=proof.current or is_old, now=now)
        if info is not None and isinstance(decision, Granted):
            self._rekeying.note(api_key, info, by_old_secret=is_old)
            if is_old:
                decision = Granted(principal=replace(decision.principal, by_old_secret=True))
            elif info.pepper_id in {self._material.pepper_id, STATIC}:
                self._proven.keep(fingerprint, info, decision)
        return self._noted(parsed.key_id, decision, now)

    async def recognize(self, key_id: KeyId, *, fresh: bool = False) -> Decision:
        """
        Decide about the holder of a key that was shown before, as the key is now; note its use.

        Args:
            key_id: Which key.
            fresh: Ask the store, whatever is cached.

        Raises:
            UnavailableError: The store is out of reach.
        """
        info = await self._lookup.find(key_id, fresh=fresh)
        now = self._now()
        return self._noted(key_id, decide_authentication(info, digest_matches=True, now=now), now)

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
        request = ApiKeyRequest(
            user_id=user_id,
            scope=scope,
            ttl_hours=ttl_hours,
            name=name,
            prompts=tuple(prompts),
            networks=tuple(networks),
            rate_limit=rate_limit,
        )
        check_key_request(request)
        key_id, api_key = self._material.new_key()
        info = self._info(request, key_id, api_key, created_by=actor.key_id)
        await self._store.add(info, self._created(info, actor))
        self.forget()
        return api_key

    async def create_first_key(self, user_id: str, api_key: str | None = None) -> str | None:
        """
        Create an admin key if the store holds no key at all; None if it does.

        Args:
            user_id: Whose key it is.
            api_key: Use this key instead of a new one (`auth.bootstrap_key`).

        Raises:
            InvalidKeyRequestError: The user's name is none.
            UnavailableError: The store is out of reach.
        """
        parsed = parse_key(api_key) if api_key else None
        key_id, made = (parsed.key_id, api_key or "") if parsed else self._material.new_key()
        request = ApiKeyRequest(user_id=user_id, scope=Scope.ADMIN, name="first key")
        check_key_request(request)
        info = self._info(request, key_id, made)
        is_first = await self._store.add_first(info, self._created(info, SERVER))
        return made if is_first else None

    async def revoke_api_key(self, key_id: KeyId, *, actor: Actor = SERVER) -> ApiKeyInfo:
        """
        End a key for good. Idempotent.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: It is the last key that can administer the server.
        """
        return await self.set_api_key_status(key_id, KeyStatus.REVOKED, actor=actor)

    async def set_api_key_status(
        self, key_id: KeyId, status: KeyStatus, *, actor: Actor = SERVER
    ) -> ApiKeyInfo:
        """
        Disable a key, enable it again, or revoke it. Idempotent.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            LastAdminKeyError: It is the last key that can administer the server.
        """
        self._static.require_other(key_id)
        now = self._now()
        event = act_of(actor, _STATUS_ACTIONS[status], now, target=key_id)
        keep_admin = not self._static.has_admin(now)
        info = await self._store.set_status(key_id, status, event, keep_admin=keep_admin)
        self.forget()
        return info

    async def rotate_api_key(
        self,
        key_id: KeyId,
        *,
        grace_hours: int = DEFAULT_GRACE_HOURS,
        idempotency_key: str | None = None,
        actor: Actor = SERVER,
    ) -> RotatedKey:
        """
        Give a key a new secret; the old one stays good for a while.

        Raises:
            ApiKeyNotFoundError: No key has this id.
            InvalidKeyRequestError: The wish cannot be granted.
            KeyNotRotatableError: The key is not live.
            StaticKeyError: It lives in the settings.
        """
        check_rotation(grace_hours, idempotency_key)
        self._static.require_other(key_id)
        whole = self._material.new_secret(key_id)
        digest = self._material.digest(whole)
        assert digest is not None  # noqa: S101 - the current pepper is always there # nosec B101
        rotated = await self._store.rotate(
            key_id,
            NewSecret(whole=whole, api_key=digest, pepper_id=self._material.pepper_id),
            act_of(actor, "key_rotated", self._now(), target=key_id, grace_hours=grace_hours),
            grace=timedelta(hours=grace_hours),
            idempotency_key=idempotency_key,
        )
        self.forget()
        return rotated

    async def get_api_key_info(self, api_key: str) -> ApiKeyInfo | None:
        """
        Look a key up by the key itself; None if its form or secret is wrong.
        """
        parsed = parse_key(api_key)
        if parsed is None:
            return None
        info = await self._lookup.find(parsed.key_id)
        return info if self._verifier.prove(api_key, info).current else None

    async def find_api_key(self, key_id: KeyId) -> ApiKeyInfo:
        """
        Look a key up by its public id.

        Raises:
            ApiKeyNotFoundError: No key has this id.
        """
        info = await self._lookup.find(key_id, fresh=True)
        if info is None:
            raise ApiKeyNotFoundError(key_id)
        return info

    async def list_user_api_keys(self, user_id: str) -> list[ApiKeyInfo]:
        """
        List the keys of one user, oldest first.
        """
        return await self._store.list_keys(user_id=user_id)

    async def list_api_keys(self) -> list[ApiKeyInfo]:
        """
        List all keys, oldest first.
        """
        return await self._store.list_keys()

    async def list_expiring_api_keys(self, within: timedelta) -> list[ApiKeyInfo]:
        """
        List the keys that are good now and end within a time, oldest first.
        """
        now = self._now()
        return [info for info in await self._store.list_keys() if is_expiring(info, within, now)]

    async def has_admin(self) -> bool:
        """
        Tell whether any key can administer the server now.
        """
        now = self._now()
        return self._static.has_admin(now) or bool(await self._store.list_admins(now))

    def forget(self) -> None:
        """
        Read every key anew when it comes next.
        """
        self._lookup.forget()

    async def run(self) -> None:
        """
        Poll the epoch and write last uses, until cancelled; then write what is left.
        """
        flushed_at = self._monotonic()
        try:
            while True:
                await asyncio.sleep(POLL_SECONDS)
                try:
                    await self.poll()
                    if self._monotonic() - flushed_at >= FLUSH_SECONDS:
                        flushed_at = self._monotonic()
                        await self.flush()
                except Exception as error:  # noqa: BLE001 - without polls no revocation would hold
                    self._logging.log_error(None, error, {"doing": "polling for changed keys"})
        finally:
            await self.flush()

    async def poll(self) -> None:
        """
        Drop the cache if any key changed.
        """
        await self._lookup.poll()

    def cache_lookups(self) -> tuple[int, int]:
        """
        Tell how often a key was remembered, and how often the store was asked.
        """
        return self._lookup.hits, self._lookup.misses

    def is_stale(self) -> bool:
        """
        Tell whether the store was away for so long that no key is believed any more.
        """
        return self._lookup.is_stale()

    async def flush(self) -> None:
        """
        Write what was gathered: when keys were last used, and their digests under a new pepper.
        """
        await self._rekeying.flush()
        await self._uses.flush()
        if self._usage is not None:
            await self._usage.flush()

    def _noted(self, key_id: KeyId, decision: Decision, now: datetime) -> Decision:
        if isinstance(decision, Granted):
            self._uses.note(key_id, now)
        return decision

    @staticmethod
    def _created(info: ApiKeyInfo, actor: Actor) -> AuditEvent:
        return act_of(
            actor,
            "key_created",
            info.created_at,
            target=info.key_id,
            scope=str(info.scope),
            prompts=list(info.prompts),
            networks=[str(network) for network in info.networks],
            expires_at=None if info.expires_at is None else info.expires_at.isoformat(),
        )

    def _info(
        self,
        request: ApiKeyRequest,
        key_id: KeyId,
        api_key: str,
        *,
        created_by: KeyId | None = None,
    ) -> ApiKeyInfo:
        digest = self._material.digest(api_key)
        assert digest is not None  # noqa: S101 - the current pepper is always there # nosec B101
        now = self._now()
        return ApiKeyInfo(
            key_id=key_id,
            api_key=digest,
            user_id=request.user_id,
            created_at=now,
            created_by=created_by,
            expires_at=expiry_of(request, now),
            scope=request.scope,
            pepper_id=self._material.pepper_id,
            name=request.name,
            prompts=request.prompts,
            networks=request.networks,
            rate_limit=request.rate_limit,
        )
