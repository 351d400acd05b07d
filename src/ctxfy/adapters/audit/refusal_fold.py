"""
Refusals of callers nobody knows, folded: one event for an address and a minute, with their number.

Anybody can cause such a refusal, thousands a second. Each by itself would fill the trail with
nothing, and would let strangers decide how much is written to the disk.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ctxfy.core.models.audit_models import AuditEvent


MAX_ADDRESSES = 5000
WINDOW = timedelta(minutes=1)


@dataclass(slots=True)
class _Fold:
    began: datetime
    outcomes: Counter[str] = field(default_factory=Counter[str])


class RefusalFold:
    """
    Counts refusals until a minute is over; what is beyond the bound is counted for no address.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._folds: dict[str, _Fold] = {}

    def count(self, address: str, outcome: str) -> None:
        """
        Count one refusal.
        """
        if address not in self._folds and len(self._folds) >= MAX_ADDRESSES:
            address = ""
        fold = self._folds.setdefault(address, _Fold(self._now()))
        fold.outcomes[outcome] += 1

    def take(self, *, everything: bool = False) -> list[AuditEvent]:
        """
        Take out, as events, what is older than a minute, or all there is.
        """
        over = self._now() - WINDOW
        done = [
            address for address, fold in self._folds.items() if everything or fold.began <= over
        ]
        return [self._event(address, self._folds.pop(address)) for address in done]

    @staticmethod
    def _event(address: str, fold: _Fold) -> AuditEvent:
        return AuditEvent(
            action="strangers_refused",
            at=fold.began,
            outcome="refused",
            details={
                "address": address,
                "count": fold.outcomes.total(),
                "outcomes": dict(fold.outcomes),
            },
        )
