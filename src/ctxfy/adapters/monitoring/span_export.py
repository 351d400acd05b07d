"""
Sends finished traces to a collector, in a thread of its own and by a bounded queue.

A collector that is gone, slow or silent costs spans, which are counted, and never a request: who
offers a trace waits for nothing.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult

from ctxfy.adapters.monitoring.otlp_spans import SpanForm
from ctxfy.adapters.monitoring.request_trace import RequestTrace
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort


MAX_WAITING = 4096
"""
The most traces that wait; at 3,000 requests a second, more than a second of them.
"""

MAX_BATCH = 64
"""
The most traces of one delivery.
"""

PAUSE_SECONDS = 0.2
"""
How long traces gather before they are sent.
"""

LONG_SECONDS = 2.0
"""
A delivery that takes longer than this is told of before it has failed.
"""

FLUSH_SECONDS = 2.0
"""
How long the end of the server waits for what is left.
"""


class Exporter(Protocol):
    """
    What sends spans; OpenTelemetry's exporters have this form.
    """

    def export(self, spans: Sequence[ReadableSpan], /) -> SpanExportResult:
        """
        Send them; may take its time.
        """
        ...

    def shutdown(self) -> None:
        """
        Give up what is being sent.
        """
        ...


class SpanExport:
    """
    A queue of traces, and the thread that empties it.

    Args:
        exporter: Sends them.
        form: Makes OpenTelemetry's spans of ours.
        monotonic: A clock in seconds that never goes back.
        pause_seconds: How long traces gather.
        max_waiting: The most traces that wait.
    """

    def __init__(
        self,
        exporter: Exporter,
        form: SpanForm,
        *,
        logging: LoggingPort,
        metrics: MetricsPort,
        monotonic: Callable[[], float],
        pause_seconds: float = PAUSE_SECONDS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._exporter = exporter
        self._form = form
        self._logging = logging
        self._metrics = metrics
        self._monotonic = monotonic
        self._pause_seconds = pause_seconds
        self._max_waiting = max_waiting
        self._waiting: deque[RequestTrace] = deque()
        self._ending = threading.Event()
        self._delivers = True
        self._abandoned = False
        self._in_flight = 0
        self._sent_at: float | None = None
        # A daemon: the process does not wait for a collector that never answers.
        self._thread = threading.Thread(target=self._run, name="ctxfy-traces", daemon=True)

    @property
    def is_delivering(self) -> bool:
        """
        Whether the collector took the last delivery, and is not long over the one under way.
        """
        sent_at = self._sent_at
        is_long = sent_at is not None and self._monotonic() - sent_at > LONG_SECONDS
        return self._delivers and not is_long

    def offer(self, trace: RequestTrace) -> None:
        """
        Take a trace, or count that there is no room.
        """
        if len(self._waiting) < self._max_waiting:
            self._waiting.append(trace)
        else:
            self._metrics.record_spans("queue_full", len(trace.spans))

    def start(self) -> None:
        """
        Begin to send.
        """
        self._thread.start()

    def close(self, seconds: float = FLUSH_SECONDS) -> None:
        """
        Send what is left, as far as that is possible in so many seconds; the rest is counted.
        """
        self._ending.set()
        self._thread.join(seconds)
        self._abandoned = self._thread.is_alive()
        self._exporter.shutdown()
        left = self._in_flight if self._abandoned else 0
        while (trace := self._next()) is not None:
            left += len(trace.spans)
        if left:
            self._metrics.record_spans("shutdown", left)

    def _run(self) -> None:
        while not self._ending.wait(self._pause_seconds):
            self._send_waiting()
        self._send_waiting()

    def _send_waiting(self) -> None:
        while not self._abandoned and (first := self._next()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH and (trace := self._next()) is not None:
                batch.append(trace)
            self._in_flight = sum(len(trace.spans) for trace in batch)
            delivered = self._deliver(batch)
            if not self._abandoned:
                self._tell(batch, delivered=delivered)

    def _next(self) -> RequestTrace | None:
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _deliver(self, batch: Sequence[RequestTrace]) -> bool:
        self._sent_at = self._monotonic()
        try:
            spans = [span for trace in batch for span in self._form.of(trace)]
            return self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception:  # noqa: BLE001 - whatever it is, the next ones are tried again
            return False
        finally:
            self._sent_at = None

    def _tell(self, batch: Sequence[RequestTrace], *, delivered: bool) -> None:
        self._metrics.record_spans("exported" if delivered else "not_delivered", self._in_flight)
        if too_many := sum(trace.dropped for trace in batch):
            self._metrics.record_spans("too_many", too_many)
        if delivered is not self._delivers:
            self._delivers = delivered
            event = "trace_collector_found" if delivered else "trace_collector_lost"
            level = LogLevel.INFO if delivered else LogLevel.WARNING
            self._logging.log_event(event, level=level)
