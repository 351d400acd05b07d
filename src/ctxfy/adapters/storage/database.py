"""
The database as the stores see it: `read` and `write`, each given a function over a connection.

Such a function is plain, synchronous SQLAlchemy Core, the same for every database. How a connection
is had, and what a transaction costs, is the business of an opening: `sqlite` or `postgres`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from typing import Protocol

from sqlalchemy import Connection

from ctxfy.core.exceptions import UnavailableError


class Connected(Protocol):
    """
    A connection that functions can be run over.
    """

    async def run_sync[T](self, act: Callable[[Connection], T], /) -> T:
        """
        Run a function, wherever the driver's statements are run.
        """
        ...


type Connecting = AbstractAsyncContextManager[Connected]


class Opening(Protocol):
    """
    What differs from database to database.

    Every context raises UnavailableError and nothing of a driver's; what its block raises of its
    own goes through.
    """

    @property
    def name(self) -> str:
        """
        What to call the database in a sentence.
        """
        ...

    @property
    def exists(self) -> bool:
        """
        Whether there is anything to read at all.
        """
        ...

    @property
    def outage(self) -> UnavailableError | None:
        """
        Why the database is known to be out of reach; None if it is not known to be.
        """
        ...

    @property
    def connections(self) -> tuple[int, int]:
        """
        How many connections are in use, and how many there may be.
        """
        ...

    def reading(self) -> Connecting:
        """
        Connect for statements that each see their own moment.
        """
        ...

    def writing(self, *, alone: bool) -> Connecting:
        """
        Connect for one transaction.
        """
        ...

    def maintaining(self) -> Connecting:
        """
        Connect for one transaction that may take its time, alone.
        """
        ...

    def snapshotting(self) -> Connecting:
        """
        Connect for statements that all see the same moment, and may take their time.
        """
        ...

    async def scrub(self) -> bool:
        """
        Take what was deleted out of files that only we write; False if somebody was in the way.
        """
        ...

    async def aclose(self) -> None:
        """
        Close every connection. May be called again.
        """
        ...


class Database:
    """
    An open database. Made by `open_database`, ended by `aclose`.

    Attributes:
        waiting_for_change: Surrounds the wait for a change that stands in a line with others, so
            that a trace can show it.
    """

    def __init__(
        self,
        opening: Opening,
        *,
        waiting_for_change: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._opening = opening
        self.waiting_for_change = waiting_for_change
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    @property
    def name(self) -> str:
        """
        What to call the database in a sentence.
        """
        return self._opening.name

    @property
    def exists(self) -> bool:
        """
        Whether there is anything to read at all.
        """
        return self._opening.exists

    @property
    def outage(self) -> UnavailableError | None:
        """
        Why the database is known to be out of reach; None if it is not known to be.
        """
        return self._opening.outage

    @property
    def connections(self) -> tuple[int, int]:
        """
        How many connections are in use, and how many there may be.
        """
        return self._opening.connections

    async def read[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function that reads; each of its statements sees its own moment.

        Raises:
            UnavailableError: The database cannot be read.
        """
        return await self._to_the_end(self._opening.reading(), act)

    async def write[T](self, act: Callable[[Connection], T], *, alone: bool = True) -> T:
        """
        Run a function in one writing transaction: all of it is on the disk on return, or nothing.

        A caller that is cancelled leaves; the transaction goes on to its end all the same.

        Args:
            act: The function.
            alone: Whether all other writers, of every process, wait until this one is done, so that
                what the function read still holds when it is committed. False is for functions that
                would write the same whatever they read.

        Raises:
            UnavailableError: The database cannot be written.
        """
        return await self._to_the_end(self._opening.writing(alone=alone), act)

    async def maintain[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function in one writing transaction that may take its time: a migration, a restore.

        Raises:
            UnavailableError: The database cannot be written.
        """
        return await self._to_the_end(self._opening.maintaining(), act)

    async def snapshot[T](self, act: Callable[[Connection], T]) -> T:
        """
        Run a function that reads, and may take its time; all its statements see the same moment.

        Raises:
            UnavailableError: The database cannot be read.
        """
        return await self._to_the_end(self._opening.snapshotting(), act)

    async def scrub(self) -> bool:
        """
        Let nothing of what was deleted linger in files that only we write.

        Tells whether it was done: not while somebody reads for long.

        Raises:
            UnavailableError: The database cannot be written.
        """
        if self._closed:
            raise UnavailableError("storage", f"the database {self.name} is closed.")
        return await self._opening.scrub()

    async def aclose(self) -> None:
        """
        Let what is running end, then close every connection. May be called again.
        """
        self._closed = True
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._opening.aclose()

    async def _to_the_end[T](self, connecting: Connecting, act: Callable[[Connection], T]) -> T:
        # Cancelled in the middle, a connection would be thrown away with its transaction open, and
        # the write lock given back before the transaction is.
        if self._closed:
            raise UnavailableError("storage", f"the database {self.name} is closed.")
        task = asyncio.create_task(_run(connecting, act))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)


def _run[T](connecting: Connecting, act: Callable[[Connection], T]) -> Coroutine[object, object, T]:
    async def run() -> T:
        async with connecting as connection:
            return await connection.run_sync(act)

    return run()
