"""
A word to the person who waits.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TextIO


PATIENCE_SECONDS = 1.0


@contextmanager
def told_if_slow(
    what: str, *, stream: TextIO | None = None, patience_seconds: float = PATIENCE_SECONDS
) -> Generator[None]:
    """
    Say what is being done if it takes a while, and take it back afterwards.

    Only on a terminal: in a file or a log it would be noise.
    """
    chosen = stream or sys.stderr
    if not chosen.isatty():
        yield
        return
    notice = _Notice(what, chosen)
    timer = Timer(patience_seconds, notice.show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        notice.end()


class _Notice:
    """
    A line that is shown at most once, and not after its end.
    """

    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._turn = Lock()
        self._is_shown = False
        self._is_over = False

    def show(self) -> None:
        with self._turn:
            if not self._is_over:
                self._write(f"{self._what} ...")
                self._is_shown = True

    def end(self) -> None:
        with self._turn:
            self._is_over = True
            if self._is_shown:
                self._write("\r\x1b[K")  # to the beginning of the line, and clear it

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
