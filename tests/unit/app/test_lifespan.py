"""
The ASGI lifespan.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message, Receive, Scope, Send

from ctxfy.app.lifespan import LifespanApp
from ctxfy.core.exceptions import ConfigurationError, CtxfyError


class Life:
    """
    An application whose beginning and end may fail.
    """

    def __init__(self, *, start: Exception | None = None, stop: Exception | None = None) -> None:
        self.journal: list[str] = []
        self.sent: list[Message] = []
        self._start = start
        self._stop = stop
        self.app = LifespanApp(self._inner, self._context)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.journal.append(f"request {scope['path']}")

    @asynccontextmanager
    async def _context(self) -> AsyncGenerator[None]:
        if self._start is not None:
            raise self._start
        self.journal.append("begun")
        yield
        self.journal.append("ended")
        if self._stop is not None:
            raise self._stop

    async def live(self) -> list[str]:
        """
        Begin and end; returns what the server was told.
        """

        async def receive() -> Message:
            return {"type": "lifespan"}

        async def send(message: Message) -> None:
            self.sent.append(message)

        await self.app({"type": "lifespan"}, receive, send)
        return [message["type"] for message in self.sent]


async def test_it_begins_and_ends() -> None:
    """
    Both are told to the server, in order.
    """
    life = Life()
    assert await life.live() == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert life.journal == ["begun", "ended"]
    assert life.app.startup_error is None


async def test_requests_pass_through() -> None:
    """
    What is no lifespan is handed on as it came.
    """
    life = Life()

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError(message)

    await life.app({"type": "http", "path": "/x"}, receive, send)
    assert life.journal == ["request /x"]


async def test_a_start_that_fails_is_told_and_kept() -> None:
    """
    The server gets the sentence, and whoever started it the error.
    """
    error = ConfigurationError("It cannot be.")
    life = Life(start=error)
    assert await life.live() == ["lifespan.startup.failed"]
    assert life.sent[0]["message"] == "It cannot be."
    assert life.app.startup_error is error


async def test_an_end_that_fails_is_told() -> None:
    """
    It is no failure of the start.
    """
    life = Life(stop=CtxfyError("It would not close."))
    assert await life.live() == ["lifespan.startup.complete", "lifespan.shutdown.failed"]
    assert life.app.startup_error is None


async def test_a_mistake_of_ours_is_not_hidden() -> None:
    """
    An error that is no sentence of ours reaches the server with its stack.
    """
    life = Life(start=ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await life.live()
    assert life.app.startup_error is None
