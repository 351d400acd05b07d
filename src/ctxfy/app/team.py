"""
What a worker has in common with the others. Imported only where several serve together.
"""

import asyncio
import time
from dataclasses import dataclass

from ctxfy.adapters.monitoring.process_figures import cpu_seconds, memory_bytes
from ctxfy.adapters.monitoring.shared_counts import SharedCounts
from ctxfy.adapters.monitoring.shared_levels import SharedLevels
from ctxfy.adapters.monitoring.worker_board import WorkerBoard
from ctxfy.adapters.monitoring.workers_probe import WorkersProbe
from ctxfy.app.shared_reload import Announcement
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """
    The workers that serve together, as one of them knows them.

    Attributes:
        board: Where they tell each other how they are.
        counts: What they count together.
        probe: Tells whether all of them serve.
        announcement: Which prompts one of them has tested.
        levels: Of loggers, as they were changed in any of them.
    """

    place: WorkerPlace
    board: WorkerBoard
    counts: SharedCounts
    probe: WorkersProbe
    announcement: Announcement
    levels: SharedLevels

    async def run(self, logging: LoggingPort) -> None:
        """
        Tell the others how this worker is, without end; and the log, if it replaces a dead one.
        """
        await asyncio.to_thread(self.board.post)
        if self.place.died:
            logging.log_event("worker_replaced", level=LogLevel.ERROR, reason=self.place.died)
        await self.board.run(logging)


def join_team(place: WorkerPlace) -> Team:
    """
    Take a place among the workers; from now on this process counts together with them.
    """
    board = WorkerBoard(
        place.folder, number=place.number, count=place.count, monotonic=time.monotonic
    )
    board.add("memory_bytes", memory_bytes)
    board.add("cpu_seconds", cpu_seconds)
    counts = SharedCounts(place.folder, place.number)
    counts.install()
    return Team(
        place=place,
        board=board,
        counts=counts,
        probe=WorkersProbe(board),
        announcement=Announcement(place.folder, place.number),
        levels=SharedLevels(place.folder, place.number),
    )
