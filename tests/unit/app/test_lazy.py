"""
Applications made when they are needed.
"""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.app.lazy import LazyApp


async def test_many_requests_at_once_make_it_once() -> None:
    """
    Ten come while it is being made; all are answered by the one application.
    """
    made: list[object] = []
    answered: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        answered.append(scope["path"])

    def make() -> ASGIApp:
        made.append(app)
        return app

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def drop(_message: Message) -> None:
        return

    lazy = LazyApp(make)
    await asyncio.gather(
        *(lazy({"type": "http", "path": str(n)}, nothing, drop) for n in range(10))
    )
    assert len(made) == 1
    assert sorted(answered) == [str(number) for number in range(10)]
