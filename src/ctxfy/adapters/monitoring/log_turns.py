"""
A place for lines that several processes write to, one after the other.
"""

import fcntl
import os
from pathlib import Path

from ctxfy.adapters.monitoring.log_queue import Sink


_PRIVATE = 0o600


class SinkInTurns:
    """
    Writes while no other process does.

    So no line stands within another, and a file that is full is moved along once.

    Args:
        sink: Where the lines go.
        lock: A file that all of them lock. The kernel's lock falls with whoever holds it.
    """

    def __init__(self, sink: Sink, lock: Path) -> None:
        self._sink = sink
        # Opened by each process for itself: one that is inherited would lock nobody out.
        self._lock = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)

    def write(self, lines: str) -> None:
        """
        Write them when it is our turn.

        Raises:
            OSError, ValueError: They, or some of them, could not be written.
        """
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._sink.write(lines)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)
