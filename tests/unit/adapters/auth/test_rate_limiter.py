"""
The limiter in this process.
"""

from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.use_cases.limit_use_cases import NANOSECONDS


TWO_A_MINUTE = RateLimit(requests=2, seconds=60)


async def test_each_subject_has_a_limit_of_its_own() -> None:
    """
    What one key uses up, another still has.
    """
    limiter = MemoryRateLimiter(lambda: 1000)
    mine = [(await limiter.take("key:a", TWO_A_MINUTE)).allowed for _ in range(3)]
    other = await limiter.take("key:b", TWO_A_MINUTE)
    assert mine == [True, True, False]
    assert other.allowed


async def test_time_gives_back_what_was_used() -> None:
    """
    Half a minute later one of two a minute is free again.
    """
    clock = [0]
    limiter = MemoryRateLimiter(lambda: clock[0])
    for _ in range(2):
        await limiter.take("key:a", TWO_A_MINUTE)
    clock[0] += 30 * NANOSECONDS
    assert [(await limiter.take("key:a", TWO_A_MINUTE)).allowed for _ in range(2)] == [True, False]


async def test_memory_is_bounded_and_the_busiest_are_remembered() -> None:
    """
    A flood of subjects never makes one that is refused forget it.
    """
    limiter = MemoryRateLimiter(lambda: 1000, max_subjects=100)
    for _ in range(3):
        await limiter.take("key:busy", TWO_A_MINUTE)
    for number in range(1000):
        await limiter.take(f"key:{number}", TWO_A_MINUTE)
    assert not (await limiter.take("key:busy", TWO_A_MINUTE)).allowed
    assert limiter.subjects <= 100
