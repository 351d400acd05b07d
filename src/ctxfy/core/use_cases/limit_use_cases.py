"""
The judgement about rates: GCRA, the generic cell rate algorithm (ITU-T I.371, virtual scheduling).

One number is kept for each subject: when its next request would arrive if it kept to the rate. A
limit of N in S seconds lets N come at once and one more every S/N seconds after. Times are whole
nanoseconds, so that nothing is lost to rounding however long a clock has run.
"""

from collections.abc import Sequence
from math import ceil

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import Charge, LimitDecision, Quota


NANOSECONDS = 1_000_000_000


def decide_limit(arrival: int | None, limit: RateLimit, now: int, cost: int = 1) -> LimitDecision:
    """
    Decide about one request.

    Args:
        arrival: What the last decision said to keep, or None at first; nanoseconds.
        limit: At least one request in at least one second.
        now: Nanoseconds, on the clock that `arrival` is told by.
        cost: How many requests this one counts for; 0 only asks. One that costs more than the
            limit takes the whole of it.
    """
    period, interval = limit.seconds * NANOSECONDS, interval_of(limit)
    # A clock that was set back must not lock anybody out for longer than one full period.
    busy_until = now if arrival is None else max(now, min(arrival, now + period))
    due = busy_until + time_of(limit, cost)
    allowed = due - now <= period
    kept = due if allowed else busy_until
    return LimitDecision(
        allowed=allowed,
        remaining=(period - (kept - now)) // interval,
        retry_after=0.0 if allowed else (due - now - period) / NANOSECONDS,
        reset_after=(kept - now) / NANOSECONDS,
        arrival=kept,
    )


def decide_limits(
    charges: Sequence[Charge], arrivals: Sequence[int | None], now: int
) -> tuple[LimitDecision, ...]:
    """
    Decide about one request that counts for several subjects.

    What the limit of one of them refuses is charged to none.
    """
    if len(charges) == 1:  # nearly always
        (charge,), (arrival,) = charges, arrivals
        return (decide_limit(arrival, charge.limit, now, charge.cost),)
    pairs = tuple(zip(charges, arrivals, strict=True))
    decisions = tuple(decide_limit(at, each.limit, now, each.cost) for each, at in pairs)
    if all(decision.allowed for decision in decisions):
        return decisions
    return tuple(
        decide_limit(at, each.limit, now, cost=0) if decision.allowed else decision
        for decision, (each, at) in zip(decisions, pairs, strict=True)
    )


def interval_of(limit: RateLimit) -> int:
    """
    Nanoseconds from one request to the next at the steady rate.
    """
    return max(1, limit.seconds * NANOSECONDS // limit.requests)


def time_of(limit: RateLimit, cost: int) -> int:
    """
    Nanoseconds by which a request puts the next one off.
    """
    return min(cost * interval_of(limit), limit.seconds * NANOSECONDS)


def share_of(limit: RateLimit, replicas: int) -> RateLimit:
    """
    Cut a limit into equal parts for processes that cannot ask each other; never more in sum.

    A limit smaller than the number of parts becomes one request in a longer time.
    """
    requests = max(1, limit.requests // replicas)
    return RateLimit(
        requests=requests, seconds=-(-limit.seconds * requests * replicas // limit.requests)
    )


def wait_of(quota: Quota) -> int:
    """
    Whole seconds after which more of a quota is to be had.

    That is what was refused, or the next request if none is left, or all of it.
    """
    decision, limit = quota.decision, quota.limit
    if not decision.allowed:
        return max(1, ceil(decision.retry_after))
    if decision.remaining:
        return ceil(decision.reset_after)
    return max(1, ceil(decision.reset_after - limit.seconds + limit.seconds / limit.requests))
