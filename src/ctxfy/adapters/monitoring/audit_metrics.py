"""
Metrics of the audit trail and of its writer.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ctxfy.adapters.monitoring.bounded_labels import BoundedLabels
from ctxfy.core.models.audit_models import Fate, TrailState


_SECOND = timedelta(seconds=1)


class AuditMetrics:
    """
    What became of events, and how the writer is.

    Args:
        counter: Makes a counter: name, text, label.
        buckets: Upper bounds of commits, seconds.

    Attributes:
        events: By their fate.
        commit_seconds: Of each transaction.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        counter: Callable[[str, str, str], BoundedLabels[Counter]],
        buckets: Sequence[float],
    ) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self.events = counter(
            "ctxfy_audit_events", "Events of the audit trail, by what became of them", "fate"
        )
        for fate in Fate:
            self.events.of(fate)  # from the start, so that the first one lost is an increase
        self.commit_seconds = Histogram(
            "ctxfy_audit_commit_duration_seconds",
            "Time to commit a transaction that keeps events",
            registry=registry,
            buckets=buckets,
        )
        self._waiting = gauge("ctxfy_audit_waiting_events", "Events in line to be written")
        self._spool_bytes = gauge(
            "ctxfy_audit_spool_bytes", "Events that wait in the spool for the database"
        )
        self._away = gauge("ctxfy_audit_away", "1 while the database is out of reach for events")
        self._checkpoint_age = gauge(
            "ctxfy_audit_checkpoint_age_seconds",
            "Since the last checkpoint was signed, or since the start",
        )

    def watch(self, state: Callable[[], TrailState]) -> None:
        """
        Have `state` asked at every scrape.
        """
        self._waiting.set_function(lambda: state().waiting)
        self._spool_bytes.set_function(lambda: state().spooled_bytes)
        self._away.set_function(lambda: state().is_away)
        self._checkpoint_age.set_function(lambda: state().checkpoint_age / _SECOND)
