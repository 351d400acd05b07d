"""
What this process takes of the machine, or of the container that it is kept in.
"""

import asyncio
import shutil
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from ctxfy.core.models.monitoring_models import MachineFigures
from ctxfy.core.ports.monitoring_ports import MetricsPort


class MachineWatch:
    """
    Measures every few seconds, in a thread, since a disk that hangs would hold up the event loop.

    Args:
        disk: A place on the disk that is written to; it need not exist yet.
        now: The clock.
        monotonic: A clock in seconds that never goes back.
        metrics: Is told the figures.
        memory: Tells what is used of the memory and what there is, bytes.
        processors: Tells how many there are to use, which may be a part of one.
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
        memory: Callable[[], tuple[int, int]],
        processors: Callable[[], float],
        round_seconds: float = 2.0,
        window_seconds: float = 30.0,
    ) -> None:
        self._disk = disk
        self._now = now
        self._monotonic = monotonic
        self._metrics = metrics
        self._memory = memory
        self._processors = processors
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


def _nearest_folder(place: Path) -> Path:
    return next(folder for folder in (place, *place.absolute().parents) if folder.is_dir())
