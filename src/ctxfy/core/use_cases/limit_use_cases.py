"""
The judgement about rates: GCRA, the generic cell rate algorithm (ITU-T I.371, virtual scheduling).

One number is kept for each subject: when its next request would arrive if it kept to the rate. A
limit of N in S seconds lets N come at once and one more every S/N seconds after. Times are whole
nanoseconds, so that nothing is lost to rounding however long a clock has run.
"""

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import LimitDecision


NANOSECONDS = 1_000_000_000


def decide_limit(arrival: int | None, limit: RateLimit, now: int, cost: int = 1) -> LimitDecision:
    """
    Decide about one request.

    Args:
        arrival: What the last decision said to keep, or None at first; nanoseconds.
        limit: At least one request in at least one second.
        now: Nanoseconds, on the clock that `arrival` is told by.
        cost: How many requests this one counts for, at least 1.
    """
    period = limit.seconds * NANOSECONDS
    interval = max(1, period // limit.requests)
    # A clock that was set back must not lock anybody out for longer than one full period.
    busy_until = now if arrival is None else max(now, min(arrival, now + period))
    due = busy_until + cost * interval
    allowed = due - now <= period
    kept = due if allowed else busy_until
    return LimitDecision(
        allowed=allowed,
        remaining=(period - (kept - now)) // interval,
        retry_after=0.0 if allowed else (due - now - period) / NANOSECONDS,
        reset_after=(kept - now) / NANOSECONDS,
        arrival=kept,
    )
