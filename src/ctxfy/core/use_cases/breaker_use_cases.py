"""
The judgement of a circuit breaker: when a dependency is left alone, and when it is tried again.
"""

from ctxfy.core.models.limit_models import Breaker


FAILURES_TO_OPEN = 5
PROBE_SECONDS = 2.0


def after_failures(breaker: Breaker, now: float, count: int = 1) -> Breaker:
    """
    Count failures; from the fifth in a row on, the way is closed until a probe succeeds.

    Args:
        breaker: As it was.
        now: Seconds of a monotonic clock.
        count: How many calls failed, or how much one failure is to weigh.
    """
    failures = breaker.failures + count
    if failures < FAILURES_TO_OPEN:
        return Breaker(failures=failures)
    return Breaker(failures=failures, probe_at=now + PROBE_SECONDS)


def after_success(breaker: Breaker) -> Breaker:
    """
    Forget all failures; the way is free.
    """
    return Breaker() if breaker.failures else breaker


def probe_delay(breaker: Breaker, now: float) -> float:
    """
    Seconds until the next probe; 0 if it is due.
    """
    return 0.0 if breaker.probe_at is None else max(0.0, breaker.probe_at - now)
