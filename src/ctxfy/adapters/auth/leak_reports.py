"""
Reports of keys found in public: each key is proved, and disabled together with its event.
"""

from collections.abc import Callable, Sequence
from copy import replace
from datetime import datetime

from ctxfy.adapters.auth.key_verifier import KeyVerifier
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import LastAdminKeyError, StaticKeyError
from ctxfy.core.models.audit_models import SERVER, Actor, AuditEvent
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyId, KeyStatus
from ctxfy.core.models.leak_models import LeakFinding, LeakOutcome, LeakProof
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.audit_ports import AuditPort
from ctxfy.core.ports.auth_ports import ApiKeyStorePort, KeyMaterialPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.auth_use_cases import parse_key
from ctxfy.core.use_cases.leak_use_cases import (
    check_leak_report,
    decide_leak,
    decide_proof,
    find_keys,
    keeps_last_admin,
    tell_place,
)


_LEVELS = {LeakOutcome.DISABLED: LogLevel.WARNING, LeakOutcome.STATIC: LogLevel.ERROR}


class LeakReports:
    """
    Takes reports. What was reported is neither kept nor repeated.

    Args:
        trail: Is told of keys that live in the settings; of others the store tells it.
        forget: Called after each change, so that no cache believes a key any longer.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        material: KeyMaterialPort,
        *,
        forget: Callable[[], None],
        now: Callable[[], datetime],
        logging: LoggingPort,
        trail: AuditPort,
        static: StaticKeys,
    ) -> None:
        self._store = store
        self._static = static
        self._trail = trail
        self._verifier = KeyVerifier(material, static)
        self._forget = forget
        self._now = now
        self._logging = logging

    async def report(
        self, text: str, key_ids: Sequence[KeyId] = (), *, place: str = "", actor: Actor = SERVER
    ) -> list[LeakFinding]:
        """
        Disable every key that is in a text, and every one that is named by its id. Idempotent.

        Returns:
            What came of each key: those of the text first, in its order, then those by id.

        Raises:
            InvalidKeyRequestError: The report names no key, or too many.
            UnavailableError: The store is out of reach.
        """
        check_leak_report(text, key_ids, place)
        found = [await self._about_key(key, place, actor) for key in find_keys(text)]
        named = [await self._about_id(key_id, place, actor) for key_id in dict.fromkeys(key_ids)]
        return found + named

    async def _about_key(self, api_key: str, place: str, actor: Actor) -> LeakFinding:
        parsed = parse_key(api_key)
        if parsed is None:
            return LeakFinding(outcome=LeakOutcome.MALFORMED)
        info = await self._find(parsed.key_id)
        shown = self._verifier.prove(api_key, info)
        if info is None or not (shown.current or shown.old):
            return LeakFinding(outcome=LeakOutcome.UNKNOWN)
        proof = decide_proof(info, is_current=shown.current, now=self._now())
        return await self._end(info, proof, place, actor)

    async def _about_id(self, key_id: KeyId, place: str, actor: Actor) -> LeakFinding:
        info = await self._find(key_id)
        if info is None:
            return LeakFinding(outcome=LeakOutcome.UNKNOWN)
        return await self._end(info, LeakProof.KEY_ID, place, actor)

    async def _find(self, key_id: KeyId) -> ApiKeyInfo | None:
        return self._static.get(key_id) or await self._store.find(key_id)

    async def _end(
        self, info: ApiKeyInfo, proof: LeakProof, place: str, actor: Actor
    ) -> LeakFinding:
        is_static = self._static.get(info.key_id) is not None
        outcome = decide_leak(info, proof, is_static=is_static)
        event = self._event(info.key_id, proof, place, actor)
        if outcome is LeakOutcome.DISABLED:
            outcome = await self._disable(info.key_id, proof, event)
        elif outcome is LeakOutcome.STATIC:
            await self._trail.append(replace(event, outcome=StaticKeyError.code))
        level = _LEVELS.get(outcome, LogLevel.INFO)
        self._logging.log_event(
            "key_reported_leaked", level=level, key_id=info.key_id, outcome=str(outcome)
        )
        return LeakFinding(outcome=outcome, key_id=info.key_id)

    def _event(self, key_id: KeyId, proof: LeakProof, place: str, actor: Actor) -> AuditEvent:
        told = {"proof": str(proof)} | ({"found_at": tell_place(place)} if place else {})
        return act_of(actor, "key_reported_leaked", self._now(), target=key_id, **told)

    async def _disable(self, key_id: KeyId, proof: LeakProof, event: AuditEvent) -> LeakOutcome:
        try:
            await self._store.set_status(
                key_id, KeyStatus.DISABLED, event, keep_admin=keeps_last_admin(proof)
            )
        except LastAdminKeyError:
            return LeakOutcome.LAST_ADMIN
        self._forget()
        return LeakOutcome.DISABLED
