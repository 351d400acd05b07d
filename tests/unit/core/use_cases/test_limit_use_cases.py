"""
Rates: GCRA as a pure function.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge, LimitPolicy, Quota
from ctxfy.core.use_cases.limit_use_cases import (
    NANOSECONDS,
    decide_limit,
    decide_limits,
    share_of,
    wait_of,
)


LIMITS = st.builds(
    RateLimit,
    requests=st.integers(min_value=1, max_value=10_000),
    seconds=st.integers(min_value=1, max_value=86_400),
)
MOMENTS = st.integers(min_value=0, max_value=2**63)


def test_the_first_request_passes_and_leaves_the_rest() -> None:
    """
    A subject never seen before has the whole limit.
    """
    decision = decide_limit(None, RateLimit(requests=5, seconds=60), now=100 * NANOSECONDS)
    assert (decision.allowed, decision.remaining, decision.retry_after) == (True, 4, 0.0)


def test_a_burst_is_as_large_as_the_limit_and_no_larger() -> None:
    """
    N requests pass at one moment, the next one is told to wait for one interval.
    """
    limit = RateLimit(requests=5, seconds=60)
    decisions = [decide_limit(None, limit, now=100 * NANOSECONDS)]
    for _ in range(5):
        decisions.append(decide_limit(decisions[-1].arrival, limit, now=100 * NANOSECONDS))
    assert [decision.allowed for decision in decisions] == [True] * 5 + [False]
    assert decisions[-1].retry_after == pytest.approx(12.0)
    assert decisions[-1].remaining == 0


def test_a_refusal_costs_nothing() -> None:
    """
    Whoever was refused and waits as long as told passes.
    """
    limit = RateLimit(requests=1, seconds=10)
    first = decide_limit(None, limit, now=0)
    refused = decide_limit(first.arrival, limit, now=4 * NANOSECONDS)
    waited = int((4 + refused.retry_after) * NANOSECONDS)
    again = decide_limit(refused.arrival, limit, now=waited)
    assert (refused.allowed, again.allowed) == (False, True)


def test_a_clock_set_back_locks_nobody_out_for_longer_than_one_period() -> None:
    """
    An arrival time from the far future counts as one full period ahead at most.
    """
    decision = decide_limit(10**30, RateLimit(requests=10, seconds=60), now=0)
    assert decision.allowed is False
    assert decision.retry_after <= 60


def test_a_request_may_count_for_several() -> None:
    """
    A cost of three takes three of the limit.
    """
    assert decide_limit(None, RateLimit(requests=5, seconds=60), now=0, cost=3).remaining == 2


@given(limit=LIMITS, start=MOMENTS)
def test_exactly_the_limit_passes_at_one_moment(limit: RateLimit, start: int) -> None:
    """
    However large the limit and whatever the clock says, the burst is the limit.
    """
    arrival = None
    for _ in range(min(limit.requests, 200)):
        decision = decide_limit(arrival, limit, now=start)
        arrival = decision.arrival
        assert decision.allowed


@given(
    limit=LIMITS, gaps=st.lists(st.integers(min_value=0, max_value=100 * NANOSECONDS), max_size=60)
)
def test_no_period_lets_more_than_twice_the_limit_through(
    limit: RateLimit, gaps: list[int]
) -> None:
    """
    A burst and the steady rate after it: at most 2 N in any S seconds, as GCRA promises.
    """
    now, arrival, passed = 1000, None, list[int]()
    for gap in gaps:
        now += gap
        decision = decide_limit(arrival, limit, now=now)
        arrival = decision.arrival
        if decision.allowed:
            passed.append(now)
    for moment in passed:
        inside = [
            other for other in passed if moment <= other < moment + limit.seconds * NANOSECONDS
        ]
        assert len(inside) <= 2 * limit.requests


@given(limit=LIMITS, now=MOMENTS, ahead=st.integers(min_value=0, max_value=10**20))
def test_numbers_told_to_callers_are_sane(limit: RateLimit, now: int, ahead: int) -> None:
    """
    Remaining stays within the limit, and no wait is negative.
    """
    decision = decide_limit(now + ahead, limit, now=now)
    assert 0 <= decision.remaining <= limit.requests
    assert decision.retry_after >= 0
    assert decision.reset_after >= 0


def test_a_request_larger_than_its_limit_takes_the_whole_of_it() -> None:
    """
    Refusing it for good would be a lie about when to come again.
    """
    limit = RateLimit(requests=5, seconds=60)
    first = decide_limit(None, limit, now=0, cost=1000)
    assert (first.allowed, first.remaining, first.reset_after) == (True, 0, 60.0)
    assert decide_limit(first.arrival, limit, now=0, cost=1000).retry_after == 60.0


def test_asking_costs_nothing() -> None:
    """
    With a cost of zero the answer tells what is left, and leaves it.
    """
    decision = decide_limit(None, RateLimit(requests=5, seconds=60), now=7, cost=0)
    assert (decision.allowed, decision.remaining, decision.arrival) == (True, 5, 7)


@given(
    limits=st.lists(LIMITS, min_size=1, max_size=3),
    aheads=st.lists(
        st.none() | st.integers(min_value=0, max_value=2 * 86_400 * NANOSECONDS),
        min_size=3,
        max_size=3,
    ),
    cost=st.integers(min_value=1, max_value=20_000),
)
def test_together_all_or_nothing(
    limits: list[RateLimit], aheads: list[int | None], cost: int
) -> None:
    """
    Each subject is decided as it would be alone; if one is refused, none has less than before.
    """
    now = 10**18
    charges = [
        Charge(subject=str(number), limit=limit, cost=cost) for number, limit in enumerate(limits)
    ]
    arrivals = [None if ahead is None else now + ahead for ahead in aheads[: len(limits)]]
    alone = [decide_limit(at, limit, now, cost) for at, limit in zip(arrivals, limits, strict=True)]
    found = decide_limits(charges, arrivals, now)
    assert [each.allowed for each in found] == [each.allowed for each in alone]
    if not all(each.allowed for each in found):
        before = [
            decide_limit(at, limit, now, cost=0).arrival
            for at, limit in zip(arrivals, limits, strict=True)
        ]
        assert [each.arrival for each in found] == before


@pytest.mark.parametrize(
    ("limit", "replicas", "part"),
    [
        ((600, 60), 1, (600, 60)),
        ((600, 60), 3, (200, 60)),
        ((20, 60), 3, (6, 54)),
        ((5, 60), 10, (1, 120)),
        ((1, 1), 7, (1, 7)),
    ],
)
def test_a_limit_is_cut_into_parts(
    limit: tuple[int, int], replicas: int, part: tuple[int, int]
) -> None:
    """
    Fewer requests in the same time, or if there are too few to divide, one in a longer time.
    """
    found = share_of(RateLimit(requests=limit[0], seconds=limit[1]), replicas)
    assert (found.requests, found.seconds) == part


@given(limit=LIMITS, replicas=st.integers(min_value=1, max_value=1000))
def test_parts_are_never_more_than_the_whole(limit: RateLimit, replicas: int) -> None:
    """
    The rates of all parts together do not pass the limit's, nor does one part's burst.
    """
    part = share_of(limit, replicas)
    assert part.requests <= limit.requests
    assert part.requests * replicas * limit.seconds <= limit.requests * part.seconds


@pytest.mark.parametrize(
    ("used", "wait"),
    [(0, 0), (1, 12), (2, 24), (4, 48), (5, 12), (6, 12)],
)
def test_what_callers_are_told_to_wait(used: int, wait: int) -> None:
    """
    For all of five a minute while some is left, then for the next one.
    """
    limit = RateLimit(requests=5, seconds=60)
    decision = decide_limit(None, limit, now=0, cost=0)
    for _ in range(used):
        decision = decide_limit(decision.arrival, limit, now=0)
    assert wait_of(Quota(policy=LimitPolicy.KEY, limit=limit, decision=decision)) == wait
