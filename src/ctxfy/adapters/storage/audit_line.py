"""
The line that events and audited changes stand in, and how it moves: one batch after the other.

What gathers in the line while a batch goes to the disk is the next batch. So nobody waits for a
timer, and the busier it is, the more share one commit.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass

from sqlalchemy import Connection

from ctxfy.adapters.storage.failures import DRIVER_ERRORS
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent


MAX_BATCH = 500
MAX_WAITING = 20_000
MAX_TURNS = 20
"""
For how many turns of the event loop a batch gathers at most; each takes well below a millisecond.
"""


@dataclass(frozen=True, slots=True)
class Failed:
    """
    What came of an entry that was not kept.
    """

    error: Exception


@dataclass(slots=True, kw_only=True, eq=False)
class Entry:
    """
    What stands in line: an event, or a change and how to tell of what came of it.

    Attributes:
        tell: Makes the event of what `act` returned; None if there is nothing to tell.
        act: The change; None if there is only the event.
        done: Settled when it is known whether all of it is on the disk; None if nobody waits.
    """

    tell: Callable[[object], AuditEvent | None]
    act: Callable[[Connection], object] | None = None
    done: asyncio.Future[object] | None = None

    def perform(self, connection: Connection) -> object:
        """
        Make the change within the batch's transaction; a refusal undoes this change and no other.
        """
        if self.act is None:
            return None
        try:
            with connection.begin_nested():
                return self.act(connection)
        except DRIVER_ERRORS:
            raise  # the transaction is lost, and all that is in it
        except Exception as error:  # noqa: BLE001 - a refusal, or a defect of that one change
            return Failed(error)

    def settle(self, outcome: object) -> None:
        """
        Let whoever waits know, unless it has left.
        """
        if self.done is None or self.done.done():
            return
        if isinstance(outcome, Failed):
            self.done.set_exception(outcome.error)
        else:
            self.done.set_result(outcome)


class CommitLine:
    """
    Hands what stands in line to `keep`, in order and in batches; bounded.

    Args:
        keep: Keeps a batch, and settles every entry of it. Never raises.
    """

    def __init__(self, keep: Callable[[Sequence[Entry]], Awaitable[None]]) -> None:
        self._keep = keep
        self._line: deque[Entry] = deque()
        self._moving: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """
        How many entries stand in line.
        """
        return len(self._line)

    def enqueue(self, entry: Entry) -> None:
        """
        Put an entry at the end of the line.

        Raises:
            UnavailableError: The line is too long already.
        """
        if len(self._line) >= MAX_WAITING:
            raise UnavailableError("audit trail", "too many events wait to be written.")
        self._line.append(entry)
        if self._moving is None:
            # Of its own, since the batch is not that of the request that happened to begin it.
            self._moving = asyncio.create_task(self._move(), context=Context())

    async def settled(self) -> None:
        """
        Wait until nothing stands in line.
        """
        while self._moving is not None:
            await asyncio.wait([self._moving])

    async def _move(self) -> None:
        try:
            while self._line:
                await self._gather()
                await self._keep([self._line.popleft() for _ in range(self._batch_size())])
        finally:
            self._moving = None

    async def _gather(self) -> None:
        """
        Let in who is about to come, as long as somebody comes at each turn of the event loop.

        Who was answered by the batch before asks again at once, one a moment before the others;
        to begin with that one would cost a whole commit, and all the others would wait for it.
        """
        for _ in range(MAX_TURNS):
            waiting = len(self._line)
            await asyncio.sleep(0)
            if len(self._line) == waiting or waiting >= MAX_BATCH:
                return

    def _batch_size(self) -> int:
        return min(MAX_BATCH, len(self._line))
