"""
Rate limits as values.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitDecision:
    """
    Whether a request may pass, and what to tell its caller.

    Attributes:
        remaining: Requests that would pass right now, after this one.
        retry_after: Seconds until this request would pass; 0 if it does.
        reset_after: Seconds until the whole limit is free again.
        arrival: What to keep of the subject for next time: its theoretical arrival time, ns.
    """

    allowed: bool
    remaining: int
    retry_after: float
    reset_after: float
    arrival: int
