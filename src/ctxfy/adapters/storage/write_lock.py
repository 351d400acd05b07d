"""
One writer at a time: a lock within the process, and a `flock` between processes.

SQLite's own busy handler sleeps and tries again, so a busy writer starves the others for seconds.
Four processes that wrote without pause waited up to 1.6 s when they polled for the lock, and a
tenth of that when they let the kernel wake them; hence a thread that blocks.
"""

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from ctxfy.adapters.storage.failures import LOCKED, unavailable


class WriteLock:
    """
    The right to write, held for one transaction.

    The lock belongs to an open file, not to the process: whoever closes the file gives it back, and
    so does the kernel when the process is killed.
    """

    def __init__(self, path: Path, *, guards: str, patience: float) -> None:
        self._path = path
        self._guards = guards
        self._patience = patience
        self._turn = asyncio.Lock()
        self._coming: asyncio.Future[int] | None = None
        self._wanted = False

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[None]:
        """
        Hold the lock for the length of a block.

        Raises:
            UnavailableError: It was not free within the patience, the wait for this process's own
                writers included.
            OSError: The lock file cannot be opened.
        """
        try:
            async with asyncio.timeout(self._patience):
                file = await self._acquire()
        except TimeoutError as error:
            raise unavailable(LOCKED, file=self._guards) from error
        try:
            yield
        finally:
            os.close(file)
            self._turn.release()

    async def _acquire(self) -> int:
        await self._turn.acquire()
        try:
            return await self._lock_file()
        except BaseException:
            self._turn.release()
            raise

    async def _lock_file(self) -> int:
        if self._coming is None:
            file = self._open()
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            except OSError:  # a file system without locks
                os.close(file)
                raise
            else:
                return file
            self._coming = self._wait_in_thread(file)
        return await self._take(self._coming)

    async def _take(self, coming: asyncio.Future[int]) -> int:
        self._wanted = True
        try:
            file = await asyncio.shield(coming)
        except BaseException:
            # Out of patience in the very moment the lock came: it must not stay with nobody.
            if coming.done():
                os.close(coming.result())
                self._coming = None
            raise
        finally:
            self._wanted = False
        self._coming = None
        return file

    def _wait_in_thread(self, file: int) -> asyncio.Future[int]:
        # A blocked flock cannot be called off. Whoever loses patience leaves the thread waiting,
        # and the next writer finds it there: never more than one thread, and a daemon, so that the
        # process can end without it.
        loop = asyncio.get_running_loop()

        def wait() -> None:
            fcntl.flock(file, fcntl.LOCK_EX)
            try:
                loop.call_soon_threadsafe(self._arrived, file)
            except RuntimeError:  # the loop is closed, nobody waits any more
                os.close(file)

        threading.Thread(target=wait, name="ctxfy-write-lock", daemon=True).start()
        return loop.create_future()

    def _arrived(self, file: int) -> None:
        if self._wanted and self._coming is not None:
            self._coming.set_result(file)
        else:
            os.close(file)
            self._coming = None

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT
        try:
            return os.open(self._path, flags, 0o600)
        except FileNotFoundError:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._path, flags, 0o600)
