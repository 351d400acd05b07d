"""
Lines on their way out: a bounded queue, and the thread that writes what is in it.

Whoever logs waits for no pipe and no disk. What finds no room is dropped, counted, and told of in
its place once lines flow again.
"""

import atexit
import threading
from collections.abc import Callable, Sequence
from typing import Protocol


MAX_CHARACTERS = 8 * 1024 * 1024
"""
The most that waits; about 12,000 requests.
"""

PAUSE_SECONDS = 0.02
"""
How long lines gather before they are written; a process that is killed loses that much.
"""

FLUSH_SECONDS = 2.0
"""
How long the end of the server waits for what is left.
"""

CHUNK_LINES = 100


class Sink(Protocol):
    """
    Where lines end.
    """

    def write(self, lines: str) -> None:
        """
        Write them, each with its line break; may take its time.

        Raises:
            OSError, ValueError: They, or some of them, could not be written.
        """
        ...


class _LineAfterGap(str):
    """
    A line that begins by telling how many are missing before it.
    """

    __slots__ = ("missing",)

    missing: int


class LineQueue:
    """
    Takes lines in any thread. Before `start` and after `close` it writes them where they are taken.

    Args:
        sink: Writes them.
        tell: Makes the line that says how many are missing.
        pause_seconds: How long lines gather.
        max_characters: The most that waits.
    """

    def __init__(
        self,
        sink: Sink,
        tell: Callable[[int], str],
        *,
        pause_seconds: float = PAUSE_SECONDS,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._sink = sink
        self._tell = tell
        self._pause_seconds = pause_seconds
        self._max_characters = max_characters
        self._lock = threading.Lock()
        self._filled = threading.Event()
        self._lines: list[str] = []
        self._characters = 0
        self._no_room = 0
        self._not_written = 0
        self._untold = 0
        self._is_running = False
        self._is_ending = threading.Event()
        self._is_abandoned = False
        self._thread: threading.Thread | None = None

    def dropped(self) -> tuple[int, int]:
        """
        Count the lines that found no room, and those that could not be written.
        """
        return self._no_room, self._not_written

    def put(self, line: str) -> None:
        """
        Take a line, or count that there is no room.
        """
        with self._lock:
            if self._is_abandoned or self._characters + len(line) > self._max_characters:
                self._no_room += 1
                self._untold += 1
                return
            if self._untold:
                line = self._after_gap(line)
            if self._is_running:
                if not self._lines:  # to wake the thread again would wake nobody, at some cost
                    self._filled.set()
                self._lines.append(line)
                self._characters += len(line)
                return
        self._write([line])

    def start(self) -> None:
        """
        Begin to write in a thread.
        """
        self._is_ending.clear()
        self._is_running = True
        # A daemon: the process does not wait for a pipe that nobody reads.
        self._thread = threading.Thread(target=self._run, name="ctxfy-logs", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # for an end that the application is not told of

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """
        Write what is left, as far as that is possible in so many seconds; the rest is lost.
        """
        if self._thread is None:
            return
        atexit.unregister(self.close)
        self._is_ending.set()
        self._filled.set()
        self._thread.join(seconds)
        self._is_abandoned = self._thread.is_alive()
        self._thread = None
        if self._untold and not self._is_abandoned:
            self._write([self._after_gap("")])

    def _after_gap(self, line: str) -> str:
        missing, self._untold = self._untold, 0
        told = _LineAfterGap(self._tell(missing) + line)
        told.missing = missing
        return told

    def _run(self) -> None:
        while True:
            self._filled.wait()
            self._is_ending.wait(self._pause_seconds)
            with self._lock:
                lines, self._lines = self._lines, []
                self._filled.clear()
                if not lines and self._is_ending.is_set():
                    self._is_running = False
                    return
                if self._is_ending.is_set():
                    self._filled.set()
            for start in range(0, len(lines), CHUNK_LINES):
                self._write_waited(lines[start : start + CHUNK_LINES])

    def _write_waited(self, lines: Sequence[str]) -> None:
        self._write(lines)
        with self._lock:  # only now: what is being written has its room too
            self._characters -= sum(map(len, lines))

    def _write(self, lines: Sequence[str]) -> None:
        try:
            self._sink.write("".join(lines))
        except (OSError, ValueError):  # a full disk, a pipe or a stream that is closed
            told = sum(line.missing for line in lines if isinstance(line, _LineAfterGap))
            with self._lock:
                self._not_written += len(lines)
                self._untold += len(lines) + told
