"""
Whether events of the audit trail can be kept (HealthProbePort).
"""

from collections.abc import Callable

from ctxfy.core.models.audit_models import TrailState
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.use_cases.trail_use_cases import assess_trail


class AuditProbe:
    """
    Looks at the writer of the trail; touches no disk but for the size of the spool.

    Args:
        state: Tells how the writer is.
        most_waiting: How many events may stand in line.
        strict: Whether what cannot be kept is refused.
    """

    def __init__(self, state: Callable[[], TrailState], *, most_waiting: int, strict: bool) -> None:
        self._state = state
        self._most_waiting = most_waiting
        self._strict = strict
        self._lost_before = 0

    async def check(self) -> CheckResult:
        """
        Judge the writer; once a loss was told, and the database is back, it is no news any more.
        """
        state = self._state()
        result = assess_trail(
            state,
            lost_before=self._lost_before,
            most_waiting=self._most_waiting,
            strict=self._strict,
        )
        if result.status is HealthStatus.PASS or not state.is_away:
            self._lost_before = state.lost
        return result
