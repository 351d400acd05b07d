"""
The database as the stores see it: `read` and `write`, each given a function over a connection.

Such a function is plain, synchronous SQLAlchemy Core, the same for every database.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from ctxfy.adapters.storage.failures import DRIVER_ERRORS, explain
from ctxfy.adapters.storage.write_lock import WriteLock
from ctxfy.core.exceptions import UnavailableError


class Database:
    """
    An open database. Made by `open_database`, ended by `aclose`.
    """

    def __init__(
        self, *, file: Path, reader: AsyncEngine, writer: AsyncEngine, lock: WriteLock
    ) -> None:
        self._file = file
        self._reader = reader
        self._writer = writer
        self._lock = lock
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """
        What to call the database in a sentence.
        """
        return str(self._file)

    @property
    def exists(self) -> bool:
        """
        Whether anybody ever wrote to it.
        """
        return self._file.exists()

    async def read[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function that reads; each of its statements sees its own moment.

        Raises:
            UnavailableError: The database cannot be read.
        """
        return await self._to_the_end(self._read(act))

    async def write[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function in one writing transaction: all of it is on the disk on return, or nothing.

        A caller that is cancelled leaves; the transaction goes on to its end all the same.

        Raises:
            UnavailableError: The database cannot be written.
        """
        return await self._to_the_end(self._write(act))

    async def aclose(self) -> None:
        """
        Let what is running end, then close every connection. May be called again.
        """
        self._closed = True
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._writer.dispose()
        await self._reader.dispose()

    async def _read[T](self, act: Callable[[Connection], T]) -> T:
        try:
            async with self._reader.connect() as connection:
                return await connection.run_sync(act)
        except DRIVER_ERRORS as error:
            raise explain(error, self.name) from error

    async def _write[T](self, act: Callable[[Connection], T]) -> T:
        try:
            async with self._lock.held(), self._writer.begin() as connection:
                return await connection.run_sync(act)
        except DRIVER_ERRORS as error:
            raise explain(error, self.name) from error

    async def _to_the_end[T](self, work: Coroutine[object, object, T]) -> T:
        # Cancelled in the middle, a connection would be thrown away with its transaction open, and
        # the write lock given back before the transaction is.
        if self._closed:
            work.close()
            raise UnavailableError("storage", f"the database {self.name} is closed.")
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)
