"""
Probes are asked together, bounded, and not too often.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.app.background import running
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.ports.monitoring_ports import HealthProbePort
from tests.fakes.monitoring_fakes import FakeClock, FakeProbe, RecordingLogging, RecordingMetrics


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

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


class Watched:
    """
    A service with all that is around it, standing clocks among it.
    """

    def __init__(
        self, *probes: HealthProbePort, draining: bool = False, probe_seconds: float = 1.0
    ) -> None:
        self.clock = FakeClock()
        self.now = NOW
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.health = HealthService(
            probes,
            now=lambda: self.now,
            monotonic=self.clock,
            logging=self.logging,
            metrics=self.metrics,
            draining=lambda: draining,
            probe_seconds=probe_seconds,
            round_seconds=0,
        )


def _service(*results: CheckResult | Exception, draining: bool = False) -> HealthService:
    return Watched(*map(FakeProbe, results), draining=draining).health


def _seen(check: CheckResult) -> CheckResult:
    return replace(check, time=NOW)


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
    assert (report.status, list(report.checks)) == (status, [_seen(each) for each in results])


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
            time=NOW,
        ),
    )


async def test_a_probe_keeps_its_name_when_it_breaks() -> None:
    """
    Whoever watches a check by name sees it fail, not vanish.
    """
    probe = FakeProbe(GOOD)
    watched = Watched(probe)
    await watched.health.report()
    probe.result = OSError()
    watched.clock.now += 5
    assert (await watched.health.report()).checks[0].name == "catalog"


async def test_a_stuck_probe_has_failed_and_holds_up_nobody() -> None:
    """
    A probe without an answer is cut off; the others are heard.
    """
    watched = Watched(StuckProbe(), FakeProbe(GOOD), probe_seconds=0.01)
    stuck, good = (await watched.health.report()).checks
    assert (stuck.status, stuck.detail) == (HealthStatus.FAIL, "No answer within 0.01 s.")
    assert good == _seen(GOOD)


async def test_a_verdict_is_kept_for_a_moment() -> None:
    """
    A flood of questions asks the parts once a second.
    """
    probe = FakeProbe(GOOD)
    watched = Watched(probe)
    for _ in range(10):
        await watched.health.report()
    assert probe.asked == 1
    watched.clock.now += 1
    await watched.health.report()
    assert probe.asked == 2


async def test_those_who_ask_together_share_the_answer() -> None:
    """
    While the parts are being asked, others wait for that answer instead of asking again.
    """
    probe = StuckProbe()
    health = Watched(probe, probe_seconds=60).health
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
    watched = Watched()
    watched.clock.now += 12.5
    assert watched.health.uptime_seconds == 12.5


async def test_rounds_are_gone_beside_the_questions() -> None:
    """
    While rounds are gone, whoever asks has the last verdict at once, even with a part that hangs.
    """
    probe, stuck = FakeProbe(GOOD), StuckProbe()
    watched = Watched(probe, stuck, probe_seconds=60)
    stuck.answer.set()
    async with running(watched.health.run()):
        async with asyncio.timeout(20):
            while stuck.asked < 2:  # noqa: ASYNC110 - the rounds tell nobody
                await asyncio.sleep(0)
        stuck.answer.clear()
        asked = probe.asked
        watched.clock.now += 3600
        async with asyncio.timeout(20):
            assert [each.name for each in (await watched.health.report()).checks] == ["catalog"] * 2
        assert probe.asked - asked <= 1
    watched.clock.now += 1
    stuck.answer.set()
    await watched.health.report()
    assert stuck.asked > 2


async def test_a_verdict_that_changes_is_told_once() -> None:
    """
    The log has each change with what is known of it, metrics have every verdict.
    """
    probe = FakeProbe(replace(GOOD, detail="Fine."))
    watched = Watched(probe)
    for result in (GOOD, BAD, BAD, POOR, GOOD):
        probe.result = replace(result, name="catalog")
        await watched.health.report()
        watched.clock.now += 1
    assert [
        (event, fields["check"], fields["status"], fields["level"])
        for event, fields in watched.logging.events
    ] == [
        ("health_changed", "catalog", "fail", "ERROR"),
        ("health_changed", "catalog", "warn", "WARNING"),
        ("health_changed", "catalog", "pass", "INFO"),
    ]
    told = [report.status for report in watched.metrics.health]
    assert told == ["pass", "fail", "fail", "warn", "pass"]


async def test_every_check_has_an_age() -> None:
    """
    A part that was measured some time before it was asked says so itself.
    """
    old = replace(GOOD, time=NOW - timedelta(seconds=30))
    watched = Watched(FakeProbe(old), FakeProbe(BAD))
    checks = (await watched.health.report()).checks
    watched.now += timedelta(seconds=1.5)
    assert [watched.health.age_seconds(check) for check in checks] == [31.5, 1.5]
    assert watched.health.age_seconds(GOOD) is None
