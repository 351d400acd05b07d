"""
Calls of what prompt authors wrote, bounded in time and number.
"""

import asyncio
from collections.abc import Awaitable, Callable

import anyio

from ctxfy.core.exceptions import UnavailableError


MAX_CALLS = 1000
GRACE_SECONDS = 0.1
"""
How long a call that was told to end may take to do so.
"""


class BoundedCalls:
    """
    Runs calls, each in a task of its own.

    A `def` function runs in a thread, which nothing can end: whoever waits for it is let go after
    the time, and it is counted among the running until it ends by itself.

    Args:
        seconds: How long one call may take.
        most: How many may run at once, those included that nobody waits for any more.
    """

    def __init__(self, seconds: float, most: int = MAX_CALLS) -> None:
        self.seconds = seconds
        self._most = most
        self._running: set[asyncio.Task[object]] = set()

    async def run[T](self, call: Callable[[], Awaitable[T]]) -> T:
        """
        Make one call.

        Raises:
            TimeoutError: It took too long.
            UnavailableError: Too many are running.
        """
        if len(self._running) >= self._most:
            raise UnavailableError("runner of prompt functions", f"{self._most} are running.")
        # Not Task.cancel, which would give the thread's place to the next call while it runs on.
        scope = anyio.CancelScope(deadline=anyio.current_time() + self.seconds)
        task = asyncio.create_task(_within(scope, call))
        self._running.add(task)
        task.add_done_callback(self._ended)
        try:
            await asyncio.wait((task,), timeout=self.seconds + GRACE_SECONDS)
        finally:
            scope.cancel()
        if not task.done():
            raise TimeoutError
        return task.result()

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # or Python complains that nobody looked at it


async def _within[T](scope: anyio.CancelScope, call: Callable[[], Awaitable[T]]) -> T:
    try:
        with scope:
            return await call()
    except SystemExit as error:  # it would end the server
        message = "the function wants to end the program"
        raise RuntimeError(message) from error
    raise TimeoutError
