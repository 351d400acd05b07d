"""
The judgement about the ends of keys: which are near, and whether somebody is left to administer.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import is_expired, is_live_admin


STEADY_ADMIN_LIFE = timedelta(hours=24)
"""
How long an admin key must be good for yet, to be the one that lets another go.
"""
SPAN_PATTERN = "^[1-9][0-9]{0,3}[dh]$"

_SPAN = re.compile(r"([1-9][0-9]{0,3})([dh])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}


class KeyState(StrEnum):
    """
    What a key is good for at a moment.
    """

    ACTIVE = "active"
    DISABLED = "disabled"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Remaining(StrEnum):
    """
    How much of its life a key has left; safe as a metric label.
    """

    OVER = "over"
    DAY = "1d"
    WEEK = "7d"
    MONTH = "30d"
    LONGER = "longer"
    ENDLESS = "endless"


_STEPS = (
    (Remaining.OVER, timedelta()),
    (Remaining.DAY, timedelta(days=1)),
    (Remaining.WEEK, timedelta(days=7)),
    (Remaining.MONTH, timedelta(days=30)),
)


def parse_span(text: str) -> timedelta:
    """
    Read a span of time such as `7d` or `12h`.

    Raises:
        InvalidKeyRequestError: It is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise InvalidKeyRequestError(
            f"'{text}' is no span of time; write for example 7d or 12h (days, hours)."
        )
    return int(match[1]) * _UNITS[match[2]]


def is_expiring(info: ApiKeyInfo, within: timedelta, now: datetime) -> bool:
    """
    Whether a key that is good now ends within a time.
    """
    return (
        info.status is KeyStatus.ACTIVE
        and info.expires_at is not None
        and now < info.expires_at <= now + within
    )


def state_of(status: KeyStatus, expires_at: datetime | None, now: datetime) -> KeyState:
    """
    Tell what a key is good for; that it was revoked matters more than that it would be over.
    """
    if status is not KeyStatus.REVOKED and expires_at is not None and expires_at <= now:
        return KeyState.EXPIRED
    return KeyState(status)


def remaining_of(expires_at: datetime | None, now: datetime) -> Remaining:
    """
    Tell how much of its life a key has left.
    """
    if expires_at is None:
        return Remaining.ENDLESS
    left = expires_at - now
    return next((step for step, bound in _STEPS if left <= bound), Remaining.LONGER)


def days_left(expires_at: datetime, now: datetime) -> int:
    """
    Count whole days until an end; 0 on the last day.
    """
    return max(0, (expires_at - now).days)


def is_steady_admin(info: ApiKeyInfo, now: datetime) -> bool:
    """
    Whether a key can administer the server now, and for a day to come.
    """
    return is_live_admin(info, now) and not is_expired(info, now + STEADY_ADMIN_LIFE)


def may_go(info: ApiKeyInfo, others: Iterable[ApiKeyInfo], now: datetime) -> bool:
    """
    Whether a key can be ended without leaving the server to nobody.

    A key that cannot administer the server may always go, even if no other key can.
    """
    return not is_live_admin(info, now) or any(is_steady_admin(other, now) for other in others)


def last_admin_end(keys: Iterable[ApiKeyInfo], now: datetime) -> datetime | None:
    """
    Tell when the last of the live admin keys ends; None if that is never, or there is none.
    """
    ends = [info.expires_at for info in keys if is_live_admin(info, now)]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
