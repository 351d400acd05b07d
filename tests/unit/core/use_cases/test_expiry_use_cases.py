"""
The ends of keys.
"""

from copy import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Scope
from ctxfy.core.use_cases.expiry_use_cases import (
    STEADY_ADMIN_LIFE,
    KeyState,
    Remaining,
    days_left,
    is_expiring,
    is_steady_admin,
    last_admin_end,
    may_go,
    parse_span,
    remaining_of,
    state_of,
)
from tests.builders import NOW, make_key_info


HOUR, DAY = timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def _admin(left: timedelta | None = None, **facts: object) -> ApiKeyInfo:
    ends = None if left is None else NOW + left
    return replace(make_key_info(scope=Scope.ADMIN, expires_at=ends), **facts)  # type: ignore[arg-type] # whatever the fields are


@given(number=st.integers(1, 9999))
def test_a_span_is_days_or_hours(number: int) -> None:
    """
    Whole ones.
    """
    assert parse_span(f"{number}d") == number * DAY
    assert parse_span(f"{number}h") == number * HOUR


@pytest.mark.parametrize(
    "text",
    ["", "7", "d", "0d", "07d", "-7d", "7D", "7 d", "7d ", "1.5d", "7w", "10000d", "\u0667d"],
)
def test_what_is_no_span_is_refused(text: str) -> None:
    """
    With what to write instead.
    """
    with pytest.raises(InvalidKeyRequestError, match="7d or 12h"):
        parse_span(text)


@pytest.mark.parametrize(
    ("status", "left", "expected"),
    [
        (KeyStatus.ACTIVE, None, False),
        (KeyStatus.ACTIVE, timedelta(), False),
        (KeyStatus.ACTIVE, INSTANT, True),
        (KeyStatus.ACTIVE, DAY, True),
        (KeyStatus.ACTIVE, DAY + INSTANT, False),
        (KeyStatus.DISABLED, HOUR, False),
        (KeyStatus.REVOKED, HOUR, False),
    ],
)
def test_a_key_is_expiring_while_it_is_good(
    status: KeyStatus, left: timedelta | None, expected: bool
) -> None:
    """
    One that is over, or good for nothing, is no news.
    """
    info = _admin(left, status=status)
    assert is_expiring(info, DAY, NOW) == expected


@pytest.mark.parametrize("status", KeyStatus)
@pytest.mark.parametrize("ends", [None, NOW, NOW + HOUR])
def test_a_state_is_told(status: KeyStatus, ends: datetime | None) -> None:
    """
    Expired from the very moment on, unless the key was revoked anyway.
    """
    is_over = ends == NOW and status is not KeyStatus.REVOKED
    assert state_of(status, ends, NOW) == (KeyState.EXPIRED if is_over else KeyState(status))


@pytest.mark.parametrize(
    ("left", "remaining"),
    [
        (-DAY, Remaining.OVER),
        (timedelta(), Remaining.OVER),
        (INSTANT, Remaining.DAY),
        (DAY, Remaining.DAY),
        (DAY + INSTANT, Remaining.WEEK),
        (7 * DAY, Remaining.WEEK),
        (30 * DAY, Remaining.MONTH),
        (30 * DAY + INSTANT, Remaining.LONGER),
    ],
)
def test_what_is_left_falls_into_one_of_some_steps(left: timedelta, remaining: Remaining) -> None:
    """
    Each step holds its own bound.
    """
    assert remaining_of(NOW + left, NOW) is remaining
    assert remaining_of(None, NOW) is Remaining.ENDLESS


def test_days_are_whole() -> None:
    """
    On the last day none is left, nor after it.
    """
    lefts = (-DAY, INSTANT, DAY - INSTANT, DAY, 7 * DAY)
    assert [days_left(NOW + left, NOW) for left in lefts] == [0, 0, 0, 1, 7]


@pytest.mark.parametrize(
    ("other", "goes"),
    [
        (_admin(), True),
        (_admin(STEADY_ADMIN_LIFE + INSTANT), True),
        (_admin(STEADY_ADMIN_LIFE), False),
        (_admin(HOUR), False),
        (_admin(status=KeyStatus.DISABLED), False),
        (_admin(prompts=("a-*",)), False),
        (_admin(scope=Scope.WRITE), False),
    ],
)
def test_an_admin_key_goes_if_another_stays(other: ApiKeyInfo, goes: bool) -> None:
    """
    One that is good now, and for a day to come.
    """
    assert may_go(_admin(), [other], NOW) == goes
    assert may_go(_admin(HOUR), [other], NOW) == goes
    assert is_steady_admin(other, NOW) == goes
    assert may_go(make_key_info(), [other], NOW)


def test_nobody_goes_last() -> None:
    """
    Without another admin key none goes; one that could not administer goes all the same.
    """
    assert not may_go(_admin(), [], NOW)
    assert may_go(_admin(status=KeyStatus.DISABLED), [], NOW)


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        ([], None),
        ([_admin()], None),
        ([_admin(DAY)], NOW + DAY),
        ([_admin(DAY), _admin(HOUR), make_key_info()], NOW + DAY),
        ([_admin(DAY), _admin()], None),
        ([_admin(DAY), _admin(status=KeyStatus.REVOKED)], NOW + DAY),
        ([_admin(-DAY)], None),
    ],
)
def test_the_end_of_the_last_admin_key_is_known(
    keys: list[ApiKeyInfo], end: datetime | None
) -> None:
    """
    The latest end of the live ones, if all of them have one.
    """
    assert last_admin_end(keys, NOW) == end
