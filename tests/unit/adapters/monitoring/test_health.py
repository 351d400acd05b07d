"""
Probes are asked together, bounded, and not too often.
"""

import asyncio

import pytest

from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from tests.fakes.monitoring_fakes import FakeClock, FakeProbe


GOOD = CheckResult(name="catalog", status=HealthStatus.PASS)
POOR = CheckResult(name="limits", status=HealthStatus.WARN)
BAD = CheckResult(name="database", status=HealthStatus.FAIL)


class StuckProbe:
    """
    A probe that answers when `answer` is set; never, if nobody does.
    """

    def __init__(self) -> None:
        self.answer = asyncio.Event()
        self.asked = 0

    async def check(self) -> CheckResult:
        """
        Wait.
        """
        self.asked += 1
        await self.answer.wait()
        return GOOD


def _service(*results: CheckResult | Exception, draining: bool = False) -> HealthService:
    probes = [FakeProbe(result) for result in results]
    return HealthService(probes, monotonic=FakeClock(), draining=lambda: draining)


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([], HealthStatus.PASS),
        ([GOOD], HealthStatus.PASS),
        ([GOOD, POOR], HealthStatus.WARN),
        ([GOOD, POOR, BAD], HealthStatus.FAIL),
    ],
    ids=["nothing to ask", "good", "poor", "bad"],
)
async def test_the_report_holds_every_check(
    results: list[CheckResult], status: HealthStatus
) -> None:
    """
    Each probe has its place, in order, and the worst decides.
    """
    report = await _service(*results).report()
    assert (report.status, list(report.checks)) == (status, results)


async def test_a_probe_that_raises_has_failed() -> None:
    """
    A broken probe is a failed check, its secrets hidden, and goes by its class until it has a name.
    """
    report = await _service(OSError("postgresql://me:p4ss@db is away")).report()
    assert report.checks == (
        CheckResult(
            name="FakeProbe",
            status=HealthStatus.FAIL,
            detail="OSError: postgresql://[redacted]@db is away",
        ),
    )


async def test_a_probe_keeps_its_name_when_it_breaks() -> None:
    """
    Whoever watches a check by name sees it fail, not vanish.
    """
    probe, clock = FakeProbe(GOOD), FakeClock()
    health = HealthService([probe], monotonic=clock)
    await health.report()
    probe.result = OSError()
    clock.now += 5
    assert (await health.report()).checks[0].name == "catalog"


async def test_a_stuck_probe_has_failed_and_holds_up_nobody() -> None:
    """
    A probe without an answer is cut off; the others are heard.
    """
    health = HealthService(
        [StuckProbe(), FakeProbe(GOOD)], monotonic=FakeClock(), probe_seconds=0.01
    )
    stuck, good = (await health.report()).checks
    assert (stuck.status, stuck.detail) == (HealthStatus.FAIL, "no answer within 0.01 s")
    assert good == GOOD


async def test_a_verdict_is_kept_for_a_moment() -> None:
    """
    A flood of questions asks the parts once a second.
    """
    probe, clock = FakeProbe(GOOD), FakeClock()
    health = HealthService([probe], monotonic=clock)
    for _ in range(10):
        await health.report()
    assert probe.asked == 1
    clock.now += 1
    await health.report()
    assert probe.asked == 2


async def test_those_who_ask_together_share_the_answer() -> None:
    """
    While the parts are being asked, others wait for that answer instead of asking again.
    """
    probe = StuckProbe()
    health = HealthService([probe], monotonic=FakeClock(), probe_seconds=60)
    asking = [asyncio.create_task(health.report()) for _ in range(5)]
    await asyncio.sleep(0)
    probe.answer.set()
    reports = await asyncio.gather(*asking)
    assert probe.asked == 1
    assert all(report is reports[0] for report in reports)


@pytest.mark.parametrize(
    ("result", "draining", "ready"),
    [(GOOD, False, True), (POOR, False, True), (BAD, False, False), (GOOD, True, False)],
    ids=["good", "poor", "bad", "draining"],
)
async def test_ready_means_well_and_staying(
    result: CheckResult, draining: bool, ready: bool
) -> None:
    """
    A server that fails or is about to stop gets no new traffic; one that warns does.
    """
    assert await _service(result, draining=draining).is_ready() is ready


async def test_uptime_is_counted_from_the_start() -> None:
    """
    Uptime is what has passed on the clock since the service was made.
    """
    clock = FakeClock()
    health = HealthService([], monotonic=clock)
    clock.now += 12.5
    assert health.uptime_seconds == 12.5
