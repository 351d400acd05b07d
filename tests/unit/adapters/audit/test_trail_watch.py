"""
The audit trail seen from outside: counts, lines in the log, health.
"""

from copy import replace
from datetime import UTC, datetime, timedelta

from ctxfy.adapters.audit.audit_probe import AuditProbe
from ctxfy.adapters.audit.trail_watch import TrailWatch
from ctxfy.core.models.audit_models import AuditEvent, Fate, TrailState
from ctxfy.core.models.monitoring_models import HealthStatus, LogLevel
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACT = AuditEvent(action="key_created", at=NOON)
READ = AuditEvent(action="prompts_listed", at=NOON)
WELL = TrailState(waiting=0, spooled_bytes=0, is_away=False, lost=0, checkpoint_age=timedelta())


def test_every_event_is_counted_and_acts_are_logged() -> None:
    """
    By what became of them; a lost one is an error.
    """
    logging, metrics = RecordingLogging(), RecordingMetrics()
    watch = TrailWatch(logging=logging, metrics=metrics, logged="acts")
    watch.told(Fate.STORED, [ACT, READ])
    watch.told(Fate.LOST, [READ])
    watch.committed(0.1)
    assert metrics.audit_events == {Fate.STORED: 2, Fate.LOST: 1}
    assert metrics.audit_commits == 1
    assert [
        (name, fields["action"], fields["fate"], fields["level"]) for name, fields in logging.events
    ] == [
        ("audit_event_kept", "key_created", "stored", LogLevel.INFO),
        ("audit_event_lost", "prompts_listed", "lost", LogLevel.ERROR),
    ]


async def test_the_probe_fails_for_as_long_as_events_are_lost() -> None:
    """
    From the first loss of an outage until the database is back, and not after.
    """
    state = WELL
    probe = AuditProbe(lambda: state, most_waiting=100, strict=True)
    seen = []
    for change in (
        {},
        {"is_away": True},
        {"lost": 2},
        {},
        {"is_away": False},
        {},
    ):
        state = replace(state, **change)
        seen.append((await probe.check()).status)
    well, doubtful, bad = HealthStatus.PASS, HealthStatus.WARN, HealthStatus.FAIL
    assert seen == [well, doubtful, bad, bad, doubtful, well]
