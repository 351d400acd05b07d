"""
Refusals of callers nobody knows, folded: one event for a network and a minute, with their number.

Anybody can cause such a refusal, thousands a second. Each by itself would fill the trail with
nothing, and would let strangers decide how much is written to the disk.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ctxfy.core.models.audit_models import AuditEvent


MAX_NETWORKS = 5000
WINDOW = timedelta(minutes=1)


@dataclass(slots=True)
class _Fold:
    began: datetime
    outcomes: Counter[str] = field(default_factory=Counter[str])


class RefusalFold:
    """
    Counts refusals until a minute is over; what is beyond the bound is counted for no network.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._folds: dict[str, _Fold] = {}

    def count(self, network: str, outcome: str) -> None:
        """
        Count one refusal.
        """
        if network not in self._folds and len(self._folds) >= MAX_NETWORKS:
            network = ""
        fold = self._folds.setdefault(network, _Fold(self._now()))
        fold.outcomes[outcome] += 1

    def take(self, *, everything: bool = False) -> list[AuditEvent]:
        """
        Take out, as events, what is older than a minute, or all there is.
        """
        over = self._now() - WINDOW
        done = [
            network for network, fold in self._folds.items() if everything or fold.began <= over
        ]
        return [self._event(network, self._folds.pop(network)) for network in done]

    @staticmethod
    def _event(network: str, fold: _Fold) -> AuditEvent:
        return AuditEvent(
            action="strangers_refused",
            at=fold.began,
            outcome="refused",
            details={
                "network": network,
                "count": fold.outcomes.total(),
                "outcomes": dict(fold.outcomes),
            },
        )
