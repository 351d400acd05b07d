"""
A connection over which HTTP/1.1 is spoken: uvicorn's, with limits that it does not have.
"""

import asyncio
from typing import TYPE_CHECKING, Any, cast, override
from urllib.parse import unquote

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from ctxfy.adapters.http_server.connection_watch import ConnectionWatch
from ctxfy.adapters.http_server.cycle import BoundedCycle
from ctxfy.core.exceptions import (
    AddressTooLongError,
    CtxfyError,
    HeadersTooLargeError,
    MalformedRequestError,
    OverloadedError,
    RequestTooSlowError,
)
from ctxfy.core.models.connection_models import ConnectionPhase, CutReason
from ctxfy.core.use_cases.connection_use_cases import is_slow_reader, judge_connection


if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

_BEGUN = (ConnectionPhase.HEAD, ConnectionPhase.BODY)


class BoundedConnection(HttpToolsProtocol):
    """
    One connection, which knows what it waits for, and since when.

    It has no timer: the watch looks at all connections a few times a second. Callbacks of the
    parser are named by it.

    Args:
        watch: Holds the limits, and counts.

    Attributes:
        phase: What it waits for.
        since: When that began, by the watch's clock.
    """

    def __init__(
        self,
        watch: ConnectionWatch,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.phase = ConnectionPhase.SILENT
        self.since = watch.now
        self._watch = watch
        self._limits = watch.limits
        self._received = 0
        # Whether the client leaves us waiting with what we have for it, and since when, how much.
        self._is_stalled = False
        self._stall: tuple[float, int] | None = None

    @override
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if not self._watch.make_room(self, cast("set[BoundedConnection]", self.connections)):
            self._refuse(CutReason.NO_ROOM, OverloadedError(self._limits.connections))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.phase is ConnectionPhase.ENDED:
            self._watch.note_gone()

    @override
    def data_received(self, data: bytes) -> None:
        if self.phase is ConnectionPhase.ENDED:
            return
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess] - until it is lost
        except httptools.HttpParserUpgrade:
            pass  # nothing else is spoken: the request is answered as it stands (RFC 9110, 7.8)
        except httptools.HttpParserError:
            self._refuse(CutReason.MALFORMED, MalformedRequestError("This is not HTTP/1.1."))
            return
        self._received += len(data)
        if self.phase is ConnectionPhase.HEAD and self._received > self._limits.head_bytes:
            self._refuse(CutReason.LARGE_HEAD, self._too_large())

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._enter(ConnectionPhase.HEAD)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        # Whoever looks at the head refuses what has one more than it may; further ones are not
        # kept. White space behind a value is no part of it (RFC 9112, 5.1).
        headers = self.headers
        if len(headers) <= self._limits.header_fields:
            headers.append((name.lower(), value.rstrip(b" \t")))

    @override
    def on_headers_complete(self) -> None:
        # As uvicorn does it, less what is switched off here: WebSockets, a root path, its own limit
        # of requests and its log of them.
        parser: httptools.HttpRequestParser = self.parser  # pyright: ignore[reportAssignmentType] - until it is lost
        scope, app = self.scope, cast("ASGI3Application", self.app)
        version = parser.get_http_version()
        address = httptools.parse_url(self.url)
        path = address.path.decode("ascii")
        scope["method"] = parser.get_method().decode("ascii")
        scope["http_version"] = version
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = address.path
        scope["query_string"] = address.query or b""
        before = cast("RequestResponseCycle | None", self.cycle)
        expectations = [value.lower() for name, value in self.headers if name == b"expect"]
        keep_alive = version != "1.0" and parser.should_keep_alive() and not self._watch.draining
        self.cycle = BoundedCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=b"100-continue" in expectations,
            keep_alive=keep_alive,
            on_response=self.on_response_complete,
        )
        self._enter(ConnectionPhase.BODY)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, app))

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        is_answered = self.cycle.response_complete
        self._enter(ConnectionPhase.IDLE if is_answered else ConnectionPhase.ANSWER)

    @override
    def on_response_complete(self) -> None:
        # As uvicorn does it, without the timer that it sets for each request.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.phase is ConnectionPhase.ANSWER:
            self._enter(ConnectionPhase.IDLE)
        elif self.phase is ConnectionPhase.BODY:
            self._enter(ConnectionPhase.LEFTOVER)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._is_stalled = True

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._is_stalled, self._stall = False, None

    def look(self, now: float) -> None:
        """
        End the connection if its client has taken too long; called now and then.
        """
        if self._stall is None and (self._is_stalled or self.transport.is_closing()):
            # Not before: what the system takes at once is not yet taken by the client.
            self._stall = (now, self._unsent())
        if self._stall is not None:
            since, unsent = self._stall
            if is_slow_reader(now - since, max(unsent - self._unsent(), 0), self._limits):
                self._note_end(CutReason.SLOW_READER)
                self.transport.abort()
        elif self.flow.read_paused or self._is_queued():
            self.since = now  # it waits for us
        else:
            reason = judge_connection(self.phase, now - self.since, self._received, self._limits)
            if reason is not None:
                self.end(reason)

    def end(self, reason: CutReason) -> None:
        """
        End it now; a request that has begun is told why.
        """
        if self.phase not in _BEGUN:
            self._note_end(reason)
            self.transport.close()
        elif reason is CutReason.NO_ROOM:
            self._refuse(reason, OverloadedError(self._limits.connections))
        else:
            self._refuse(reason, RequestTooSlowError())

    def _enter(self, phase: ConnectionPhase) -> None:
        self.phase = phase
        self.since = self._watch.now
        self._received = 0

    def _note_end(self, reason: CutReason) -> None:
        if self.phase is not ConnectionPhase.ENDED:
            self._watch.note_end(reason)
            self._enter(ConnectionPhase.ENDED)

    def _refuse(self, reason: CutReason, error: CtxfyError) -> None:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        if cycle is None:
            self.transport.write(self._words(error))
        else:
            in_body = self.phase is ConnectionPhase.BODY
            if cycle.response_complete or (in_body and not cycle.response_started):
                self.transport.write(self._words(error))
            # Whoever still waits for the body learns that it does not come; no more is written.
            cycle.disconnected = True
            cycle.message_event.set()
        self._note_end(reason)
        self.transport.close()

    def _words(self, error: CtxfyError) -> bytes:
        path = self.url.partition(b"?")[0].decode("latin-1") if self.phase in _BEGUN else ""
        answer = self._watch.on_error(path, error)
        headers = (
            *self.server_state.default_headers,
            *answer.raw_headers,
            *self._watch.headers,
            (b"connection", b"close"),
        )
        lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
        return STATUS_LINE[answer.status_code] + lines + b"\r\n" + bytes(answer.body)

    def _too_large(self) -> CtxfyError:
        if len(self.url) > self._limits.address_bytes:
            return AddressTooLongError(self._limits.address_bytes)
        return HeadersTooLargeError(f"The head is larger than {self._limits.head_bytes} bytes.")

    def _is_queued(self) -> bool:
        """
        Tell whether the head of a request comes while the one before is being answered.
        """
        cycle = cast("RequestResponseCycle | None", self.cycle)
        in_head = self.phase is ConnectionPhase.HEAD
        return in_head and cycle is not None and not cycle.response_complete

    def _unsent(self) -> int:
        return self.transport.get_write_buffer_size()
