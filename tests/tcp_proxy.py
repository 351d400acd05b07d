"""
A network that can fail: a TCP proxy that swallows what it is given, or speaks TLS for who cannot.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


# What a client of PostgreSQL asks before TLS (Message Formats: SSLRequest), and the answer "yes".
_SSL_REQUEST = (8).to_bytes(4) + (80_877_103).to_bytes(4)
_SSL_YES = b"S"


class TcpProxy:
    """
    Passes bytes on to a port of this machine.

    Attributes:
        port: Where it listens.
        accepted: How many connections came.
    """

    def __init__(self, target: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks = set[asyncio.Task[None]]()
        self.port = 0
        self.accepted = 0

    def swallow(self) -> None:
        """
        From now on take everything and pass nothing on: a network that lost its route.
        """
        self._flowing.clear()

    def heal(self) -> None:
        """
        Pass on again, also what was swallowed.
        """
        self._flowing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Take one connection.
        """
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            await self._serve(reader, writer)
        writer.transport.abort()
        self._tasks.discard(task)

    def end(self) -> None:
        """
        Drop every connection.
        """
        for task in self._tasks:
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._tls is not None:
            assert await reader.readexactly(len(_SSL_REQUEST)) == _SSL_REQUEST
            writer.write(_SSL_YES)
            await writer.start_tls(self._tls)
        await self._flowing.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(reader, back))
                both.create_task(self._pass_on(there, writer))
        finally:
            back.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def proxied(target: int, *, tls: ssl.SSLContext | None = None) -> AsyncGenerator[TcpProxy]:
    """
    Run a proxy in front of a port.
    """
    proxy = TcpProxy(target, tls=tls)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.end()
