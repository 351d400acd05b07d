"""
The outermost middleware, around the smallest applications.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.adapters.monitoring.request_context import Header, RequestContext
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD
from ctxfy.core.models.usage_models import KeyUse
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging, RecordingMetrics
from tests.fakes.usage_fakes import RecordingUsage


SECURITY: Sequence[Header] = ((b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"))
NO_BODY: Sequence[Message] = ({"type": "http.request", "body": b"", "more_body": False},)
PREPARED: Message = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}


class Wire:
    """
    A context around an application, and what comes out of it at every side.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.usage = RecordingUsage()
        self.clock = FakeClock()
        self.sent: list[Message] = []
        self.scope: Scope = {}
        self.context = RequestContext(
            app,
            logging=self.logging,
            metrics=self.metrics,
            tracer=NullTracer(),
            usage=self.usage,
            new_request_id=lambda: "made-1",
            monotonic=self.clock,
            security_headers=SECURITY,
            on_error=lambda _scope, request_id, error: PlainTextResponse(
                f"{request_id}: {error}", status_code=500
            ),
        )

    async def request(
        self,
        headers: Iterable[Header] = (),
        method: str = "GET",
        incoming: Sequence[Message] = NO_BODY,
    ) -> None:
        """
        Send one request; after the incoming messages the client hangs up.
        """
        left = list(incoming)

        async def receive() -> Message:
            return left.pop(0) if left else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            self.clock.now += 0.25
            self.sent.append(message)

        self.scope = {"type": "http", "method": method, "path": "/x", "headers": list(headers)}
        await self.context(self.scope, receive, send)

    @property
    def headers(self) -> list[Header]:
        """
        The headers of the answer.
        """
        return list(self.sent[0]["headers"])

    def line(self) -> dict[str, object]:
        """
        The one line that was logged, after making sure that it was counted once as well.
        """
        (line,) = self.logging.requests
        assert self.metrics.requests == [(line["endpoint"], line["method"], line["status_code"])]
        return line


def _raising(error: BaseException) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        raise error

    return app


def _started(then: Callable[[], None], *, complete: bool = False) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": not complete})
        then()

    return app


def _fail() -> None:
    raise ValueError("broken")


async def test_a_request_is_told_about_once_with_its_facts() -> None:
    """
    Route, facts, bytes and the time to the answer's last byte are on the one line.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["route"] = "/prompts/{name}"
        await receive()
        record = CURRENT_RECORD.get()
        assert record is not None
        record.facts.update(user_id="alice", key_id="k", prompt="letter", llm_model="m")
        await PlainTextResponse("hello")(scope, receive, send)

    wire = Wire(app)
    await wire.request(method="POST", incoming=[{"type": "http.request", "body": b"123"}])
    assert wire.line() == {
        "request_id": "made-1",
        "endpoint": "/prompts/{name}",
        "latency_ms": 500.0,
        "user_id": "alice",
        "method": "POST",
        "status_code": 200,
        "key_id": "k",
        "prompt": "letter",
        "llm_model": "m",
        "bytes_in": 3,
        "bytes_out": 5,
    }


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], "made-1"),
        ([(b"x-request-id", b"theirs.1")], "theirs.1"),
        ([(b"x-request-id", b"a b")], "made-1"),
        ([(b"x-request-id", b"\xff")], "made-1"),
        ([(b"x-request-id", b"a"), (b"x-request-id", b"b")], "made-1"),
    ],
    ids=["none", "sane", "blank", "not ascii", "repeated"],
)
async def test_the_id_is_taken_over_if_sane_and_echoed(
    headers: list[Header], expected: str
) -> None:
    """
    The same id is in the answer, on the scope and in the log.
    """
    wire = Wire(PlainTextResponse("x"))
    await wire.request(headers)
    assert (b"x-request-id", expected.encode()) in wire.headers
    assert wire.scope["state"]["request_id"] == expected
    assert wire.line()["request_id"] == expected


async def test_security_headers_are_added_unless_set() -> None:
    """
    An answer's own headers win, except the request's id.
    """
    own = {"X-Frame-Options": "SAMEORIGIN", "X-Request-ID": "forged"}
    wire = Wire(PlainTextResponse("x", headers=own))
    await wire.request()
    names = [name for name, _ in wire.headers]
    assert (b"x-frame-options", b"SAMEORIGIN") in wire.headers
    assert (b"referrer-policy", b"no-referrer") in wire.headers
    assert (b"x-request-id", b"made-1") in wire.headers
    assert len(names) == len(set(names))


async def test_a_message_kept_by_the_application_is_not_changed() -> None:
    """
    An application may send the same prepared message every time.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(PREPARED)
        await send({"type": "http.response.body"})

    wire = Wire(app)
    await wire.request()
    assert PREPARED["headers"] == [(b"a", b"b")]
    assert (b"a", b"b") in wire.headers


async def test_messages_of_other_kinds_pass_through() -> None:
    """
    Extensions of the protocol, such as trailers and sending files by path, are left alone.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.pathsend", "path": "x"})

    wire = Wire(app)
    await wire.request([(b"accept", b"*/*")])
    assert wire.sent[1] == {"type": "http.response.pathsend", "path": "x"}
    assert wire.line()["status_code"] == 200


async def test_an_unknown_method_is_folded() -> None:
    """
    Callers cannot invent labels by inventing methods, nor routes by inventing paths.
    """
    wire = Wire(PlainTextResponse("x"))
    await wire.request(method="BREW")
    assert (wire.line()["method"], wire.line()["endpoint"]) == ("OTHER", "other")


async def test_a_fault_becomes_an_answer() -> None:
    """
    What the application raises is logged with its stack and answered, with all headers.
    """
    error = ValueError("broken")
    wire = Wire(_raising(error))
    await wire.request()
    assert wire.sent[0]["status"] == 500
    assert wire.sent[1]["body"] == b"made-1: broken"
    assert set(SECURITY) < set(wire.headers)
    assert wire.logging.errors == [("made-1", error, {"endpoint": "other"})]
    assert wire.line()["status_code"] == 500


async def test_half_an_answer_is_broken_off() -> None:
    """
    After the head is out nothing can be mended: the error goes to the server, which cuts.
    """
    wire = Wire(_started(_fail))
    with pytest.raises(ValueError, match="broken"):
        await wire.request()
    assert len(wire.sent) == 2
    assert len(wire.logging.errors) == 1
    assert (wire.line()["status_code"], wire.line()["status_sent"]) == (500, 200)


async def test_a_fault_after_the_answer_is_logged_only() -> None:
    """
    A task in the background that fails changes nothing about the answer that was given.
    """
    wire = Wire(_started(_fail, complete=True))
    await wire.request()
    assert len(wire.logging.errors) == 1
    assert wire.line()["status_code"] == 200


async def test_no_answer_at_all_is_a_fault() -> None:
    """
    If nobody answers, the server will say 500.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    wire = Wire(app)
    await wire.request()
    assert wire.line()["status_code"] == 500


async def test_a_client_that_leaves_is_no_fault() -> None:
    """
    A client gone while its stream runs is 499, and no error.
    """

    async def forever() -> None:
        await asyncio.Event().wait()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await forever()

    wire = Wire(StreamingResponse(chunks()))
    await wire.request(incoming=[])
    assert (wire.line()["status_code"], wire.line()["status_sent"]) == (499, 200)
    assert wire.logging.errors == []


async def test_a_client_that_leaves_while_sending_is_no_fault() -> None:
    """
    Whatever the application makes of half a body is the client's doing.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.disconnect"
        raise KeyError("body")

    for wire in (Wire(app), Wire(_raising(ClientDisconnect()))):
        await wire.request(incoming=[])
        assert wire.line()["status_code"] == 499
        assert (wire.logging.errors, wire.sent) == ([], [])


async def test_a_disconnect_after_the_answer_is_how_requests_end() -> None:
    """
    Listening on until the client hangs up does not turn an answer into a lost one.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("x")(scope, receive, send)
        await receive()
        await receive()

    wire = Wire(app)
    await wire.request()
    assert wire.line()["status_code"] == 200


async def test_a_cancelled_request_is_told_about() -> None:
    """
    A request cut off by the server's stop still has its line.
    """
    wire = Wire(_raising(asyncio.CancelledError()))
    with pytest.raises(asyncio.CancelledError):
        await wire.request()
    assert wire.line()["status_code"] == 499


async def test_facts_found_in_another_task_are_on_the_line() -> None:
    """
    A task with a copy of the context shares the record.
    """

    async def inner() -> None:
        record = CURRENT_RECORD.get()
        assert record is not None
        record.facts["prompt"] = "letter"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.create_task(inner())
        await PlainTextResponse("x")(scope, receive, send)

    wire = Wire(app)
    await wire.request()
    assert wire.line()["prompt"] == "letter"
    assert CURRENT_RECORD.get() is None


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_other_scopes_pass_through(kind: str) -> None:
    """
    What is no HTTP request is neither changed, logged nor counted.
    """
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend([scope, receive, send])

    async def receive() -> Message:
        return {}

    async def send(message: Message) -> None:
        pass

    wire = Wire(app)
    scope: Scope = {"type": kind}
    await wire.context(scope, receive, send)
    assert seen == [scope, receive, send]
    assert (scope, wire.logging.requests, wire.metrics.requests) == ({"type": kind}, [], [])


async def test_what_a_known_key_took_is_counted() -> None:
    """
    One request, its bytes and its rendering, a refusal if it was one; nothing of strangers.
    """

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        record = CURRENT_RECORD.get()
        assert record is not None
        await receive()
        record.facts |= {"key_id": "reader000000", "render_ms": 1.5}
        await PlainTextResponse("four", status_code=403)(_scope, receive, send)

    wire = Wire(app)
    await wire.request(incoming=[{"type": "http.request", "body": b"in", "more_body": False}])
    use = KeyUse(requests=1, refusals=1, bytes_in=2, bytes_out=4, render_us=1500)
    assert wire.usage.uses == [("reader000000", use)]
    stranger = Wire(PlainTextResponse("x"))
    await stranger.request()
    assert stranger.usage.uses == []
