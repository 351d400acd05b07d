"""
The audit trail as operators see it: which events are written to the log too, and how the writer is.
"""

from copy import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from ctxfy.core.models.audit_models import AuditEvent, Fate, StoredEvent, TrailState
from ctxfy.core.models.monitoring_models import CheckResult
from ctxfy.core.use_cases.monitoring_use_cases import bad, doubtful, good
from ctxfy.core.use_cases.report_use_cases import ADMINISTRATIVE


type LoggedEvents = Literal["off", "acts", "all"]

CHECKPOINT_OVERDUE = timedelta(hours=2)
_NAME = "audit"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def is_logged(action: str, fate: Fate, logged: LoggedEvents) -> bool:
    """
    Decide whether an event is written to the log as well.

    What could be kept nowhere else is; what was spooled was written then.
    """
    if logged == "off" or fate is Fate.RECOVERED:
        return False
    return logged == "all" or fate is Fate.LOST or action in ADMINISTRATIVE


def line_of(event: AuditEvent | StoredEvent, fate: Fate) -> dict[str, object]:
    """
    Lay out the fields of an event's log line: those of its row, but for what is sealed there.

    People are in it by their random ids, which stand for nobody once a person is erased.
    """
    fields: dict[str, object] = {
        "fate": str(fate),
        "at": _moment_of(event).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "action": event.action,
        "outcome": event.outcome,
        "request_id": event.request_id,
        "key_id": event.key_id,
        "person_id": event.person_id,
        "subject_id": event.subject_id,
        "target": event.target,
    }
    if isinstance(event, StoredEvent):
        fields |= {"chain": event.chain, "seq": event.seq, "hash": event.hash.hex()}
    return fields


def assess_trail(
    state: TrailState, *, lost_before: int, most_waiting: int, strict: bool
) -> CheckResult:
    """
    Judge how the writer of the trail is.

    Args:
        state: How it is.
        lost_before: How many events were lost when all was last well.
        most_waiting: How many may stand in line.
        strict: Whether what cannot be kept is refused.
    """
    figures = {
        "waiting": state.waiting,
        "spooled_bytes": state.spooled_bytes,
        "lost": state.lost,
        "checkpoint_age_seconds": round(state.checkpoint_age.total_seconds()),
    }
    lost = state.lost - lost_before
    return replace(_verdict(state, lost, most_waiting, strict=strict), figures=figures)


def _verdict(state: TrailState, lost: int, most_waiting: int, *, strict: bool) -> CheckResult:
    if lost and (state.is_away or state.waiting >= most_waiting):
        worst = bad if strict else doubtful
        return worst(_NAME, f"Events can be kept nowhere; {lost} were lost or refused.")
    if state.is_away:
        return doubtful(
            _NAME,
            f"The database is out of reach; {state.spooled_bytes} bytes of events wait in the"
            " spool.",
        )
    if lost:
        return doubtful(_NAME, f"Since the last look, {lost} events could not be kept.")
    if state.waiting * 2 >= most_waiting:
        return doubtful(_NAME, f"{state.waiting} events wait to be written.")
    if state.checkpoint_age > CHECKPOINT_OVERDUE:
        hours = state.checkpoint_age // timedelta(hours=1)
        return doubtful(_NAME, f"No checkpoint was signed for {hours} hours.")
    return good(_NAME, "Events are kept.")


def _moment_of(event: AuditEvent | StoredEvent) -> datetime:
    if isinstance(event, StoredEvent):
        return _EPOCH + timedelta(microseconds=event.at_us)
    return event.at.astimezone(UTC)
