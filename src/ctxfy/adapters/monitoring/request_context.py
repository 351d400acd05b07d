"""
The outermost middleware: one id, one clock, one log line and one count for every request.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.monitoring.null_tracer import NO_SPAN, NullTracer
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord
from ctxfy.adapters.monitoring.request_trace import Span
from ctxfy.adapters.monitoring.tracer import Tracer
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import RequestTraffic
from ctxfy.core.models.usage_models import KeyUse
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.ports.usage_ports import KeyUsagePort
from ctxfy.core.use_cases.monitoring_use_cases import OTHER, accept_request_id


Header = tuple[bytes, bytes]
OnError = Callable[[Scope, str, Exception], ASGIApp]
"""
Makes the answer to a fault of ours: an ASGI application, such as a Starlette response.
"""

CLIENT_GONE = 499
SERVER_FAULT = 500
FIRST_REFUSAL = 400

_REQUEST_ID = b"x-request-id"
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
)


class RequestContext:
    """
    Gives every HTTP request its id, and tells about it when it is over.

    Further in, `scope["state"]["request_id"]` holds the id, and whoever decides the route writes
    its template to `scope["state"]["route"]`, whoever recognises the caller writes
    `scope["state"]["caller"]`. `scope["state"]["facts"]` is what was annotated.

    Args:
        app: The next application inwards.
        logging: Gets one line for each request.
        metrics: Gets one count for each request.
        tracer: Gets one trace for each request.
        usage: Gets what each request took whose key is known.
        new_request_id: Makes an id when the caller brings none, or a strange one.
        monotonic: A clock in seconds that never goes back.
        security_headers: Lower-case names; added to every answer that does not set them itself.
        on_error: Makes the answer when the application raises.
    """

    def __init__(  # noqa: PLR0913 - it stands around everything, and tells everyone
        self,
        app: ASGIApp,
        *,
        logging: LoggingPort,
        metrics: MetricsPort,
        tracer: Tracer | NullTracer,
        usage: KeyUsagePort,
        new_request_id: Callable[[], str],
        monotonic: Callable[[], float],
        security_headers: Sequence[Header],
        on_error: OnError,
    ) -> None:
        self.app = app
        self.logging = logging
        self.metrics = metrics
        self.tracer = tracer
        self.usage = usage
        self.new_request_id = new_request_id
        self.monotonic = monotonic
        self.security_headers = tuple(security_headers)
        self.on_error = on_error

        # By the names of the headers it is added to: an application has few ways to answer.
        self.added_to = lru_cache(maxsize=256)(self._added_to)

    def _added_to(self, names: tuple[bytes, ...]) -> tuple[Header, ...] | None:
        """
        List what is added to an answer with these headers; None if it brings an id of its own.
        """
        present = {name.lower() for name in names}
        if _REQUEST_ID in present:
            return None
        return tuple(each for each in self.security_headers if each[0] not in present)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request; other scopes pass through.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(self, scope, receive, send)
        token = CURRENT_RECORD.set(exchange.record)
        try:
            with exchange.record.span or NO_SPAN:
                await exchange.serve()
        finally:
            exchange.finish()
            CURRENT_RECORD.reset(token)


class _Exchange:
    """
    One request and its answer.
    """

    __slots__ = (
        "_bytes_in",
        "_bytes_out",
        "_complete",
        "_context",
        "_finished",
        "_gone",
        "_receive",
        "_scope",
        "_send",
        "_started_at",
        "_status",
        "_status_sent",
        "record",
    )

    def __init__(self, context: RequestContext, scope: Scope, receive: Receive, send: Send) -> None:
        self._started_at = context.monotonic()
        self._context = context
        self._scope = scope
        self._receive = receive
        self._send = send
        self._bytes_in = 0
        self._bytes_out = 0
        self._status = SERVER_FAULT  # what the server answers if nobody else does
        self._status_sent: int | None = None
        self._complete = False
        self._gone = False
        self._finished = False
        request_id = _proposed_id(scope["headers"]) or context.new_request_id()
        self.record = RequestRecord(request_id, span=context.tracer.begin(scope["headers"]))
        state = scope.setdefault("state", {})
        state["request_id"], state["facts"] = request_id, self.record.facts

    async def serve(self) -> None:
        try:
            await self._context.app(self._scope, self.receive, self.send)
        except asyncio.CancelledError:
            self._gone = not self._complete
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            if not (self._gone or isinstance(error, ClientDisconnect)):
                await self._fail(error)
            else:
                self._gone = True

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes_in += len(message.get("body", b""))
        elif not self._complete:  # after the answer, a disconnect is how a request ends
            self._gone = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = self._status_sent = message["status"]
            # A copy: the application may keep one message for all its answers.
            message = {**message, "headers": self._headers(message.get("headers", ()))}
        elif message["type"] == "http.response.body":
            self._bytes_out += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
        await self._send(message)
        if self._complete:
            self.finish()  # now, not when tasks in the background are done

    def finish(self) -> None:
        """
        Tell about the request, once.
        """
        if self._finished:
            return
        self._finished = True
        latency_ms = (self._context.monotonic() - self._started_at) * 1000
        status = CLIENT_GONE if self._gone else self._status
        method = self._scope["method"]
        method = method if method in _METHODS else "OTHER"
        endpoint = self._scope["state"].get("route", OTHER)
        extra = {**self.record.facts, "bytes_in": self._bytes_in, "bytes_out": self._bytes_out}
        if self._status_sent not in {status, None}:
            extra["status_sent"] = self._status_sent  # the head was out before it went wrong
        kept_trace = ""
        if (span := self.record.span) is not None:
            outcome = {"endpoint": endpoint, "method": method, "status_code": status}
            kept_trace = span.trace.id if self._finish(span, outcome) else ""
            extra |= {"trace_id": span.trace.id, "span_id": span.id}
        user_id = extra.pop("user_id", None)
        self._context.logging.log_request(
            self.record.request_id,
            endpoint,
            latency_ms,
            None if user_id is None else str(user_id),
            method=method,
            status_code=status,
            extra=extra,
        )
        self._context.metrics.record_request(
            endpoint, method, status, latency_ms, traffic=self._traffic(kept_trace)
        )
        if (key_id := self.record.facts.get("key_id")) is not None:
            self._context.usage.note(KeyId(str(key_id)), self._use(status))

    def _use(self, status: int) -> KeyUse:
        return KeyUse(
            requests=1,
            refusals=int(status >= FIRST_REFUSAL),
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            render_us=self._render_us(),
        )

    def _render_us(self) -> int:
        render_ms = self.record.facts.get("render_ms")
        return round(render_ms * 1000) if isinstance(render_ms, float) else 0

    def _traffic(self, kept_trace: str) -> RequestTraffic:
        facts = self.record.facts
        return RequestTraffic(
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            rpc_method=str(facts.get("rpc_method", "")),
            rpc_outcome=str(facts.get("error_code", "ok")),
            rpc_lane=str(facts.get("lane", "")),
            kept_trace=kept_trace,
        )

    def _finish(self, span: Span, outcome: Mapping[str, str | int]) -> bool:
        facts = {
            **self.record.facts,
            **outcome,
            "scheme": self._scope.get("scheme", "http"),
            "request_id": self.record.request_id,
        }
        return self._context.tracer.finish(span, facts, is_known="caller" in self._scope["state"])

    async def _fail(self, error: Exception) -> None:
        request_id = self.record.request_id
        endpoint = self._scope["state"].get("route", OTHER)
        self._context.logging.log_error(request_id, error, {"endpoint": endpoint})
        if self._status_sent is None:
            answer = self._context.on_error(self._scope, request_id, error)
            await answer(self._scope, self.receive, self.send)
        elif not self._complete:
            # Half an answer must not look like a whole one: the server cuts the connection.
            self._status = SERVER_FAULT
            raise error

    def _headers(self, given: Iterable[Header]) -> list[Header]:
        given = list(given)
        names = tuple([name for name, _ in given])
        added = self._context.added_to(names)
        if added is None:
            given = [header for header in given if header[0].lower() != _REQUEST_ID]
            added = self._context.added_to(tuple([name for name, _ in given])) or ()
        return [*given, (_REQUEST_ID, self.record.request_id.encode("ascii")), *added]


def _proposed_id(headers: Iterable[Header]) -> str | None:
    proposed: bytes | None = None
    for name, value in headers:
        if name == _REQUEST_ID:
            if proposed is not None:
                return None  # two of them: whoever reads the logs could not tell which
            proposed = value
    return None if proposed is None else accept_request_id(proposed.decode("latin-1"))
