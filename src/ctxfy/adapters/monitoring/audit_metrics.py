"""
Metrics of the audit trail and of its writer.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from ctxfy.adapters.monitoring.metric_factory import MetricFactory
from ctxfy.adapters.monitoring.worker_figures import Together
from ctxfy.core.models.audit_models import Fate, TrailState


_SECOND = timedelta(seconds=1)


class AuditMetrics:
    """
    What became of events, and how the writer is.

    Attributes:
        events: By their fate.
        commit_seconds: Of each transaction.
    """

    def __init__(self, make: MetricFactory) -> None:
        self.events = make.counter(
            "ctxfy_audit_events", "Events of the audit trail, by what became of them", "fate"
        )
        for fate in Fate:
            self.events.of(fate)  # from the start, so that the first one lost is an increase
        self.commit_seconds = make.times(
            "ctxfy_audit_commit_duration_seconds", "Time to commit a transaction that keeps events"
        )
        self._waiting = make.gauge(
            "ctxfy_audit_waiting_events", "Events in line to be written", together=Together.SUM
        )
        self._spool_bytes = make.gauge(
            "ctxfy_audit_spool_bytes",
            "Events that wait in the spool for the database",
            together=Together.SUM,
        )
        self._away = make.gauge(
            "ctxfy_audit_away",
            "1 while the database is out of reach for events",
            together=Together.MOST,
        )
        self._checkpoint_age = make.gauge(
            "ctxfy_audit_checkpoint_age_seconds",
            "Since the last checkpoint was signed, or since the start",
            together=Together.FIRST,
        )
        self._faults = make.gauge(
            "ctxfy_audit_chain_faults",
            "Chains that the last verification found broken",
            together=Together.FIRST,
        )
        self._verified = make.gauge(
            "ctxfy_audit_verified_timestamp_seconds",
            "When this process last verified the whole trail; 0 before the first time",
            together=Together.FIRST,
        )

    def record_verification(self, faults: int, at: datetime) -> None:
        """
        Set what came of verifying the whole trail.
        """
        self._faults.set(faults)
        self._verified.set(at.timestamp())

    def watch(self, state: Callable[[], TrailState]) -> None:
        """
        Have `state` asked at every scrape.
        """
        self._waiting.set_function(lambda: state().waiting)
        self._spool_bytes.set_function(lambda: state().spooled_bytes)
        self._away.set_function(lambda: state().is_away)
        self._checkpoint_age.set_function(lambda: state().checkpoint_age / _SECOND)
