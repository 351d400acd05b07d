"""
What a worker and its parent hear of each other: a byte every second, and the end of either.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress


BEAT = b"."
COMPLAINT = b"!"
BEAT_SECONDS = 1.0


class Pulse:
    """
    The worker's end.

    Attributes:
        is_lost: Whether the parent is gone.

    Args:
        link: Connected to the parent; not blocking.
    """

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self.is_lost = False

    async def run(self, on_lost: Callable[[], None]) -> None:
        """
        Show without end that the event loop turns; the first time says that the worker serves.

        Args:
            on_lost: Called when the parent is gone.
        """
        loop = asyncio.get_running_loop()

        def lost() -> None:
            loop.remove_reader(self._link)
            self.is_lost = True
            on_lost()

        loop.add_reader(self._link, lost)
        try:
            while True:
                with suppress(OSError):  # a parent that is stopped reads it all later
                    self._link.send(BEAT)
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            loop.remove_reader(self._link)

    def complain(self, sentence: str) -> None:
        """
        Say why the worker cannot serve.
        """
        with suppress(OSError):
            self._link.send(COMPLAINT + sentence.encode("utf-8", "backslashreplace"))
