"""
A thread that writes: each transaction is one errand to it and back.

A driver that is asked statement by statement crosses to its thread for each of them, and a batch
of audit events has five. That cost more than all that was written.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from sqlalchemy import Connection, Engine


class WriterThread:
    """
    Runs functions over a connection, one after the other, each in a transaction of its own.

    What they change besides the database, they change in this thread.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._is_writing = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ctxfy-writer")
        self._ended = False

    @property
    def is_writing(self) -> bool:
        """
        Whether a transaction is under way.
        """
        return self._is_writing

    async def run_sync[T](self, act: Callable[[Connection], T]) -> T:
        """
        Begin, run a function, and commit; what it raises undoes all of it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, lambda context: context.run(self._transact, act), copy_context()
        )

    async def aclose(self) -> None:
        """
        Close the connection, and let the thread end. May be called again.
        """
        if not self._ended:
            self._ended = True
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._thread, self._close)
            self._thread.shutdown(wait=False)

    def _transact[T](self, act: Callable[[Connection], T]) -> T:
        self._is_writing = True
        try:
            connection = self._connected()
            with connection.begin():
                return act(connection)
        except BaseException:
            self._leave()  # whatever state it is in, the pool sees to it
            raise
        finally:
            self._is_writing = False

    def _connected(self) -> Connection:
        # Kept from one transaction to the next: to take it from the pool and give it back took
        # twice as long as to begin and to commit.
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _leave(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _close(self) -> None:
        self._leave()
        self._engine.dispose()
