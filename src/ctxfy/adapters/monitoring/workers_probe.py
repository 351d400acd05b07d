"""
Whether all workers serve, and how each of them is (HealthProbePort).
"""

from typing import Any

from ctxfy.adapters.monitoring.worker_board import Note, WorkerBoard
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus, WorkerSight
from ctxfy.core.use_cases.health_use_cases import judge_workers


NAME = "workers"


class WorkersProbe:
    """
    Reads the board, so that whoever is asked tells of the others' trouble too.
    """

    def __init__(self, board: WorkerBoard) -> None:
        self._board = board

    async def check(self) -> CheckResult:
        """
        Look at the notes of all.
        """
        me = self._board.number
        seen = [_sight_of(note, me) for note in self._board.notes() if note.is_fresh]
        return judge_workers(NAME, seen, self._board.count, me)

    def alive(self) -> tuple[int, int]:
        """
        Count the workers that serve, and those that should.
        """
        return sum(note.is_fresh for note in self._board.notes()), self._board.count


def _sight_of(note: Note, me: int) -> WorkerSight:
    # Our own trouble stands beside this check.
    health: dict[str, Any] = {} if note.number == me else note.facts.get("health", {})
    figures = {name: note.facts.get(name) for name in ("pid", "memory_bytes", "cpu_seconds")}
    return WorkerSight(
        number=note.number,
        troubled=tuple(name for name, status in health.items() if status != HealthStatus.PASS),
        figures={**figures, "age_seconds": round(note.age_seconds, 1)},
    )
