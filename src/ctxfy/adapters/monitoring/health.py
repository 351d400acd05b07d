"""
Asks every part how it is, at the same time, and not more than once a second.
"""

import asyncio
from collections.abc import Callable, Sequence

from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.core.models.monitoring_models import CheckResult, HealthReport, HealthStatus
from ctxfy.core.ports.monitoring_ports import HealthProbePort
from ctxfy.core.use_cases.monitoring_use_cases import assess_health, redact_text


class HealthService:
    """
    Runs the probes, each bounded, and keeps the verdict for a moment.

    Args:
        probes: The parts to look after.
        monotonic: A clock in seconds that never goes back.
        draining: Whether the server is about to stop and wants no new traffic.
        probe_seconds: How long one probe may take.
        cache_seconds: How long a verdict is kept, so that a flood of probes costs nothing.
    """

    def __init__(
        self,
        probes: Sequence[HealthProbePort],
        *,
        monotonic: Callable[[], float],
        draining: Callable[[], bool] = lambda: False,
        probe_seconds: float = 1.0,
        cache_seconds: float = 1.0,
    ) -> None:
        self._probes = tuple(probes)
        # A probe tells its name with its answer; until its first, it goes by its class.
        self._names = [type(probe).__name__ for probe in probes]
        self._monotonic = monotonic
        self._draining = draining
        self._probe_seconds = probe_seconds
        self._cache_seconds = cache_seconds
        self._started_at = monotonic()
        self._kept: tuple[float, HealthReport] | None = None
        self._asking = asyncio.Lock()

    @property
    def uptime_seconds(self) -> float:
        """
        Seconds since this service was made.
        """
        return round(self._monotonic() - self._started_at, 3)

    async def report(self) -> HealthReport:
        """
        Return how the server is, or was less than `cache_seconds` ago.
        """
        if (fresh := self._fresh()) is not None:
            return fresh
        async with self._asking:  # whoever waits here takes what the first has found
            if (fresh := self._fresh()) is not None:
                return fresh
            report = assess_health(
                await asyncio.gather(*(self._ask(each) for each in range(len(self._probes))))
            )
            self._kept = (self._monotonic(), report)
            return report

    async def is_ready(self) -> bool:
        """
        Tell whether traffic should be sent here.
        """
        return not self._draining() and (await self.report()).status is not HealthStatus.FAIL

    def _fresh(self) -> HealthReport | None:
        if self._kept is None:
            return None
        asked_at, report = self._kept
        return report if self._monotonic() - asked_at < self._cache_seconds else None

    async def _ask(self, number: int) -> CheckResult:
        try:
            async with asyncio.timeout(self._probe_seconds):
                result = await self._probes[number].check()
        except TimeoutError:
            return self._failed(number, f"no answer within {self._probe_seconds:g} s")
        except Exception as error:  # noqa: BLE001 - a probe that breaks its promise is a failed one
            return self._failed(number, f"{type(error).__name__}: {redact_text(safe_text(error))}")
        self._names[number] = result.name
        return result

    def _failed(self, number: int, detail: str) -> CheckResult:
        return CheckResult(name=self._names[number], status=HealthStatus.FAIL, detail=detail)
