"""
A relay that adds the key, for programs that cannot send one.
"""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress


CHUNK_BYTES = 65_536
CONNECTION = re.compile(rb"(?im)^connection:.*\r\n")


@asynccontextmanager
async def relay(port: int, key: str) -> AsyncGenerator[int]:
    """
    Listen on a free port and pass everything on to another, with the key; yields the port.

    Nothing else is changed, `Host` least of all. Each connection carries one request, so that only
    its head has to be found and what follows is mere bytes, however long it streams.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            line, _, rest = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
            added = f"Authorization: Bearer {key}\r\nConnection: close\r\n".encode()
            upstream, onward = await asyncio.open_connection("127.0.0.1", port)
            onward.write(line + b"\r\n" + added + CONNECTION.sub(b"", rest))
            ways = [copy(reader, onward), copy(upstream, writer)]
            both = [asyncio.create_task(way) for way in ways]
            # Whoever hangs up first ends it: the server must notice when a listener is gone.
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            onward.close()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """
    Pass bytes on until there are no more.
    """
    with suppress(OSError):
        while chunk := await reader.read(CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
