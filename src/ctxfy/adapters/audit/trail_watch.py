"""
Shows the audit trail to the outside (AuditWatcherPort): counts, and lines in the log.

The log is a second place for events: whoever has the database does not have it, and the hash of
each line is that of the row.
"""

from collections.abc import Sequence

from ctxfy.core.models.audit_models import AuditEvent, Fate, StoredEvent
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.trail_use_cases import LoggedEvents, is_logged, line_of


class TrailWatch:
    """
    Counts every event, and writes those to the log that are meant to be there.

    Args:
        logged: Which events have a line in the log.
    """

    def __init__(self, *, logging: LoggingPort, metrics: MetricsPort, logged: LoggedEvents) -> None:
        self._logging = logging
        self._metrics = metrics
        self._logged: LoggedEvents = logged

    def committed(self, seconds: float) -> None:
        """
        Measure a transaction.
        """
        self._metrics.record_audit_commit(seconds)

    def told(self, fate: Fate, events: Sequence[AuditEvent | StoredEvent]) -> None:
        """
        Count events, and write their lines.
        """
        self._metrics.record_audit_events(fate, len(events))
        is_lost = fate is Fate.LOST
        name = "audit_event_lost" if is_lost else "audit_event_kept"
        level = LogLevel.ERROR if is_lost else LogLevel.INFO
        for event in events:
            if is_logged(event.action, fate, self._logged):
                self._logging.log_event(name, level=level, **line_of(event, fate))
