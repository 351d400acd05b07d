"""
Lines wait for nobody's pipe, and are missed by number when they are lost.
"""

import io
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxfy.adapters.monitoring.log_queue import LineQueue
from ctxfy.adapters.monitoring.log_stream import StreamSink


class Shelf:
    """
    A place for lines that takes them when it is open, and fails when it is told to.
    """

    def __init__(self) -> None:
        self.text = ""
        self.asked = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        self.is_full = False

    def write(self, lines: str) -> None:
        """
        Take lines.
        """
        self.asked.release()
        self.open.wait()
        if self.is_full:
            raise OSError(28, "No space left on device")
        self.text += lines


def queue_to(shelf: Shelf, max_characters: int = 1000) -> LineQueue:
    """
    Put a queue before it.
    """
    return LineQueue(
        shelf,
        lambda count: f"{count} missing\n",
        pause_seconds=0.001,
        max_characters=max_characters,
    )


def test_lines_are_written_in_their_order() -> None:
    """
    Before the thread, in it and after it.
    """
    shelf = Shelf()
    queue = queue_to(shelf, 100_000)
    queue.put("first\n")
    assert shelf.text == "first\n"
    queue.start()
    for number in range(1000):
        queue.put(f"{number}\n")
    queue.close()
    queue.put("last\n")
    assert shelf.text.splitlines() == ["first", *map(str, range(1000)), "last"]
    assert queue.dropped() == (0, 0)


def test_what_finds_no_room_is_told_of_in_its_place() -> None:
    """
    Whoever logs goes on; the gap is counted, and the line about it stands where it is.
    """
    shelf = Shelf()
    queue = queue_to(shelf, max_characters=10)
    queue.start()
    shelf.open.clear()
    queue.put("12345678\n")
    shelf.asked.acquire()
    for _ in range(3):
        queue.put("lost\n")
    shelf.open.set()
    while "next" not in shelf.text:
        queue.put("next\n")
    queue.close()
    lines = shelf.text.splitlines()
    assert lines[0] == "12345678"
    missing, following = lines[1:3]
    assert 3 <= int(missing.removesuffix(" missing")) <= queue.dropped()[0]
    assert following == "next"


def test_what_cannot_be_written_is_counted_and_told_of_later() -> None:
    """
    A full disk costs the lines of that time; there is one complaint, when there is room again.
    """
    shelf = Shelf()
    queue = queue_to(shelf)
    queue.start()
    shelf.is_full = True
    for text in ("a\n", "b\n"):
        queue.put(text)
    while queue.dropped() != (0, 2):
        shelf.asked.acquire()
    shelf.is_full = False
    queue.put("c\n")
    queue.close()
    assert shelf.text == "2 missing\nc\n"


def test_a_gap_at_the_end_is_told_of_too() -> None:
    """
    With no line after it, the end tells.
    """
    shelf = Shelf()
    queue = queue_to(shelf, max_characters=3)
    queue.start()
    queue.put("too long\n")
    queue.close()
    queue.close()
    assert shelf.text == "1 missing\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """
    Make a pipe: its reading end, and a stream into it.
    """
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def test_a_pipe_that_nobody_reads_holds_nobody_up(pipe: tuple[int, io.TextIOWrapper]) -> None:
    """
    Far more than it holds can be logged, and comes out whole and in order once somebody reads.
    """
    reading, stream = pipe
    queue = LineQueue(StreamSink(stream), str)
    queue.start()
    sent = [f"{number:9}" * 100 for number in range(1000)]
    for line in sent:
        queue.put(f"{line}\n")
    read = bytearray()
    while len(read) < 901 * len(sent):
        read += os.read(reading, 65536)
    queue.close()
    assert read.decode().splitlines() == sent
    assert queue.dropped() == (0, 0)


def test_an_end_does_not_wait_for_a_pipe_that_nobody_reads(
    pipe: tuple[int, io.TextIOWrapper],
) -> None:
    """
    It gives up, and so does whoever logs afterwards.
    """
    reading, stream = pipe
    queue = LineQueue(StreamSink(stream), str)
    queue.start()
    queue.put("x" * 200_000 + "\n")
    queue.close(0.05)
    queue.put("afterwards\n")
    assert queue.dropped() == (1, 0)
    read = bytearray()
    while len(read) < 200_001:  # the thread can end
        read += os.read(reading, 65536)
    assert read.endswith(b"x\n")


def test_a_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, io.TextIOWrapper]) -> None:
    """
    Who shares it may have made it so.
    """
    reading, stream = pipe
    os.set_blocking(stream.fileno(), False)
    writer = threading.Thread(target=StreamSink(stream).write, args=("x" * 200_000,))
    writer.start()
    read = bytearray()
    while len(read) < 200_000:
        read += os.read(reading, 65536)
    writer.join()
    assert read == b"x" * 200_000


def test_a_line_after_half_a_line_begins_anew(tmp_path: Path) -> None:
    """
    What was cut off by a full disk spoils no other line.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        sink = StreamSink(stream)
        resource.setrlimit(resource.RLIMIT_FSIZE, (12, hard))
        try:
            with pytest.raises(OSError, match="large"):
                sink.write("whole\nhalf a line\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sink.write("the next\n")
        sink.write("and another\n")
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines == ["whole", "half a", "the next", "and another"]


def test_a_closed_stream_loses_lines_by_number() -> None:
    """
    Nothing is raised.
    """
    stream = io.StringIO()
    queue = LineQueue(StreamSink(stream), str)
    queue.put("x\n")
    assert stream.getvalue() == "x\n"
    stream.close()
    queue.put("y\n")
    assert queue.dropped() == (0, 1)
