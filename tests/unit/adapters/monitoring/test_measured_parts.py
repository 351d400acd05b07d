"""
What is measured beside the requests: machine, event loop, latencies.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from ctxfy.adapters.container.control_groups import ControlGroups
from ctxfy.adapters.monitoring.event_loop_lag import EventLoopLag
from ctxfy.adapters.monitoring.judged_probe import JudgedProbe
from ctxfy.adapters.monitoring.latency_window import LatencyWindow
from ctxfy.adapters.monitoring.machine_watch import MachineWatch
from ctxfy.app.background import running
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from tests.fakes.monitoring_fakes import FakeClock, RecordingMetrics


NOW = datetime(2026, 11, 24, tzinfo=UTC)
MB = 1024 * 1024


def _watch(folder: Path, clock: FakeClock | None = None) -> MachineWatch:
    groups = ControlGroups(folder / "cgroup")
    return MachineWatch(
        folder / "var" / "not" / "there",
        now=lambda: NOW,
        monotonic=clock or time.monotonic,
        metrics=RecordingMetrics(),
        memory=groups.memory,
        processors=groups.processors,
        round_seconds=0.01,
    )


def test_without_a_container_the_machine_counts(tmp_path: Path) -> None:
    """
    All its memory, and the disk of the nearest folder that exists.
    """
    figures = _watch(tmp_path).measure()
    assert figures.memory_limit == psutil.virtual_memory().total
    assert 0 < figures.memory_used < figures.memory_limit
    assert 0 < figures.disk_free <= figures.disk_total
    assert (figures.time, figures.processor_share) == (NOW, 0.0)


@pytest.mark.parametrize("version", [1, 2])
def test_in_a_container_its_limits_count(tmp_path: Path, version: int) -> None:
    """
    Its memory less cached files, and its part of the processor, in both versions of control groups.
    """
    if version == 2:
        names = ("memory.max", "memory.current", "memory.stat", "inactive_file")
    else:
        folder = "memory/memory"
        names = (
            f"{folder}.limit_in_bytes",
            f"{folder}.usage_in_bytes",
            f"{folder}.stat",
            "total_inactive_file",
        )
    limit, usage, stat, idle = names
    texts = {limit: f"{64 * MB}\n", usage: f"{48 * MB}\n", stat: f"anon 7\n{idle} {16 * MB}\n"}
    texts |= (
        {"cpu.max": "25000 100000\n"}
        if version == 2
        else {"cpu/cpu.cfs_quota_us": "25000\n", "cpu/cpu.cfs_period_us": "100000\n"}
    )
    for name, text in texts.items():
        file = tmp_path / "cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    clock = FakeClock()
    watch = _watch(tmp_path, clock)
    watch.measure()
    spent = time.process_time()
    while time.process_time() - spent < 0.02:
        pass
    clock.now += 1
    # A second of 30: a start alone is no load.
    assert 0 < watch.measure().processor_share < 1
    clock.now += 29
    figures = watch.measure()
    assert (figures.memory_used, figures.memory_limit) == (32 * MB, 64 * MB)
    # At least 20 ms of 30 seconds, of a quarter of a processor.
    assert figures.processor_share >= 0.08 / 30


@pytest.mark.parametrize(
    ("limit", "quota"), [("max\n", "max 100000\n"), (f"{2**63 - 4096}\n", "-1 100000\n")]
)
def test_a_container_without_limits_is_the_machine(tmp_path: Path, limit: str, quota: str) -> None:
    """
    `max`, or a number beyond all memory, is no limit.
    """
    folder = tmp_path / "cgroup"
    folder.mkdir()
    (folder / "memory.max").write_text(limit)
    (folder / "cpu.max").write_text(quota)
    assert _watch(tmp_path).measure().memory_limit == psutil.virtual_memory().total


async def test_the_machine_is_measured_again_and_again(tmp_path: Path) -> None:
    """
    Whoever asks gets the last figures, also before the first round.
    """
    metrics = RecordingMetrics()
    watch = MachineWatch(
        tmp_path,
        now=lambda: NOW,
        monotonic=time.monotonic,
        metrics=metrics,
        memory=ControlGroups().memory,
        processors=ControlGroups().processors,
        round_seconds=0.001,
    )
    assert watch.figures.disk_total > 0
    async with running(watch.run()), asyncio.timeout(20):
        while len(metrics.machine) < 3:  # noqa: ASYNC110 - the rounds tell nobody
            await asyncio.sleep(0.001)
    assert watch.figures is metrics.machine[-1]


async def test_the_event_loop_is_late_when_something_holds_it_up() -> None:
    """
    The worst of a while is remembered, and forgotten after it.
    """
    clock, metrics = FakeClock(), RecordingMetrics()
    lag = EventLoopLag(clock, metrics, pause_seconds=0.001, window_seconds=0.003)
    assert lag.worst() == 0.0
    async with running(lag.run()), asyncio.timeout(20):
        await asyncio.sleep(0)
        clock.now += 0.501
        while not metrics.loop_lags:  # noqa: ASYNC110 - the rounds tell nobody
            await asyncio.sleep(0.001)
        assert lag.worst() == pytest.approx(0.5)
        while len(metrics.loop_lags) < 5:  # noqa: ASYNC110 - the rounds tell nobody
            await asyncio.sleep(0.001)
    assert lag.worst() == 0.0


def test_latencies_are_those_of_the_last_minute() -> None:
    """
    What was slow before is forgotten, what is rare says nothing.
    """
    clock = FakeClock()
    counts = {"/a": [0.0, 0.0, 0.0], "/b": [0.0, 0.0, 0.0]}

    def read(endpoints: Sequence[str]) -> list[float]:
        return [sum(column) for column in zip(*(counts[each] for each in endpoints), strict=True)]

    window = LatencyWindow(
        {"slow": ["/a"], "rare": ["/b"]}, bounds=(0.1, 0.2), read=read, monotonic=clock
    )
    assert window.percentiles() == {"slow": None, "rare": None}
    counts["/a"] = [0.0, 100.0, 0.0]
    counts["/b"] = [0.0, 19.0, 0.0]
    clock.now += 30
    slow = window.percentiles()
    assert slow == {"slow": pytest.approx(0.195), "rare": None}
    counts["/a"] = [20.0, 100.0, 0.0]
    clock.now += 61
    assert window.percentiles()["slow"] == pytest.approx(0.095)
    clock.now += 61
    assert window.percentiles() == {"slow": None, "rare": None}


async def test_a_judged_part_is_judged_when_it_is_asked() -> None:
    """
    Not before, and anew each time.
    """
    statuses = iter((HealthStatus.PASS, HealthStatus.WARN))
    probe = JudgedProbe(lambda: CheckResult(name="part", status=next(statuses)))
    assert [(await probe.check()).status for _ in range(2)] == ["pass", "warn"]
