"""
An application that is made when it is first asked for something.
"""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send


class LazyApp:
    """
    Stands in for an application that is costly to make and that many servers never need.

    It is made in a thread, so that other requests are answered meanwhile.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Hand one request on.
        """
        app = self._app or await self._made()
        await app(scope, receive, send)

    async def _made(self) -> ASGIApp:
        async with self._turn:
            if self._app is None:
                self._app = await asyncio.to_thread(self._make)
            return self._app
