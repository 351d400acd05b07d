"""
The parent of several workers, over workers that do as a test says instead of serving.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest


PROGRAM = """
import asyncio, os, signal, sys, time
from pathlib import Path
from ctxfy.app import workers
from ctxfy.core.exceptions import ConfigurationError

told = Path(sys.argv[2])
workers.LOOK_SECONDS, workers.SILENCE_SECONDS, workers.CLEANUP_SECONDS = 0.05, 2.0, 1.0

def tell(text):
    with told.open("a") as file:
        file.write(text + "\\n")

async def serve(place, pulse):
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    beating = asyncio.create_task(pulse.run(ended.set))
    tell(f"{place.number} {os.getpid()} {place.died} {place.folder}")
    await ended.wait()
    beating.cancel()
    tell(f"ended {place.number}")

def worker(place, pulse):
    how = sys.argv[1]
    if how == "refuse" or (how == "refuse later" and place.died):
        raise ConfigurationError(f"Worker {place.number} will not.")
    if how == "crash":
        raise RuntimeError("secret")
    if how == "late":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pulse._link.send(b".")
        tell(f"{place.number} {os.getpid()}")
        time.sleep(60)
    asyncio.run(serve(place, pulse))

parent = workers.Workers(2, worker, on_end=lambda: tell("closed"), end_seconds=0.5)
try:
    sys.exit(parent.run())
except ConfigurationError as error:
    sys.exit(str(error))
"""
PATIENCE_SECONDS = 30


class Parent:
    """
    A parent that runs, and what its workers told.
    """

    def __init__(self, process: subprocess.Popen[str], told: Path) -> None:
        self.process = process
        self._told = told

    def told(self, count: int) -> list[list[str]]:
        """
        Wait for so many lines; return their words.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            lines = self._told.read_text().splitlines()
            if len(lines) >= count:
                return [line.split() for line in lines]
            time.sleep(0.02)
        message = f"only this was told: {self._told.read_text()}"
        raise AssertionError(message)

    def end(self) -> tuple[int, str]:
        """
        Wait for the end; return the exit code, and what was said.
        """
        _, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, errors.strip()


@contextmanager
def parent_of(folder: Path, how: str) -> Generator[Parent]:
    """
    Run a parent of workers that behave so.
    """
    told = folder / "told"
    told.touch()
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how, str(told)], stderr=subprocess.PIPE, text=True
    )
    try:
        yield Parent(process, told)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("refuse", "Worker 1 will not."),
        ("crash", "Something went wrong inside: RuntimeError."),
    ],
)
def test_workers_that_cannot_begin_end_the_parent_with_their_sentence(
    tmp_path: Path, how: str, sentence: str
) -> None:
    """
    The first one's, before another is started; of a defect, nothing but its kind.
    """
    with parent_of(tmp_path, how) as parent:
        assert parent.end() == (1, sentence)


def test_one_that_dies_is_replaced_and_a_signal_ends_all(tmp_path: Path) -> None:
    """
    The other stays as it is, the new one knows how its forerunner ended, and nothing is left.
    """
    with parent_of(tmp_path, "serve") as parent:
        (one, pid, folder), (other, other_pid, _) = parent.told(2)
        assert (one, other) == ("1", "2")
        os.kill(int(other_pid), signal.SIGKILL)
        assert parent.told(3)[2][0::2] == ["2", "SIGKILL"]
        os.kill(int(pid), 0)
        parent.process.send_signal(signal.SIGTERM)
        assert parent.end() == (0, "")
        ends = parent.told(6)[3:]
        assert ends[0] == ["closed"]
        assert sorted(ends[1:]) == [["ended", "1"], ["ended", "2"]]
        assert not Path(folder).exists()


def test_one_that_was_stopped_is_killed_and_replaced(tmp_path: Path) -> None:
    """
    A worker of which nothing is heard for too long is none.
    """
    with parent_of(tmp_path, "serve") as parent:
        stopped = parent.told(2)[1]
        os.kill(int(stopped[1]), signal.SIGSTOP)
        assert parent.told(3)[2][2] == "SIGKILL"


def test_while_one_serves_another_that_will_not_is_tried_again(tmp_path: Path) -> None:
    """
    What keeps it from serving is told, and the parent ends well when it is asked to.
    """
    with parent_of(tmp_path, "refuse later") as parent:
        os.kill(int(parent.told(2)[1][1]), signal.SIGKILL)
        assert parent.process.stderr is not None
        for _ in range(2):
            assert parent.process.stderr.readline() == "ctxfy: worker 2: Worker 2 will not.\n"
        parent.process.send_signal(signal.SIGTERM)
        assert parent.end()[0] == 0


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """
    Killed, it tells them nothing, and they end all the same and take their folder along.
    """
    with parent_of(tmp_path, "serve") as parent:
        folder = Path(parent.told(2)[0][2])
        parent.process.kill()
        assert sorted(parent.told(4)[2:]) == [["ended", "1"], ["ended", "2"]]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while folder.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_one_that_does_not_end_is_killed_and_the_exit_code_says_so(tmp_path: Path) -> None:
    """
    After the time for open requests, and that for its own end.
    """
    with parent_of(tmp_path, "late") as parent:
        parent.told(2)
        parent.process.send_signal(signal.SIGTERM)
        assert parent.end() == (128 + signal.SIGKILL, "")
