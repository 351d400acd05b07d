"""
The limiter in this process; what it shares with others is in tests/integration/contracts.
"""

from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter, NoRateLimiter
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge


TWO_A_MINUTE = RateLimit(requests=2, seconds=60)


async def comes(limiter: MemoryRateLimiter | NoRateLimiter, subject: str) -> bool:
    """
    Come once, and say whether it went well.
    """
    (decision,) = await limiter.take([Charge(subject=subject, limit=TWO_A_MINUTE)])
    return decision.allowed


async def test_memory_is_bounded_and_the_busiest_are_remembered() -> None:
    """
    A flood of subjects never makes one that is refused forget it.
    """
    limiter = MemoryRateLimiter(lambda: 1000, max_subjects=100)
    for _ in range(3):
        await comes(limiter, "key:busy")
    for number in range(1000):
        await comes(limiter, f"key:{number}")
    assert not await comes(limiter, "key:busy")
    assert limiter.subjects <= 100


async def test_a_process_of_two_lets_half_through() -> None:
    """
    Of two a minute one passes here; the other is for the other process.
    """
    limiter = MemoryRateLimiter(lambda: 1000, replicas=2)
    assert [await comes(limiter, "key:a") for _ in range(2)] == [True, False]


async def test_without_a_limiter_everything_passes() -> None:
    """
    However often, and for each subject.
    """
    limiter = NoRateLimiter()
    assert all([await comes(limiter, "key:a") for _ in range(5)])
    both = await limiter.take([Charge(subject=each, limit=TWO_A_MINUTE) for each in "ab"])
    assert [each.remaining for each in both] == [2, 2]
