"""
A connection and its watch, over a transport that remembers, at times that the test says.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from ctxfy.adapters.http_server.connection import BoundedConnection
from ctxfy.adapters.http_server.connection_watch import ConnectionWatch
from ctxfy.app.http_errors import error_response
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.connection_models import ConnectionLimits, CutReason
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.unit.adapters.http_server.memory_transport import MemoryTransport


HEAD = b"POST /x HTTP/1.1\r\nHost: localhost\r\n"
LIMITS = ConnectionLimits()
GET = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"


class House:
    """
    Connections of one process, its clock, and what became of its requests.
    """

    def __init__(self, app: ASGIApp, limits: ConnectionLimits = LIMITS) -> None:
        self.time = 0.0
        self.logging = RecordingLogging()
        self.state = ServerState()
        self.watch = ConnectionWatch(
            limits,
            on_error=_answer,
            headers=((b"x-frame-options", b"DENY"),),
            logging=self.logging,
            monotonic=lambda: self.time,
        )
        config = Config(app, log_config=None, ws="none", lifespan="off")
        make = partial(BoundedConnection, self.watch, config, self.state, {})
        self._make: Callable[[], BoundedConnection] = make

    def connect(self) -> tuple[BoundedConnection, MemoryTransport]:
        """
        Let a client come.
        """
        connection, transport = self._make(), MemoryTransport()
        connection.connection_made(transport)
        return connection, transport

    def wait(self, seconds: float) -> None:
        """
        Let time go by, and the watch look.
        """
        self.time += seconds
        self.watch.sweep(self.state.connections)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - uvicorn names its own classes

    @property
    def ended(self) -> dict[CutReason, int]:
        """
        How many were ended, by why.
        """
        counts = zip(CutReason, self.watch.ended(), strict=True)
        return {reason: count for reason, count in counts if count}


def _answer(path: str, error: CtxfyError) -> Response:
    return error_response({"path": path}, error)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer with the body, when it is whole.
    """
    body = await Request(scope, receive).body()
    await Response(body or b"ok")(scope, receive, send)


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer without a look at the body.
    """
    await Response(status_code=413)(scope, receive, send)


async def settle() -> None:
    """
    Let tasks run until nothing moves.
    """
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_head_that_drips_is_answered_408_and_told_once() -> None:
    """
    Bytes that come earn no time; the answer is a problem with the headers that all have.
    """
    house = House(echo)
    connection, transport = house.connect()
    connection.data_received(HEAD)
    for _ in range(10):
        house.wait(0.5)
        connection.data_received(b"a: b\r\n")
    assert transport.written == b""
    house.wait(0.6)
    assert transport.closing
    head, _, body = transport.written.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"x-frame-options: DENY\r\n" in head
    assert head.endswith(b"connection: close")
    assert json.loads(body)["code"] == "request.too_slow"
    house.wait(1)
    assert house.ended == {CutReason.SLOW_HEAD: 1}
    assert [event for event, _ in house.logging.events] == ["connections_cut"]


async def test_a_body_is_given_the_time_that_its_bytes_take() -> None:
    """
    At the least rate it comes to its end; in smaller drops it is cut off, and nobody acts on it.
    """
    house = House(echo, replace(LIMITS, body_seconds=8, bytes_per_second=100))
    (steady, good), (drip, bad) = house.connect(), house.connect()
    for connection in (steady, drip):
        connection.data_received(HEAD + b"Content-Length: 3000\r\n\r\n")
    for _ in range(30):
        await settle()
        house.wait(1)
        steady.data_received(b"x" * 100)
        drip.data_received(b"x")
    await settle()
    assert good.statuses == [200]
    assert bad.statuses == [408]
    assert bad.closing
    assert house.ended == {CutReason.SLOW_BODY: 1}


async def test_a_refused_body_is_not_waited_for() -> None:
    """
    What still comes behind the answer ends with the connection, however fast it comes.
    """
    house = House(refuse)
    connection, transport = house.connect()
    connection.data_received(HEAD + b"Content-Length: 1000000\r\n\r\n")
    await settle()
    assert transport.statuses == [413]
    for _ in range(9):
        house.wait(1)
        connection.data_received(b"x" * 100_000)
    assert transport.closing
    assert transport.statuses == [413]


async def test_a_reader_is_cut_off_when_it_takes_too_little() -> None:
    """
    Who goes on taking an answer is waited for, who does not is not, nor at the end of all answers.
    """
    house = House(echo, replace(LIMITS, answer_seconds=8, bytes_per_second=100))
    (slow, kept), (stuck, cut), (last, gone) = (house.connect() for _ in range(3))
    for connection, transport in ((slow, kept), (stuck, cut)):
        transport.unsent = 5_000_000
        connection.pause_writing()
        transport.unsent = 10_000  # the system took the rest, and not the client
    last.data_received(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    await settle()
    gone.unsent = 10
    for _ in range(20):
        house.wait(1)
        kept.unsent -= 100
    assert (kept.aborted, cut.aborted, gone.aborted) == (False, True, True)
    slow.resume_writing()
    assert house.ended == {CutReason.SLOW_READER: 2}
    assert last is not stuck


async def test_who_says_nothing_or_nothing_more_is_let_go_without_a_word() -> None:
    """
    It is counted, and no line of the log is written: that is how balancers and browsers are.
    """
    house = House(echo, replace(LIMITS, head_seconds=5, idle_seconds=3))
    (_, silent), (idle, kept) = house.connect(), house.connect()
    idle.data_received(GET)
    await settle()
    house.wait(3)
    assert not kept.closing
    house.wait(0.5)
    assert (silent.closing, kept.closing) == (False, True)
    house.wait(2)
    assert silent.written == b""
    assert kept.statuses == [200]
    assert house.ended == {CutReason.IDLE: 1, CutReason.SILENT: 1}
    assert house.logging.events == []


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        (HEAD + b"a: " + b"x" * 70_000, 431, CutReason.LARGE_HEAD),
        (b"GET /" + b"x" * 70_000, 414, CutReason.LARGE_HEAD),
        (b"\x16\x03\x01\x02\x00\x01", 400, CutReason.MALFORMED),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, CutReason.MALFORMED),
    ],
    ids=["large header", "long address", "no HTTP", "no chunk"],
)
async def test_what_cannot_become_a_request_is_refused_before_its_end(
    sent: bytes, status: int, reason: CutReason
) -> None:
    """
    A head that is too large is not collected, and what is no HTTP is answered in our own form.
    """
    house = House(echo)
    connection, transport = house.connect()
    connection.data_received(sent)
    connection.data_received(b"x" * 1000)
    await settle()
    assert transport.statuses == [status]
    assert transport.closing
    assert house.ended == {reason: 1}
    assert b'"code": "request.' in transport.written


async def test_of_header_fields_one_more_than_allowed_is_kept_and_no_blanks_behind_values() -> None:
    """
    That is enough for whoever refuses them; a value has no white space around it (RFC 9112, 5.1).
    """
    seen: list[list[tuple[bytes, bytes]]] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["headers"])
        await echo(scope, receive, send)

    house = House(note, replace(LIMITS, header_fields=3))
    connection, _ = house.connect()
    connection.data_received(b"GET / HTTP/1.1\r\n" + b"A: \t b c \t \r\n" * 50 + b"\r\n")
    await settle()
    assert seen == [[(b"a", b"b c")] * 4]


async def test_a_full_house_makes_room_among_those_that_wait() -> None:
    """
    The newcomer is served; whose request is in work is not touched, and if all are, it is told 503.
    """
    working = asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await working.wait()
        await echo(scope, receive, send)

    house = House(work, replace(LIMITS, connections=2))
    (busy, first), (_, waiting) = house.connect(), house.connect()
    busy.data_received(GET)
    newcomer, second = house.connect()
    newcomer.data_received(GET)
    assert (first.closing, waiting.closing, second.closing) == (False, True, False)
    _, third = house.connect()
    assert third.statuses == [503]
    working.set()
    await settle()
    assert first.statuses == second.statuses == [200]
    assert house.ended == {CutReason.NO_ROOM: 2}


async def test_a_request_behind_another_waits_its_turn_without_blame() -> None:
    """
    While the first is in work, the time of the second does not run; both are answered in order.
    """
    working = asyncio.Event()

    async def work(scope: Scope, receive: Receive, send: Send) -> None:
        await working.wait()
        await echo(scope, receive, send)

    house = House(work)
    connection, transport = house.connect()
    connection.data_received(GET + HEAD)
    house.wait(60)
    assert not transport.closing
    working.set()
    await settle()
    connection.data_received(b"Content-Length: 2\r\n\r\nhi")
    await settle()
    house.wait(1)
    assert transport.statuses == [200, 200]
    assert not transport.closing


async def test_when_the_server_drains_each_connection_ends_with_its_answer() -> None:
    """
    The client reads it in the answer and connects to another.
    """
    house = House(echo)
    connection, transport = house.connect()
    connection.data_received(GET)
    await settle()
    house.watch.draining = True
    connection.data_received(GET)
    await settle()
    assert transport.statuses == [200, 200]
    assert transport.written.count(b"connection: close") == 1
    assert transport.closing


async def test_a_flood_is_told_in_few_lines() -> None:
    """
    Of each reason there is one line in ten seconds, and the counts in it add up.
    """
    house = House(echo)
    for _ in range(40):
        connection, _ = house.connect()
        connection.data_received(b"?\r\n\r\n")
        house.wait(0.5)
    told = [fields["connections"] for _, fields in house.logging.events]
    assert told == [1, 20]
    house.wait(10)
    assert sum(int(str(fields["connections"])) for _, fields in house.logging.events) == 40


async def test_a_client_that_waits_for_leave_gets_it() -> None:
    """
    `Expect: 100-continue` in any spelling is told to go on when somebody wants the body, and only
    then (RFC 9110, 10.1.1).
    """
    for app, expected in ((echo, [100, 200]), (refuse, [413])):
        connection, transport = House(app).connect()
        connection.data_received(HEAD + b"Expect: 100-Continue \r\nContent-Length: 2\r\n\r\n")
        await settle()
        connection.data_received(b"hi")
        await settle()
        assert transport.statuses == expected
