"""
A collector of traces: takes OTLP over HTTP on a port of this machine, and remembers every span.

Run as a program, it says its port (one can be given) and serves until it is killed, so that it can
be frozen too.
"""

import gzip
import ssl
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import override

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue


PATIENCE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """
    A span as it came over the wire.
    """

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    state: str
    seconds: float
    failed: bool
    attributes: Mapping[str, str | int]
    links: tuple[tuple[str, str], ...]
    resource: Mapping[str, str | int]


@dataclass(slots=True)
class Collector:
    """
    What a collector was sent.

    Attributes:
        status: What it answers.
        headers: Of each delivery, names in small letters.
        paths: Where they were sent.
        raw: The deliveries as they came, unpacked.
    """

    port: int = 0
    status: int = 200
    spans: list[ReceivedSpan] = field(default_factory=list[ReceivedSpan])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    paths: list[str] = field(default_factory=list[str])
    raw: list[bytes] = field(default_factory=list[bytes])
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, body: bytes, path: str, headers: Mapping[str, str]) -> None:
        """
        Remember a delivery.
        """
        with self.changed:
            self.paths.append(path)
            self.headers.append({name.lower(): value for name, value in headers.items()})
            self.raw.append(gzip.decompress(body))
            if self.status == 200:
                self.spans += _spans_in(ExportTraceServiceRequest.FromString(self.raw[-1]))
            self.changed.notify_all()

    def wait_until(self, holds: Callable[["Collector"], bool]) -> None:
        """
        Wait for deliveries until something is true of what came.
        """
        with self.changed:
            assert self.changed.wait_for(lambda: holds(self), PATIENCE_SECONDS)

    def trace_of(self, request_id: str) -> Sequence[ReceivedSpan]:
        """
        Wait for the trace of a request, and give its spans, the request first.
        """
        self.wait_until(lambda _: self._root(request_id) is not None)
        root = self._root(request_id)
        assert root is not None
        # A request's spans come in one delivery.
        below = [each for each in self.spans if each.trace_id == root.trace_id and each is not root]
        return [root, *below]

    def _root(self, request_id: str) -> ReceivedSpan | None:
        roots = [
            each for each in self.spans if each.attributes.get("ctxfy.request.id") == request_id
        ]
        return roots[0] if roots else None


def _spans_in(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            name=span.name,
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            kind=span.kind,
            state=span.trace_state,
            seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
            failed=span.status.code == span.status.STATUS_CODE_ERROR,
            attributes=_plain(span.attributes),
            links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
            resource=_plain(resource.resource.attributes),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _plain(attributes: Sequence[KeyValue]) -> dict[str, str | int]:
    return {
        each.key: each.value.int_value
        if each.value.HasField("int_value")
        else each.value.string_value
        for each in attributes
    }


@contextmanager
def collecting(*, port: int = 0, tls: ssl.SSLContext | None = None) -> Generator[Collector]:
    """
    Run a collector.
    """
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.take(body, self.path, dict(self.headers.items()))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(collector.status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        @override
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        collector.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


if __name__ == "__main__":
    with collecting(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0) as running:
        sys.stdout.write(f"{running.port}\n")
        sys.stdout.flush()
        threading.Event().wait()
