"""
Whether traces arrive is known while they do not.
"""

import os
import threading
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from ctxfy.adapters.monitoring.otlp_spans import SpanForm
from ctxfy.adapters.monitoring.span_export import LONG_SECONDS, SpanExport
from ctxfy.adapters.monitoring.tracer import Tracer
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging, RecordingMetrics


PATIENCE_SECONDS = 20


class SlowCollector:
    """
    Takes a delivery when it is let, and then does with it what it is told.
    """

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()
        self.takes = True

    def export(self, spans: Sequence[ReadableSpan], /) -> SpanExportResult:
        """
        Wait.
        """
        self.asked.set()
        assert self.may_answer.wait(PATIENCE_SECONDS)
        return SpanExportResult.SUCCESS if self.takes else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """
        Answer what is still asked.
        """
        self.may_answer.set()


def test_a_collector_that_is_slow_or_refuses_is_noticed() -> None:
    """
    While a delivery takes too long, and after one was refused, until one is taken.
    """
    clock, collector, metrics = FakeClock(), SlowCollector(), RecordingMetrics()
    export = SpanExport(
        collector,
        SpanForm(service="ctxfy", version="1", instance="one"),
        logging=RecordingLogging(),
        metrics=metrics,
        monotonic=clock,
        pause_seconds=0.001,
    )
    verdicts = [export.is_delivering]
    export.start()
    for times, takes in enumerate((False, True), start=1):
        collector.asked.clear()
        collector.takes = takes
        collector.may_answer.clear()
        _offer(export, clock)
        assert collector.asked.wait(PATIENCE_SECONDS)
        clock.now += LONG_SECONDS + 1
        verdicts.append(export.is_delivering)
        collector.may_answer.set()
        _wait_until_told(metrics, times)
        verdicts.append(export.is_delivering)
    export.close()
    assert verdicts == [True, False, False, False, True]


def _offer(export: SpanExport, clock: FakeClock) -> None:
    tracer = Tracer(export, ratio=1.0, monotonic=clock, now_ns=lambda: 1, random_bytes=os.urandom)
    with tracer.begin(()) as span:
        clock.now += 1
    tracer.finish(span, {}, is_known=True)


def _wait_until_told(metrics: RecordingMetrics, times: int) -> None:
    # The thread that delivers tells nobody else when it is done.
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.01)):
        if metrics.spans.total() == times:
            return
        pause.wait(0.01)
    message = "it never told of the delivery"
    raise AssertionError(message)
