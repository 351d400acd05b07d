"""
Threads that read: each function is one errand to one of them and back.

SQLAlchemy's asynchronous engine would cross to a thread for each statement, run what is made of the
rows in the event loop, and bring with it the ORM, which nothing here uses.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context

from sqlalchemy import Connection, Engine


class ReaderThreads:
    """
    Runs functions over connections without a transaction, several at a time.

    Args:
        engine: Its pool has at least as many connections.
        count: How many threads.
    """

    def __init__(self, engine: Engine, *, count: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(max_workers=count, thread_name_prefix="ctxfy-reader")
        self._ended = False

    async def run_sync[T](self, act: Callable[[Connection], T]) -> T:
        """
        Connect, and run a function.
        """
        return await self.errand(lambda: self._read(act))

    @asynccontextmanager
    async def snapshot(self) -> "AsyncGenerator[HeldConnection]":
        """
        Connect for functions that all see the same moment.
        """
        connection = await self.errand(self._engine.connect)
        try:
            await self.errand(lambda: connection.exec_driver_sql("BEGIN"))
            yield HeldConnection(connection, self)
        finally:
            await self.errand(lambda: _end(connection))

    async def aclose(self) -> None:
        """
        Close the connections, and let the threads end. May be called again.
        """
        if not self._ended:
            self._ended = True
            await self.errand(self._engine.dispose)
            self._threads.shutdown(wait=False)

    async def errand[T](self, act: Callable[[], T]) -> T:
        """
        Run something in one of the threads.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, copy_context().run, act)

    def _read[T](self, act: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return act(connection)


class HeldConnection:
    """
    A connection in its transaction, asked from whatever thread is free.
    """

    def __init__(self, connection: Connection, threads: ReaderThreads) -> None:
        self._connection = connection
        self._threads = threads

    async def run_sync[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function.
        """
        return await self._threads.errand(lambda: act(self._connection))


def _end(connection: Connection) -> None:
    with connection:
        connection.exec_driver_sql("ROLLBACK")
