"""
The write lock: waited for in vain, it stays with nobody.
"""

import asyncio
import fcntl
import time
from contextlib import suppress
from pathlib import Path

import pytest

from ctxfy.adapters.storage.write_lock import WriteLock
from ctxfy.core.exceptions import UnavailableError


def is_free(path: Path) -> bool:
    """
    Tell whether another process could take the lock now.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


async def hold(lock: WriteLock) -> None:
    """
    Take the lock and give it back.
    """
    async with lock.held():
        pass


async def test_a_lock_that_comes_too_late_is_given_back(tmp_path: Path) -> None:
    """
    Granted when nobody waits any more, or in that very moment, the lock does not stay locked.
    """
    path = tmp_path / "lock"
    lock = WriteLock(path, guards="x.db", patience=0.002)

    async def attempt() -> None:
        with suppress(UnavailableError):
            async with lock.held():
                assert not is_free(path)

    for turn in range(60):
        with path.open("a") as file:
            # In a thread: what comes too late is given back by this loop.
            await asyncio.to_thread(fcntl.flock, file, fcntl.LOCK_EX)
            waiter = asyncio.create_task(attempt())
            await asyncio.sleep(0.0015 + turn / 60_000)  # to 2.5 ms: around the end of patience
        await waiter
    await asyncio.wait_for(hold(WriteLock(path, guards="x.db", patience=10)), timeout=20)
    assert is_free(path)


async def test_a_lock_that_comes_with_the_end_of_patience_is_given_back(tmp_path: Path) -> None:
    """
    When lock and end of patience meet in one turn of the event loop, the lock is not forgotten.
    """
    path = tmp_path / "lock"
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiter = asyncio.create_task(hold(WriteLock(path, guards="x.db", patience=0.02)))
        await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 - the loop must sleep while the lock comes to its thread
    with pytest.raises(UnavailableError, match="locked"):
        await waiter
    assert is_free(path)


async def test_a_cancelled_waiter_makes_room(tmp_path: Path) -> None:
    """
    The turn of a waiter that was cancelled goes to the next one.
    """
    path = tmp_path / "lock"
    lock = WriteLock(path, guards="x.db", patience=5)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        waiter = asyncio.create_task(hold(lock))
        await asyncio.sleep(0)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
    async with lock.held():
        assert not is_free(path)


def test_a_loop_that_ended_leaves_no_lock(tmp_path: Path) -> None:
    """
    A lock that comes when the event loop is gone is given back by the waiting thread.
    """
    path = tmp_path / "lock"

    async def lose_patience() -> None:
        with pytest.raises(UnavailableError, match=r"x\.db is locked"):
            await hold(WriteLock(path, guards="x.db", patience=0.01))

    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        asyncio.run(lose_patience())
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # waits for the thread, should it be first
    assert is_free(path)
