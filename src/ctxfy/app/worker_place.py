"""
Where a worker stands among those that serve together.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlace:
    """
    The place of one worker. Whoever takes it after a death has the same number.

    Attributes:
        number: From 1 on. The first does what is to be done once and not by each.
        count: How many places there are.
        folder: What the workers keep together while the server runs, in files.
        died: How the worker before in this place ended, for the log; empty for the first one.
    """

    number: int
    count: int
    folder: Path
    died: str = ""

    @property
    def is_first(self) -> bool:
        """
        Whether this is the worker that does what is to be done once.
        """
        return self.number == 1
