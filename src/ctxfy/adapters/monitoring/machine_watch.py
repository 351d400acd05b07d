"""
What this process takes of the machine, or of the container that it is kept in.
"""

import asyncio
import os
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ctxfy.core.models.monitoring_models import MachineFigures
from ctxfy.core.ports.monitoring_ports import MetricsPort


CGROUPS = Path("/sys/fs/cgroup")


class MachineWatch:
    """
    Measures every few seconds, in a thread, since a disk that hangs would hold up the event loop.

    Args:
        disk: A place on the disk that is written to; it need not exist yet.
        now: The clock.
        monotonic: A clock in seconds that never goes back.
        metrics: Is told the figures.
        cgroups: Where the kernel tells the limits of containers.
        round_seconds: How long to wait between two measurements.
        window_seconds: Over how long the use of the processor is averaged.
    """

    def __init__(
        self,
        disk: Path,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        metrics: MetricsPort,
        cgroups: Path = CGROUPS,
        round_seconds: float = 2.0,
        window_seconds: float = 30.0,
    ) -> None:
        self._disk = disk
        self._now = now
        self._monotonic = monotonic
        self._metrics = metrics
        self._cgroups = cgroups
        self._round_seconds = round_seconds
        self._window_seconds = window_seconds
        self._seen = deque[tuple[float, float]](
            maxlen=max(round(window_seconds / round_seconds), 2)
        )
        self._figures: MachineFigures | None = None

    async def run(self) -> None:
        """
        Measure without end.
        """
        while True:
            self._figures = await asyncio.to_thread(self.measure)
            self._metrics.record_machine(self._figures)
            await asyncio.sleep(self._round_seconds)

    @property
    def figures(self) -> MachineFigures:
        """
        What was measured last; measured now, if never before.
        """
        if self._figures is None:
            self._figures = self.measure()
        return self._figures

    def measure(self) -> MachineFigures:
        """
        Look at the machine. Blocks for as long as the disk does.
        """
        used, limit = self._memory()
        self._seen.append((self._monotonic(), time.process_time()))
        disk = shutil.disk_usage(_nearest_folder(self._disk))
        return MachineFigures(
            time=self._now(),
            memory_used=used,
            memory_limit=limit,
            processor_share=self._busy() / min(self._processors(), 1.0),
            disk_free=disk.free,
            disk_total=disk.total,
        )

    def _busy(self) -> float:
        (then, spent_then), (now, spent_now) = self._seen[0], self._seen[-1]
        # Before the first measurement counts as idle: a start alone is no load.
        return (spent_now - spent_then) / max(now - then, self._window_seconds)

    def _memory(self) -> tuple[int, int]:
        """
        Return what is used and what there is, bytes; of the container, if it has a limit.
        """
        import psutil  # noqa: PLC0415 - takes a moment, which the start has not

        machine = psutil.virtual_memory()
        for limit, used, idle in (
            # Version 2 of control groups, then version 1.
            ("memory.max", "memory.current", "inactive_file"),
            ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
        ):
            most = _number(self._cgroups / limit)
            if most is not None and most < machine.total:
                cached = _stat((self._cgroups / used).with_name("memory.stat"), idle)
                return max((_number(self._cgroups / used) or 0) - cached, 0), most
        return machine.total - machine.available, machine.total

    def _processors(self) -> float:
        """
        Return how many processors there are to use; a container may have a part of one.
        """
        words = _words(self._cgroups / "cpu.max")  # "max 100000" or "50000 100000"
        old = self._cgroups / "cpu"
        if not words:
            words = [*_words(old / "cpu.cfs_quota_us"), *_words(old / "cpu.cfs_period_us")]
        with suppress(ValueError):
            quota, period = map(int, words)
            if quota > 0 and period > 0:
                return quota / period
        return float(os.process_cpu_count() or 1)


def _nearest_folder(place: Path) -> Path:
    return next(folder for folder in (place, *place.absolute().parents) if folder.is_dir())


def _words(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii").split()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    words = _words(file)
    return int(words[0]) if words and words[0].isdecimal() else None


def _stat(file: Path, name: str) -> int:
    words = _words(file)
    return int(words[words.index(name) + 1]) if name in words else 0
