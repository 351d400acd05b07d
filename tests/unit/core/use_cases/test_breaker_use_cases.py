"""
The circuit breaker: when it opens, when it tries, when it closes.
"""

from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.limit_models import Breaker
from ctxfy.core.use_cases.breaker_use_cases import (
    FAILURES_TO_OPEN,
    PROBE_SECONDS,
    after_failures,
    after_success,
    probe_delay,
)


def test_the_fifth_failure_in_a_row_opens_it() -> None:
    """
    Four are borne; with the fifth the next probe is two seconds away.
    """
    breaker = Breaker()
    for _ in range(4):
        breaker = after_failures(breaker, now=10.0)
        assert (breaker.is_open, probe_delay(breaker, 10.0)) == (False, 0.0)
    breaker = after_failures(breaker, now=10.0)
    assert breaker.is_open
    assert [probe_delay(breaker, now) for now in (10.0, 11.5, 12.0, 99.0)] == [2.0, 0.5, 0.0, 0.0]


def test_one_failure_may_weigh_as_much_as_five() -> None:
    """
    A probe that fails leaves no doubt.
    """
    assert after_failures(Breaker(), now=0.0, count=FAILURES_TO_OPEN).is_open


def test_a_success_forgets_all_failures() -> None:
    """
    Failures must come in a row, and an open breaker closes at the first success.
    """
    assert after_success(Breaker(failures=4)) == Breaker()
    assert after_success(Breaker(failures=9, probe_at=1.0)) == Breaker()
    whole = Breaker()
    assert after_success(whole) is whole


@given(st.lists(st.booleans()))
def test_it_is_open_exactly_after_five_failures_without_a_success(outcomes: list[bool]) -> None:
    """
    Whatever came before.
    """
    breaker, in_a_row = Breaker(), 0
    for number, good in enumerate(outcomes):
        now = float(number)
        breaker = after_success(breaker) if good else after_failures(breaker, now)
        in_a_row = 0 if good else in_a_row + 1
        assert breaker.is_open == (in_a_row >= FAILURES_TO_OPEN)
        assert probe_delay(breaker, now) == (PROBE_SECONDS if breaker.is_open else 0.0)
