"""
What every limiter does (RateLimiterPort): in this process, on this machine, or through Valkey.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ctxfy.adapters.auth.machine_rate_limiter import MachineRateLimiter
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.use_cases.limit_use_cases import NANOSECONDS, decide_limits
from tests.integration.valkey_kit import limiter_on, take, valkey_process


TWO_A_MINUTE = RateLimit(requests=2, seconds=60)
FIVE_A_MINUTE = RateLimit(requests=5, seconds=60)
NAMES = count()


@dataclass(slots=True)
class Bench:
    """
    A limiter, and the clock it goes by.
    """

    limiter: RateLimiterPort
    clock: list[int] = field(default_factory=lambda: [1_790_000_000 * NANOSECONDS + 123_456_789])

    def later(self, seconds: float) -> None:
        """
        Move the clock.
        """
        self.clock[0] += int(seconds * NANOSECONDS)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """
    Run one Valkey for all.
    """
    with valkey_process() as server:
        yield server.url


@pytest.fixture(params=["memory", "machine", "valkey"])
async def bench(
    request: pytest.FixtureRequest, address: str, tmp_path: Path
) -> AsyncIterator[Bench]:
    """
    Each kind of limiter.
    """
    clock = Bench(MemoryRateLimiter(lambda: 0)).clock
    if request.param == "memory":
        yield Bench(MemoryRateLimiter(lambda: clock[0]), clock)
        return
    if request.param == "machine":
        limiter = MachineRateLimiter(tmp_path / "limits", lambda: clock[0])
        yield Bench(limiter, clock)
        limiter.close()
        return
    async with limiter_on(address, clock_ns=lambda: clock[0]) as shared:
        yield Bench(shared.limiter, clock)
        assert not shared.limiter.trouble


def new_subject() -> str:
    """
    Name a subject that no other test has.
    """
    return f"key:{next(NAMES)}"


async def test_a_burst_is_as_large_as_the_limit(bench: Bench) -> None:
    """
    The third of two a minute is refused, and told how long to wait.
    """
    subject = new_subject()
    found = [await take(bench.limiter, subject, TWO_A_MINUTE) for _ in range(3)]
    assert [(each.allowed, each.remaining) for each in found] == [(True, 1), (True, 0), (False, 0)]
    assert (found[2].retry_after, found[2].reset_after) == (30.0, 60.0)


async def test_time_gives_back_what_was_used(bench: Bench) -> None:
    """
    Half a minute later one of two a minute is free again, and a minute later both.
    """
    subject = new_subject()
    for _ in range(2):
        await take(bench.limiter, subject, TWO_A_MINUTE)
    bench.later(30)
    assert [(await take(bench.limiter, subject, TWO_A_MINUTE)).allowed for _ in range(2)] == [
        True,
        False,
    ]
    bench.later(60)
    assert [(await take(bench.limiter, subject, TWO_A_MINUTE)).allowed for _ in range(2)] == [
        True,
        True,
    ]


async def test_each_subject_has_a_limit_of_its_own(bench: Bench) -> None:
    """
    What one key uses up, another still has.
    """
    mine = new_subject()
    for _ in range(3):
        await take(bench.limiter, mine, TWO_A_MINUTE)
    assert (await take(bench.limiter, new_subject(), TWO_A_MINUTE)).allowed


async def test_what_one_limit_refuses_is_charged_to_none(bench: Bench) -> None:
    """
    A user's keys are not used up by requests that the user's own limit refused.
    """
    key, user = new_subject(), new_subject()
    both = [
        Charge(subject=key, limit=FIVE_A_MINUTE),
        Charge(subject=user, limit=TWO_A_MINUTE),
    ]
    found = [await bench.limiter.take(both) for _ in range(6)]
    assert [each[1].allowed for each in found] == [True, True] + [False] * 4
    assert [each[0].remaining for each in found] == [4, 3, 3, 3, 3, 3]


async def test_a_request_may_cost_more_than_one(bench: Bench) -> None:
    """
    Costs add up; one that is larger than the limit takes the whole of it, when all is free.
    """
    subject = new_subject()
    assert (await take(bench.limiter, subject, FIVE_A_MINUTE, cost=3)).remaining == 2
    assert not (await take(bench.limiter, subject, FIVE_A_MINUTE, cost=3)).allowed
    bench.later(60)
    assert (await take(bench.limiter, subject, FIVE_A_MINUTE, cost=1000)).allowed
    assert not (await take(bench.limiter, subject, FIVE_A_MINUTE)).allowed


async def test_a_clock_set_back_locks_nobody_out(bench: Bench) -> None:
    """
    A year back, and nobody waits for longer than one period.
    """
    subject = new_subject()
    await take(bench.limiter, subject, TWO_A_MINUTE)
    bench.later(-365 * 86400)
    refused = await take(bench.limiter, subject, TWO_A_MINUTE)
    assert (refused.allowed, refused.retry_after) == (False, 30.0)
    bench.later(30)
    assert (await take(bench.limiter, subject, TWO_A_MINUTE)).allowed


LIMITS = st.builds(
    RateLimit,
    requests=st.one_of(st.integers(1, 20), st.integers(1, 10**9)),
    seconds=st.sampled_from([1, 7, 60, 3600, 86400]),
)
COSTS = st.one_of(st.just(1), st.integers(1, 10**10))
GAPS = st.one_of(
    st.just(0), st.integers(0, 10**9), st.integers(-(10**12), 10**14), st.integers(-9, 9)
)


@given(
    limits=st.lists(LIMITS, min_size=3, max_size=3),
    steps=st.lists(
        st.tuples(
            GAPS,
            st.lists(
                st.tuples(st.integers(0, 2), COSTS),
                min_size=1,
                max_size=3,
                unique_by=lambda each: each[0],
            ),
        ),
        min_size=1,
        max_size=12,
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_limiter_decides_as_the_core_does(
    bench: Bench, limits: list[RateLimit], steps: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    """
    Whatever comes whenever, each figure of each decision is the pure function's.
    """
    subjects = [new_subject() for _ in limits]
    kept: dict[str, int] = {}
    for gap, costs in steps:
        bench.clock[0] += gap
        charges = [
            Charge(subject=subjects[each], limit=limits[each], cost=cost) for each, cost in costs
        ]
        expected = decide_limits(
            charges, [kept.get(each.subject) for each in charges], bench.clock[0]
        )
        kept |= {
            each.subject: decision.arrival for each, decision in zip(charges, expected, strict=True)
        }
        assert await bench.limiter.take(charges) == expected
