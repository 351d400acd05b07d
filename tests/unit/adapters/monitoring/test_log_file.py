"""
The log in a file: private, bounded, and no trouble of anybody's when the disk is.
"""

import os
import resource
from pathlib import Path

import pytest

from ctxfy.adapters.monitoring.log_file import FileSink
from ctxfy.adapters.monitoring.log_queue import LineQueue


@pytest.fixture
def complaints() -> list[str]:
    """
    What was complained of.
    """
    return []


def sink_to(path: Path, complaints: list[str], *, max_bytes: int = 100, keep: int = 2) -> FileSink:
    """
    Make a small one.
    """
    return FileSink(path, max_bytes=max_bytes, keep=keep, complain=complaints.append)


def test_only_its_owner_reads_it(tmp_path: Path, complaints: list[str]) -> None:
    """
    Whether it is new or was there before, with more rights; what was in it stays.
    """
    new, old = tmp_path / "new", tmp_path / "old"
    old.write_text("before\n")
    old.chmod(0o644)
    for path in (new, old):
        sink = sink_to(path, complaints)
        sink.write("x\n")
        sink.close()
        assert path.stat().st_mode & 0o777 == 0o600
    assert old.read_text() == "before\nx\n"


def test_a_full_file_begins_anew(tmp_path: Path, complaints: list[str]) -> None:
    """
    So many full ones are kept, each within its size, the newest with the least number.
    """
    path = tmp_path / "log"
    sink = sink_to(path, complaints)
    for number in range(20):
        sink.write(f"{number:029}\n")
    sink.close()
    files = {each.name: each.read_text().split() for each in tmp_path.iterdir()}
    numbers = {name: [int(line) for line in lines] for name, lines in files.items()}
    assert numbers == {"log": [18, 19], "log.1": [15, 16, 17], "log.2": [12, 13, 14]}
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in tmp_path.iterdir())


def test_a_line_longer_than_the_file_may_be_is_written(
    tmp_path: Path, complaints: list[str]
) -> None:
    """
    A bound on the file is no reason to lose a line.
    """
    path = tmp_path / "log"
    sink = sink_to(path, complaints, max_bytes=10)
    sink.write("long " * 10 + "\n")
    sink.write("short\n")
    sink.close()
    assert (path.read_text(), len((tmp_path / "log.1").read_text())) == ("short\n", 51)


@pytest.mark.parametrize("away", [Path.unlink, lambda path: path.rename(f"{path}-moved")])
def test_a_file_that_is_taken_away_is_made_anew(
    tmp_path: Path,
    complaints: list[str],
    away: object,
) -> None:
    """
    As logrotate does, and whoever tidies up.
    """
    path = tmp_path / "log"
    sink = sink_to(path, complaints)
    sink.write("one\n")
    assert callable(away)
    away(path)
    sink.write("two\n")
    sink.close()
    assert path.read_text() == "two\n"


def test_a_missing_disk_is_complained_of_once(tmp_path: Path, complaints: list[str]) -> None:
    """
    Lines are lost by number while it is away, and the log tells so once it is there.
    """
    path = tmp_path / "disk" / "log"
    queue = LineQueue(sink_to(path, complaints), lambda count: f"{count} missing\n")
    for _ in range(3):
        queue.put("lost\n")
    assert queue.dropped() == (0, 3)
    (sentence,) = complaints
    assert "no such file or directory" in sentence
    path.parent.mkdir()
    queue.put("there\n")
    assert path.read_text() == "3 missing\nthere\n"
    path.unlink()
    path.parent.rmdir()
    queue.put("lost\n")
    assert len(complaints) == 2


def test_a_full_disk_cuts_one_line_and_spoils_no_other(
    tmp_path: Path, complaints: list[str]
) -> None:
    """
    What is written once there is room again begins on a line of its own.
    """
    path = tmp_path / "log"
    sink = sink_to(path, complaints)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (12, hard))
    try:
        for _ in range(2):
            with pytest.raises(OSError, match="large"):
                sink.write("whole\nhalf a line\n")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    sink.write("next\n")
    sink.close()
    assert path.read_text().splitlines() == ["whole", "half a", "next"]
    assert len(complaints) == 1


def test_what_is_no_file_never_begins_anew(tmp_path: Path, complaints: list[str]) -> None:
    """
    A pipe has no size and is moved nowhere.
    """
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    sink = sink_to(pipe, complaints, max_bytes=1)
    sink.write("one\n")
    sink.write("two\n")
    assert os.read(reading, 100) == b"one\ntwo\n"
    sink.close()
    os.close(reading)
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]
