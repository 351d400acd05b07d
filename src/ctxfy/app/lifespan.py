"""
The ASGI lifespan, with errors that read as sentences.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from starlette.types import ASGIApp, Receive, Scope, Send

from ctxfy.core.exceptions import CtxfyError


class LifespanApp:
    """
    An application with a beginning and an end.

    Attributes:
        startup_error: What kept it from starting, for whoever started the server.
    """

    def __init__(
        self, app: ASGIApp, context: Callable[[], AbstractAsyncContextManager[None]]
    ) -> None:
        self._app = app
        self._context = context
        self.startup_error: CtxfyError | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Begin and end, or pass a request on.
        """
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        started = False
        try:
            async with self._context():
                await send({"type": "lifespan.startup.complete"})
                started = True
                await receive()
        except CtxfyError as error:
            if started:
                await send({"type": "lifespan.shutdown.failed", "message": str(error)})
                return
            self.startup_error = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})
