"""
Changes of levels that count in every worker of one machine: in a file that all of them read.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import orjson

from ctxfy.core.models.log_level_models import LevelChange
from ctxfy.core.models.monitoring_models import LogLevel


class SharedLevels:
    """
    Keeps the changes in force; of two at the very same time in two workers, the later is kept.

    Args:
        folder: Where the file is.
        number: The place of this worker.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._file = folder / "levels.json"
        self._fresh = folder / f"levels-{number}.new"

    def read(self) -> list[LevelChange]:
        """
        Return the changes, those whose time is over too.
        """
        try:
            told = orjson.loads(self._file.read_bytes())
        except FileNotFoundError:
            return []
        return [
            LevelChange(
                logger=logger,
                level=LogLevel(level),
                until=None if until is None else datetime.fromisoformat(until),
            )
            for logger, level, until in told
        ]

    def write(self, changes: Iterable[LevelChange]) -> None:
        """
        Put these in place of what is there.
        """
        told = [
            (each.logger, each.level.value, None if each.until is None else each.until.isoformat())
            for each in changes
        ]
        self._fresh.write_bytes(orjson.dumps(told))
        self._fresh.replace(self._file)
