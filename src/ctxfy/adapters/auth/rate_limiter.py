"""
Rate limits kept in this process: RateLimiterPort.
"""

from collections.abc import Callable

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import LimitDecision
from ctxfy.core.use_cases.limit_use_cases import decide_limit


MAX_SUBJECTS = 100_000


class MemoryRateLimiter:
    """
    Remembers one number for each subject; forgets those whose limit is wholly free again.

    Args:
        monotonic_ns: Nanoseconds of a clock that never goes back.
    """

    def __init__(
        self, monotonic_ns: Callable[[], int], *, max_subjects: int = MAX_SUBJECTS
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._max_subjects = max_subjects
        self._arrivals: dict[str, int] = {}

    @property
    def subjects(self) -> int:
        """
        How many subjects are remembered.
        """
        return len(self._arrivals)

    async def take(self, subject: str, limit: RateLimit, cost: int = 1) -> LimitDecision:
        """
        Count a request of a subject and decide about it.
        """
        now = self._monotonic_ns()
        decision = decide_limit(self._arrivals.get(subject), limit, now, cost)
        if len(self._arrivals) >= self._max_subjects and subject not in self._arrivals:
            self._forget(now)
        self._arrivals[subject] = decision.arrival
        return decision

    def _forget(self, now: int) -> None:
        ahead = {subject: at for subject, at in self._arrivals.items() if at > now}
        # If all are busy, those that have least to wait for go: they lose least.
        busiest = sorted(ahead, key=lambda subject: ahead[subject])[-self._max_subjects // 2 :]
        self._arrivals = {subject: ahead[subject] for subject in busiest}


class NoRateLimiter:
    """
    Lets everything pass: for when nothing is to be limited.
    """

    async def take(self, subject: str, limit: RateLimit, cost: int = 1) -> LimitDecision:
        """
        Let a request pass.
        """
        del subject, cost
        return LimitDecision(
            allowed=True, remaining=limit.requests, retry_after=0.0, reset_after=0.0, arrival=0
        )
