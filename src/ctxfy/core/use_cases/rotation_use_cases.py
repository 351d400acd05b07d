"""
The judgement about rotation: a new secret for a key, and how long the old one stays good.
"""

from datetime import datetime, timedelta

from ctxfy.core.exceptions import InvalidKeyRequestError, KeyNotRotatableError
from ctxfy.core.models.auth_models import ApiKeyInfo, DenialReason, Denied, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import is_expired


DEFAULT_GRACE_HOURS = 24
MAX_GRACE_HOURS = 30 * 24
MAX_IDEMPOTENCY_KEY_LENGTH = 200
REPLAY_LIFETIME = timedelta(minutes=10)
"""
For how long a rotation that is asked for again under the same Idempotency-Key gives the same key.
"""


def check_rotation(grace_hours: int, idempotency_key: str | None) -> None:
    """
    Refuse a wish for a rotation that cannot be granted for any key.

    Raises:
        InvalidKeyRequestError: With the first thing that is wrong.
    """
    if not 0 <= grace_hours <= MAX_GRACE_HOURS:
        raise InvalidKeyRequestError(
            f"The old secret stays good from 0 to {MAX_GRACE_HOURS} hours after a rotation."
        )
    if idempotency_key is not None and not (
        1 <= len(idempotency_key) <= MAX_IDEMPOTENCY_KEY_LENGTH and idempotency_key.isprintable()
    ):
        raise InvalidKeyRequestError(
            f"An Idempotency-Key has from 1 to {MAX_IDEMPOTENCY_KEY_LENGTH} printable characters."
        )


def decide_rotation(info: ApiKeyInfo, grace: timedelta, now: datetime) -> datetime:
    """
    Decide until when the secret that a key has now stays good: never past the key's own end.

    Raises:
        KeyNotRotatableError: The key is not live.
    """
    if info.status is not KeyStatus.ACTIVE or is_expired(info, now):
        state = "expired" if info.status is KeyStatus.ACTIVE else str(info.status)
        raise KeyNotRotatableError(
            f"The key {info.key_id!r} is {state}, and only a live key can be rotated."
        )
    until = now + grace
    return until if info.expires_at is None else min(until, info.expires_at)


def decide_old_secret(info: ApiKeyInfo, now: datetime) -> Denied | None:
    """
    Decide about a caller who showed the secret from before the last rotation; None lets it pass on.
    """
    if info.old_secret is not None and now < info.old_secret.expires_at:
        return None
    return Denied(
        reason=DenialReason.EXPIRED,
        sentence="The API key was rotated, and this is its old secret; use the new one.",
    )
