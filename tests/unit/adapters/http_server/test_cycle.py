"""
The head of an answer, next to the one that uvicorn writes.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from ctxfy.adapters.http_server.connection import BoundedConnection
from ctxfy.adapters.http_server.connection_watch import ConnectionWatch
from ctxfy.app.http_errors import error_response
from ctxfy.core.models.connection_models import ConnectionLimits
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.unit.adapters.http_server.memory_transport import MemoryTransport


Field = tuple[bytes, bytes]
MakeConnection = Callable[[Config, ServerState], HttpToolsProtocol]

NAMES = st.sampled_from(
    [
        *(b"content-type", b"Content-Type", b"vary", b"x-request-id", b"cache-control"),
        *(b"connection", b"transfer-encoding", b"content-length", b"x-a", b"a b", b"x\ny"),
    ]
)
VALUES = st.sampled_from(
    [
        b"3",
        b"0",
        b"close",
        b"Keep-Alive, Close",
        b"chunked",
        b"text/plain",
        b"a\tb",
        b"a\r\nb",
        b"\xe9",
    ]
)


def bounded(config: Config, state: ServerState) -> HttpToolsProtocol:
    """
    Make a connection of ours.
    """
    watch = ConnectionWatch(
        ConnectionLimits(),
        on_error=lambda path, error: error_response({"path": path}, error),
        headers=(),
        logging=RecordingLogging(),
        monotonic=lambda: 0.0,
    )
    return BoundedConnection(watch, config, state, {})


async def written(
    make: MakeConnection,
    request: bytes,
    status: int,
    headers: Sequence[Field],
    chunks: Sequence[bytes],
) -> tuple[bytes, bool]:
    """
    Return what a connection writes for an answer, and whether it ends with it.
    """

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        for place, chunk in enumerate(chunks, start=1):
            more = place < len(chunks)
            await send({"type": "http.response.body", "body": chunk, "more_body": more})

    state = ServerState()
    state.default_headers = [(b"date", b"today")]
    connection = make(Config(app, log_config=None, ws="none", lifespan="off"), state)
    transport = MemoryTransport()
    connection.connection_made(transport)
    connection.data_received(request)
    while state.tasks:
        await asyncio.gather(*state.tasks)
    connection.connection_lost(None)
    return transport.written, transport.closing


@given(
    method=st.sampled_from([b"GET", b"HEAD"]),
    version=st.sampled_from([b"1.0", b"1.1"]),
    status=st.sampled_from([200, 204, 304, 404, 503]),
    headers=st.lists(st.tuples(NAMES, VALUES), max_size=4),
    chunks=st.lists(st.sampled_from([b"", b"abc"]), min_size=1, max_size=2),
)
@example(b"GET", b"1.1", 200, [(b"content-length", b"3")], [b"abc"])
@example(b"GET", b"1.1", 200, [(b"connection", b"close"), (b"connection", b"x")], [b"abc"])
def test_an_answer_is_written_as_uvicorn_writes_it(
    method: bytes, version: bytes, status: int, headers: list[Field], chunks: list[bytes]
) -> None:
    """
    Whatever fields it has, and whether it can be written at all.
    """
    request = b"%b /x HTTP/%b\r\nHost: localhost\r\n\r\n" % (method, version)
    answer = partial(written, request=request, status=status, headers=headers, chunks=chunks)
    theirs = asyncio.run(answer(lambda config, state: HttpToolsProtocol(config, state, {})))
    assert asyncio.run(answer(bounded)) == theirs
