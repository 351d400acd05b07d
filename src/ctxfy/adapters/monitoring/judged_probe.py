"""
A part that is measured beside the requests, and judged when health asks.
"""

from collections.abc import Callable

from ctxfy.core.models.monitoring_models import CheckResult


class JudgedProbe:
    """
    HealthProbePort over a judgement that waits for nothing.

    Args:
        judge: Says how the part is, from what was measured last.
    """

    def __init__(self, judge: Callable[[], CheckResult]) -> None:
        self._judge = judge

    async def check(self) -> CheckResult:
        """
        Judge.
        """
        return self._judge()
