"""
The shell around keys, behind both auth ports: load, decide, act, report.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from copy import replace
from datetime import datetime, timedelta

from ctxfy.adapters.auth.credentials import malformed
from ctxfy.adapters.auth.key_cache import KeyCache
from ctxfy.core.exceptions import ApiKeyNotFoundError, UnavailableError
from ctxfy.core.models.audit_models import SERVER, Actor, AuditEvent
from ctxfy.core.models.auth_models import (
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
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.auth_ports import ApiKeyStorePort, KeyMaterialPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.auth_use_cases import (
    check_key_request,
    decide_authentication,
    expiry_of,
    is_live_admin,
    parse_key,
)
from ctxfy.core.use_cases.rotation_use_cases import (
    DEFAULT_GRACE_HOURS,
    check_rotation,
    decide_old_secret,
)


NO_DIGEST = "0" * 64
POLL_SECONDS = 0.5
FLUSH_SECONDS = 5.0

_STATUS_ACTIONS: Mapping[KeyStatus, str] = {
    KeyStatus.ACTIVE: "key_enabled",
    KeyStatus.DISABLED: "key_disabled",
    KeyStatus.REVOKED: "key_revoked",
}


class ApiKeyService:
    """
    Implements AuthCommandPort and AuthQueryPort.

    What was read of a key is cached, and that there is none too. Every change moves an epoch in the
    store; `run` polls it twice a second, so that a revocation holds everywhere within one second.

    Args:
        max_stale: Seconds for which the cache is believed while the store is out of reach.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        material: KeyMaterialPort,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        logging: LoggingPort,
        max_stale: float = 300.0,
    ) -> None:
        self._store = store
        self._material = material
        self._now = now
        self._monotonic = monotonic
        self._logging = logging
        self._max_stale = max_stale
        self._cache = KeyCache()
        self._is_away = False
        self._epoch: int | None = None
        self._polled_at = monotonic()
        self._uses: dict[KeyId, datetime] = {}

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
        parsed = parse_key(api_key)
        if parsed is None:
            return malformed()
        # Before it is known whether the id exists, so that both cases take the same time.
        digest = self._material.digest(api_key)
        info = await self._find(parsed.key_id)
        if info is not None and info.pepper_id != self._material.pepper_id:
            digest = self._material.digest(api_key, info.pepper_id)
        matches = hmac.compare_digest(info.api_key if info else NO_DIGEST, digest or "")
        now = self._now()
        is_old = info is not None and not matches and self._is_old(info, api_key)
        if info is not None and is_old and (denied := decide_old_secret(info, now)):
            return denied
        decision = decide_authentication(info, digest_matches=matches or is_old, now=now)
        if is_old and isinstance(decision, Granted):
            decision = Granted(principal=replace(decision.principal, by_old_secret=True))
        return self._noted(parsed.key_id, decision)

    async def recognize(self, key_id: KeyId, *, fresh: bool = False) -> Decision:
        """
        Decide about the holder of a key that was shown before, as the key is now; note its use.

        Args:
            key_id: Which key.
            fresh: Ask the store, whatever is cached.

        Raises:
            UnavailableError: The store is out of reach.
        """
        info = await (self._store.find(key_id) if fresh else self._find(key_id))
        return self._noted(
            key_id, decide_authentication(info, digest_matches=True, now=self._now())
        )

    async def create_api_key(
        self,
        user_id: str,
        *,
        scope: Scope = Scope.READ,
        ttl_hours: int | None = None,
        name: str = "",
        prompts: Sequence[str] = ("*",),
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
        event = act_of(actor, _STATUS_ACTIONS[status], self._now(), target=key_id)
        info = await self._store.set_status(key_id, status, event)
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
        """
        check_rotation(grace_hours, idempotency_key)
        whole = self._material.new_secret(key_id)
        digest = self._material.digest(whole)
        assert digest is not None  # noqa: S101 - the newest pepper is always there # nosec B101
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
        info = await self._find(parsed.key_id)
        if info is None:
            return None
        digest = self._material.digest(api_key, info.pepper_id) or ""
        return info if hmac.compare_digest(info.api_key, digest) else None

    async def find_api_key(self, key_id: KeyId) -> ApiKeyInfo:
        """
        Look a key up by its public id.

        Raises:
            ApiKeyNotFoundError: No key has this id.
        """
        info = await self._store.find(key_id)
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

    async def has_admin(self) -> bool:
        """
        Tell whether any key can administer the server now.
        """
        now = self._now()
        return any(is_live_admin(info, now) for info in await self._store.list_keys())

    def forget(self) -> None:
        """
        Read every key anew when it comes next.
        """
        self._cache.clear()

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
        try:
            epoch = await self._store.epoch()
        except UnavailableError as error:
            self._note_store(away=True, sentence=str(error))
            return  # the cache is believed until it is stale
        self._note_store(away=False)
        self._polled_at = self._monotonic()
        if epoch != self._epoch:
            self.forget()
            self._epoch = epoch

    def is_stale(self) -> bool:
        """
        Tell whether the store was away for so long that no key is believed any more.
        """
        # Asked when a key comes, not by the poll: that one may itself be hanging on the store.
        return self._monotonic() - self._polled_at > self._max_stale + 2 * POLL_SECONDS

    def _note_store(self, *, away: bool, sentence: str = "") -> None:
        if away == self._is_away:
            return
        self._is_away = away
        if away:
            self._logging.log_event("key_store_lost", level=LogLevel.ERROR, reason=sentence)
        else:
            self._logging.log_event("key_store_found")

    async def flush(self) -> None:
        """
        Write when keys were last used. A failure is logged and tried again with the next batch.
        """
        uses, self._uses = self._uses, {}
        if not uses:
            return
        written = False
        try:
            await self._store.touch(uses)
            written = True
        except UnavailableError as error:
            self._logging.log_error(None, error, {"doing": "writing last uses of keys"})
        finally:
            if not written:  # nor if we are cancelled meanwhile
                self._uses = uses | self._uses

    def _is_old(self, info: ApiKeyInfo, api_key: str) -> bool:
        if info.old_secret is None:
            return False
        digest = self._material.digest(api_key, info.old_secret.pepper_id) or ""
        return hmac.compare_digest(info.old_secret.api_key, digest)

    def _noted(self, key_id: KeyId, decision: Decision) -> Decision:
        if isinstance(decision, Granted):
            self._uses[key_id] = self._now()
        return decision

    async def _find(self, key_id: KeyId) -> ApiKeyInfo | None:
        if not self.is_stale() and key_id in self._cache:
            return self._cache.get(key_id)
        epoch = self._epoch
        info = await self._store.find(key_id)
        # If a change was noticed while we read, what we read may be older than it.
        if epoch == self._epoch:
            self._cache.keep(key_id, info)
        return info

    @staticmethod
    def _created(info: ApiKeyInfo, actor: Actor) -> AuditEvent:
        return act_of(
            actor,
            "key_created",
            info.created_at,
            target=info.key_id,
            scope=str(info.scope),
            prompts=list(info.prompts),
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
        assert digest is not None  # noqa: S101 - the newest pepper is always there # nosec B101
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
            rate_limit=request.rate_limit,
        )
