"""
Rotation: a new secret for a key, and how long the old one stays good.
"""

from copy import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidKeyRequestError, KeyNotRotatableError
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    DenialReason,
    KeyId,
    KeyStatus,
    OldSecret,
)
from ctxfy.core.use_cases.rotation_use_cases import (
    MAX_GRACE_HOURS,
    check_rotation,
    decide_old_secret,
    decide_rotation,
)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEY = ApiKeyInfo(
    key_id=KeyId("k" * 12), api_key=ApiKeyDigest("d" * 64), user_id="ann", created_at=NOON
)


@given(grace=st.integers(0, MAX_GRACE_HOURS), life=st.none() | st.integers(1, 10_000))
def test_the_old_secret_never_outlives_the_key(grace: int, life: int | None) -> None:
    """
    It stays good for the grace that was asked for, or to the key's own end if that comes first.
    """
    info = replace(KEY, expires_at=None if life is None else NOON + timedelta(hours=life))
    until = decide_rotation(info, timedelta(hours=grace), NOON)
    assert until == NOON + timedelta(hours=min(grace, grace if life is None else life))


@pytest.mark.parametrize(
    ("info", "state"),
    [
        (replace(KEY, status=KeyStatus.REVOKED), "revoked"),
        (replace(KEY, status=KeyStatus.DISABLED), "disabled"),
        (replace(KEY, expires_at=NOON), "expired"),
    ],
)
def test_only_a_live_key_is_rotated(info: ApiKeyInfo, state: str) -> None:
    """
    A new secret for a key that is over would look like a remedy, and be none.
    """
    with pytest.raises(KeyNotRotatableError, match=state):
        decide_rotation(info, timedelta(hours=1), NOON)


def test_the_old_secret_passes_until_its_end() -> None:
    """
    Before, it is as good as the new one; from then on it is refused, and told why.
    """
    old = OldSecret(api_key=KEY.api_key, pepper_id=1, expires_at=NOON)
    rotated = replace(KEY, old_secret=old)
    assert decide_old_secret(rotated, NOON - timedelta(microseconds=1)) is None
    denied = decide_old_secret(rotated, NOON)
    assert denied is not None
    assert (denied.reason, "rotated" in denied.sentence) == (DenialReason.EXPIRED, True)


@pytest.mark.parametrize(
    ("grace_hours", "idempotency_key"),
    [(-1, None), (MAX_GRACE_HOURS + 1, None), (1, ""), (1, "x" * 201), (1, "a\nb")],
)
def test_strange_wishes_are_refused(grace_hours: int, idempotency_key: str | None) -> None:
    """
    A grace without end and an idempotency key that is none are refused before anything is made.
    """
    with pytest.raises(InvalidKeyRequestError):
        check_rotation(grace_hours, idempotency_key)


def test_sane_wishes_pass() -> None:
    """
    The bounds themselves are allowed, with an idempotency key and without.
    """
    check_rotation(0, None)
    check_rotation(MAX_GRACE_HOURS, "x" * 200)
