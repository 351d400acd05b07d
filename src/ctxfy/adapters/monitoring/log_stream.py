"""
A stream as a place for lines: standard output, as a rule.
"""

import io
import os
import select
from typing import TextIO


class StreamSink:
    """
    Writes past the stream's own buffer.

    A thread that hangs in a buffered write holds the buffer's lock, and Python does not end without
    it: a pipe that nobody reads would make a crash of every end.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_torn = False

    def write(self, lines: str) -> None:
        """
        Write them.

        Raises:
            OSError, ValueError: They, or some of them, could not be written.
        """
        try:
            number = self._stream.fileno()
        except io.UnsupportedOperation:  # in memory
            self._stream.write(lines)
            self._stream.flush()
            return
        if self._is_torn:  # the rest of a line is missing; the next has a line of its own
            lines = f"\n{lines}"
        rest = memoryview(lines.encode(self._stream.encoding or "utf-8", "backslashreplace"))
        while rest:
            rest = rest[_write_some(number, rest) :]
            self._is_torn = bool(rest)


def _write_some(number: int, content: memoryview) -> int:
    while True:
        try:
            return os.write(number, content)
        except BlockingIOError:  # who shares our terminal may have made it so
            select.select([], [number], [])
