"""
Rate limits kept in this process: RateLimiterPort.
"""

from collections.abc import Callable, Sequence

from ctxfy.core.models.limit_models import Charge, LimitDecision
from ctxfy.core.use_cases.limit_use_cases import decide_limits, share_of


MAX_SUBJECTS = 100_000


class MemoryRateLimiter:
    """
    Remembers one number for each subject; forgets those whose limit is wholly free again.

    Args:
        monotonic_ns: Nanoseconds of a clock that never goes back.
        replicas: How many processes share the traffic; each lets an equal part of it through.
    """

    def __init__(
        self,
        monotonic_ns: Callable[[], int],
        *,
        replicas: int = 1,
        max_subjects: int = MAX_SUBJECTS,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        self._replicas = replicas
        self._max_subjects = max_subjects
        self._arrivals: dict[str, int] = {}

    @property
    def subjects(self) -> int:
        """
        How many subjects are remembered.
        """
        return len(self._arrivals)

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Count one request for all its subjects, and decide about it for each.
        """
        if self._replicas > 1:
            charges = [self._part_of(charge) for charge in charges]
        now = self._monotonic_ns()
        arrivals = [self._arrivals.get(charge.subject) for charge in charges]
        decisions = decide_limits(charges, arrivals, now)
        for charge, decision in zip(charges, decisions, strict=True):
            if len(self._arrivals) >= self._max_subjects and charge.subject not in self._arrivals:
                self._forget(now)
            self._arrivals[charge.subject] = decision.arrival
        return decisions

    def _part_of(self, charge: Charge) -> Charge:
        limit = share_of(charge.limit, self._replicas)
        return Charge(subject=charge.subject, limit=limit, cost=charge.cost)

    def _forget(self, now: int) -> None:
        ahead = {subject: at for subject, at in self._arrivals.items() if at > now}
        # If all are busy, those that have least to wait for go: they lose least.
        busiest = sorted(ahead, key=lambda subject: ahead[subject])[-self._max_subjects // 2 :]
        self._arrivals = {subject: ahead[subject] for subject in busiest}


class NoRateLimiter:
    """
    Lets everything pass: for when nothing is to be limited.
    """

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Let a request pass.
        """
        return tuple(
            LimitDecision(
                allowed=True,
                remaining=charge.limit.requests,
                retry_after=0.0,
                reset_after=0.0,
                arrival=0,
            )
            for charge in charges
        )
