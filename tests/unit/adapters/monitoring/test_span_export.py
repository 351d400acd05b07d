"""
The queue of traces and its thread, with an exporter that does as it is told.
"""

import threading
import time
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import SpanKind

from ctxfy.adapters.monitoring.otlp_spans import SpanForm
from ctxfy.adapters.monitoring.request_trace import RequestTrace, Span
from ctxfy.adapters.monitoring.span_export import SpanExport
from ctxfy.adapters.monitoring.tracer import Tracer
from ctxfy.core.models.trace_models import Step
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging, RecordingMetrics


class Line:
    """
    An exporter, and the queue in front of it. It answers `results` in turn, the last one for ever.
    """

    def __init__(self, *results: SpanExportResult | Exception, max_waiting: int = 100) -> None:
        self.results = list(results) or [SpanExportResult.SUCCESS]
        self.spans: list[ReadableSpan] = []
        self.taken = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        self.is_shut = False
        self.metrics, self.logging = RecordingMetrics(), RecordingLogging()
        self.queue = SpanExport(
            self,
            SpanForm(service="s", version="1", instance="i"),
            logging=self.logging,
            metrics=self.metrics,
            monotonic=time.monotonic,
            pause_seconds=0.01,
            max_waiting=max_waiting,
        )

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """
        Take spans, once that is allowed.
        """
        self.taken.release()
        self.open.wait()
        result = self.results.pop(0) if len(self.results) > 1 else self.results[0]
        if isinstance(result, Exception):
            raise result
        self.spans += spans
        return result

    def shutdown(self) -> None:
        """
        Note the end.
        """
        self.is_shut = True

    def offer(self, **facts: str | int) -> Span:
        """
        Offer the trace of a request with one span in it.
        """
        clock = FakeClock()
        tracer = Tracer(
            self.queue,
            ratio=1,
            monotonic=clock,
            now_ns=lambda: 1_000_000_000,
            random_bytes=lambda size: b"\x01" * size,
        )
        with tracer.begin([]) as root:
            with tracer.span(Step.STORAGE, operation="read", system="sqlite", secret="x"):
                clock.now += 0.25
            clock.now += 0.25
            tracer.finish(root, facts, is_known=True)
        return root


def test_what_waits_at_the_end_is_sent() -> None:
    """
    And counted; a queue that is closed has nothing left.
    """
    line = Line()
    line.offer(method="GET", endpoint="/prompts", status_code=200, user_id="ann", key_id="k")
    line.queue.start()
    line.queue.close()
    request, storage = line.spans
    assert (request.name, request.kind) == ("GET /prompts", SpanKind.SERVER)
    assert request.attributes == {
        "http.request.method": "GET",
        "http.route": "/prompts",
        "http.response.status_code": 200,
    }
    assert (storage.name, storage.kind) == ("storage read", SpanKind.CLIENT)
    assert storage.attributes == {
        "ctxfy.storage.operation": "read",
        "db.system.name": "sqlite",
    }
    assert (storage.start_time, storage.end_time) == (1_000_000_000, 1_250_000_000)
    assert (request.start_time, request.end_time) == (1_000_000_000, 1_500_000_000)
    assert line.metrics.spans == {"exported": 2}
    assert line.is_shut


def test_an_outage_is_told_of_at_its_beginning_and_at_its_end() -> None:
    """
    Once each, however many deliveries fail, and whatever they fail of.
    """
    line = Line(SpanExportResult.FAILURE, OSError("no route"), SpanExportResult.SUCCESS)
    line.queue.start()
    for _ in range(3):
        line.offer()
        assert line.taken.acquire(timeout=10)
    line.queue.close()
    assert [event for event, _ in line.logging.events] == [
        "trace_collector_lost",
        "trace_collector_found",
    ]
    assert line.metrics.spans == {"not_delivered": 4, "exported": 2}


def test_a_full_queue_takes_no_more() -> None:
    """
    Whoever offers does not wait; what there is no room for is counted.
    """
    line = Line(max_waiting=2)
    for _ in range(5):
        line.offer()
    assert line.metrics.spans == {"queue_full": 6}


def test_an_exporter_that_hangs_holds_nobody_up() -> None:
    """
    The end waits as long as it was told; what is left and what is on the way is counted, once.
    """
    line = Line()
    line.open.clear()
    line.queue.start()
    line.offer()
    assert line.taken.acquire(timeout=10)
    line.offer()
    line.queue.close(seconds=0.05)
    assert (line.metrics.spans, line.is_shut) == ({"shutdown": 4}, True)
    line.open.set()


def test_spans_that_were_too_many_are_counted() -> None:
    """
    Beside those that were sent.
    """
    line = Line()
    root = line.offer()
    root.trace.dropped = 7
    line.queue.start()
    line.queue.close()
    assert line.metrics.spans == {"exported": 2, "too_many": 7}


@pytest.mark.parametrize(
    ("facts", "name", "error"),
    [
        ({"method": "GET", "endpoint": "other", "status_code": 404}, "GET", None),
        ({"method": "POST", "endpoint": "/mcp", "status_code": 500}, "POST /mcp", "500"),
    ],
)
def test_a_request_is_named_by_its_route(
    facts: dict[str, str | int], name: str, error: str | None
) -> None:
    """
    If it has one; a server's fault fails its span, a client's does not.
    """
    line = Line()
    trace = line.offer(**facts).trace
    request = next(SpanForm(service="s", version="1", instance="i").of(trace))
    assert request.name == name
    assert (request.attributes or {}).get("error.type") == error
    assert request.status.is_ok is (error is None)


def test_every_step_has_a_name() -> None:
    """
    None is exported without one.
    """
    form = SpanForm(service="s", version="1", instance="i")
    trace = RequestTrace(
        None, random_bytes=b"\x01" * 24, monotonic=FakeClock(), began_ns=1_000_000_000
    )
    with Span(trace, None, {}):
        for step in Step:
            with Span(trace, step, {}):
                pass
    assert all(span.name for span in list(form.of(trace))[1:])
