"""
Asks every part how it is, beside the requests, so that the answer is there when it is wanted.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.core.models.monitoring_models import CheckResult, HealthReport, HealthStatus, LogLevel
from ctxfy.core.ports.monitoring_ports import HealthProbePort, LoggingPort, MetricsPort
from ctxfy.core.use_cases.health_use_cases import changed_checks
from ctxfy.core.use_cases.monitoring_use_cases import assess_health, redact_text


CACHE_SECONDS = 1.0
_LEVELS = {
    HealthStatus.PASS: LogLevel.INFO,
    HealthStatus.WARN: LogLevel.WARNING,
    HealthStatus.FAIL: LogLevel.ERROR,
}


class HealthService:
    """
    Runs the probes, each bounded, and keeps the verdict.

    While `run` runs, whoever asks gets the verdict of the last round at once. Without it the parts
    are asked when somebody wants to know, and not more than once in CACHE_SECONDS.

    Args:
        probes: The parts to look after.
        now: The clock, for when a part was looked at.
        monotonic: A clock in seconds that never goes back.
        logging: Is told when the verdict about a part changes.
        metrics: Is told every verdict.
        draining: Whether the server is about to stop and wants no new traffic.
        probe_seconds: How long one probe may take; longer than any takes by its own limit, since
            that one knows better what its absence means.
        round_seconds: How long to wait between two rounds of `run`.
    """

    def __init__(
        self,
        probes: Sequence[HealthProbePort],
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        logging: LoggingPort,
        metrics: MetricsPort,
        draining: Callable[[], bool] = lambda: False,
        probe_seconds: float = 2.0,
        round_seconds: float = 2.0,
    ) -> None:
        self._probes = tuple(probes)
        # A probe tells its name with its answer; until its first, it goes by its class.
        self._names = [type(probe).__name__ for probe in probes]
        self._now = now
        self._monotonic = monotonic
        self._logging = logging
        self._metrics = metrics
        self._draining = draining
        self._probe_seconds = probe_seconds
        self._round_seconds = round_seconds
        self._started_at = monotonic()
        self._kept: tuple[float, HealthReport] | None = None
        self._asking = asyncio.Lock()
        self._goes_round = False

    @property
    def uptime_seconds(self) -> float:
        """
        Seconds since this service was made.
        """
        return round(self._monotonic() - self._started_at, 3)

    @property
    def latest(self) -> HealthReport | None:
        """
        The verdict of the last round; None before the first.
        """
        return None if self._kept is None else self._kept[1]

    async def run(self) -> None:
        """
        Ask all parts again and again, without end.
        """
        try:
            while True:
                await self._ask_all()
                self._goes_round = True
                await asyncio.sleep(self._round_seconds)
        finally:
            self._goes_round = False

    async def report(self) -> HealthReport:
        """
        Return how the server is, or was a moment ago.
        """
        if (fresh := self._fresh()) is not None:
            return fresh
        async with self._asking:  # whoever waits here takes what the first has found
            return self._fresh() or await self._ask_all()

    async def is_ready(self) -> bool:
        """
        Tell whether traffic should be sent here.
        """
        return not self._draining() and (await self.report()).status is not HealthStatus.FAIL

    def age_seconds(self, check: CheckResult) -> float | None:
        """
        Tell how long ago a part was looked at.
        """
        if check.time is None:
            return None
        return round(max((self._now() - check.time).total_seconds(), 0.0), 1)

    def _fresh(self) -> HealthReport | None:
        if self._kept is None:
            return None
        asked_at, report = self._kept
        is_new = self._monotonic() - asked_at < CACHE_SECONDS
        return report if self._goes_round or is_new else None

    async def _ask_all(self) -> HealthReport:
        report = assess_health(
            await asyncio.gather(*(self._ask(each) for each in range(len(self._probes))))
        )
        before = self.latest
        self._kept = (self._monotonic(), report)
        self._metrics.record_health(report)
        for check in changed_checks(before, report):
            self._logging.log_event(
                "health_changed",
                level=_LEVELS[check.status],
                check=check.name,
                status=check.status.value,
                detail=check.detail,
            )
        return report

    async def _ask(self, number: int) -> CheckResult:
        try:
            async with asyncio.timeout(self._probe_seconds):
                result = await self._probes[number].check()
        except TimeoutError:
            result = self._failed(number, f"No answer within {self._probe_seconds:g} s.")
        except Exception as error:  # noqa: BLE001 - a probe that breaks its promise is a failed one
            result = self._failed(
                number, f"{type(error).__name__}: {redact_text(safe_text(error))}"
            )
        self._names[number] = result.name
        return result if result.time is not None else replace(result, time=self._now())

    def _failed(self, number: int, detail: str) -> CheckResult:
        return CheckResult(name=self._names[number], status=HealthStatus.FAIL, detail=detail)
