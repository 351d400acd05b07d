"""
What a person who waits is told.
"""

import io
from threading import Event
from typing import override

from ctxfy.app.progress import told_if_slow


class Terminal(io.StringIO):
    """
    A stream on which somebody looks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.written = Event()

    @override
    def isatty(self) -> bool:
        return True

    @override
    def flush(self) -> None:
        self.written.set()


def test_a_person_is_told_and_the_line_is_taken_back() -> None:
    """
    What comes afterwards begins at the beginning of the line.
    """
    terminal = Terminal()
    with told_if_slow("Counting sheep", stream=terminal, patience_seconds=0):
        assert terminal.written.wait(20)
    assert terminal.getvalue() == "Counting sheep ...\r\x1b[K"


def test_what_is_quick_is_not_told() -> None:
    """
    Nor taken back.
    """
    terminal = Terminal()
    with told_if_slow("Counting sheep", stream=terminal, patience_seconds=1000):
        assert terminal.getvalue() == ""
    assert terminal.getvalue() == ""


def test_a_file_is_told_nothing() -> None:
    """
    However long it takes.
    """
    stream = io.StringIO()
    with told_if_slow("Counting sheep", stream=stream, patience_seconds=0):
        assert not Event().wait(0.05)
    assert stream.getvalue() == ""
