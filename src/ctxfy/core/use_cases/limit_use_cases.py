"""
The judgement about rates: GCRA, the generic cell rate algorithm (ITU-T I.371, virtual scheduling).

One number is kept for each subject: when its next request would arrive if it kept to the rate. A
limit of N in S seconds lets N come at once and one more every S/N seconds after.
"""

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import LimitDecision


def decide_limit(
    arrival: float | None, limit: RateLimit, now: float, cost: int = 1
) -> LimitDecision:
    """
    Decide about one request.

    Args:
        arrival: What the last decision said to keep, or None at first.
        limit: At least one request in at least one second.
        now: Seconds, on the clock that `arrival` is told by.
        cost: How many requests this one counts for, at least 1.
    """
    interval = limit.seconds / limit.requests
    # A clock that was set back must not lock anybody out for longer than one full period.
    kept = now if arrival is None else min(arrival, now + limit.seconds)
    due = max(kept, now) + cost * interval
    wait = due - now - limit.seconds
    if wait > interval * 1e-9:
        free = _free(max(kept, now) - now, limit, interval)
        return LimitDecision(
            allowed=False,
            remaining=free,
            retry_after=wait,
            reset_after=max(kept, now) - now,
            arrival=kept,
        )
    return LimitDecision(
        allowed=True,
        remaining=_free(due - now, limit, interval),
        retry_after=0.0,
        reset_after=due - now,
        arrival=due,
    )


def _free(ahead: float, limit: RateLimit, interval: float) -> int:
    # The small part is what floating point takes away from whole numbers.
    return max(0, int((limit.seconds - ahead) / interval + 1e-6))
