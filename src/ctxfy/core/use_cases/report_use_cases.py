"""
The compliance report: what an auditor asks about keys and acts, in numbers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypedDict

from ctxfy.core.models.audit_models import AuditRecord, Verdict
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import is_expired


OLD = timedelta(days=90)
MAX_ACTORS = 100


@dataclass(slots=True)
class Tally:
    """
    Counts over the events of a period; fed one at a time, so that none has to be held.

    Attributes:
        strangers: Refusals of callers that are not known, by outcome.
        admins: Acts on keys, people and the trail, by who did them.
    """

    events: int = 0
    actions: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    strangers: Counter[str] = field(default_factory=Counter[str])
    admins: Counter[str] = field(default_factory=Counter[str])
    unreadable: int = 0

    def add(self, record: AuditRecord) -> None:
        """
        Count one event.
        """
        event = record.event
        self.events += 1
        self.actions[event.action] += 1
        self.outcomes[event.outcome] += 1
        self.unreadable += not record.is_readable
        if event.action == "strangers_refused":
            self.strangers.update(_counts(event.details.get("outcomes")))
        if event.action in ADMINISTRATIVE and event.outcome == "ok":
            self.admins[record.user_id or str(event.details.get("means", "unknown"))] += 1


ADMINISTRATIVE = frozenset(
    {
        "audit_exported",
        "audit_pruned",
        "key_created",
        "key_disabled",
        "key_enabled",
        "key_reported_leaked",
        "key_revoked",
        "key_rotated",
        "master_key_changed",
        "person_erased",
        "person_exported",
        "prompts_reloaded",
    }
)


class PeriodData(TypedDict):
    """
    From when to when.
    """

    since: str
    until: str


class TrailData(TypedDict):
    """
    Whether the whole trail is as it was written.
    """

    valid: bool
    events: int
    chains: int
    faults: list[dict[str, str | int]]


class EventsData(TypedDict):
    """
    The events of the period, counted.
    """

    count: int
    by_action: dict[str, int]
    by_outcome: dict[str, int]
    unreadable: int
    strangers_refused: dict[str, int]


class KeysData(TypedDict):
    """
    The keys as they are at the end of the period; lists name them by their ids.
    """

    count: int
    by_status: dict[str, int]
    live_by_scope: dict[str, int]
    never_used: list[str]
    older_than_90_days: list[str]
    without_expiry: list[str]
    under_old_pepper: list[str]


class ReportData(TypedDict):
    """
    The whole report.
    """

    period: PeriodData
    trail: TrailData
    events: EventsData
    administrative_acts: dict[str, int]
    keys: KeysData


def compile_report(
    tally: Tally,
    keys: Iterable[ApiKeyInfo],
    verdict: Verdict,
    *,
    since: datetime,
    until: datetime,
    pepper_id: int,
) -> ReportData:
    """
    Put the report together, as JSON data.

    Args:
        tally: The events of the period, counted.
        keys: All keys there are.
        verdict: What came of verifying the whole trail.
        since: The first moment of the period.
        until: The first moment after it.
        pepper_id: The pepper in use; keys under another one wait to be used once.
    """
    return {
        "period": {"since": since.isoformat(), "until": until.isoformat()},
        "trail": {
            "valid": verdict.is_valid,
            "events": verdict.events,
            "chains": verdict.chains,
            "faults": [
                {"chain": fault.chain, "seq": fault.seq, "reason": fault.reason}
                for fault in verdict.faults
            ],
        },
        "events": {
            "count": tally.events,
            "by_action": dict(sorted(tally.actions.items())),
            "by_outcome": dict(sorted(tally.outcomes.items())),
            "unreadable": tally.unreadable,
            "strangers_refused": dict(sorted(tally.strangers.items())),
        },
        "administrative_acts": dict(tally.admins.most_common(MAX_ACTORS)),
        "keys": _keys(list(keys), until, pepper_id),
    }


def _keys(keys: list[ApiKeyInfo], at: datetime, pepper_id: int) -> KeysData:
    live = [info for info in keys if info.status is KeyStatus.ACTIVE and not is_expired(info, at)]
    return {
        "count": len(keys),
        "by_status": dict(sorted(Counter(_state(info, at) for info in keys).items())),
        "live_by_scope": dict(sorted(Counter(str(info.scope) for info in live).items())),
        "never_used": _ids(info for info in live if info.last_used_at is None),
        "older_than_90_days": _ids(info for info in live if at - info.created_at > OLD),
        "without_expiry": _ids(info for info in live if info.expires_at is None),
        "under_old_pepper": _ids(info for info in live if info.pepper_id != pepper_id),
    }


def _state(info: ApiKeyInfo, at: datetime) -> str:
    expired = info.status is KeyStatus.ACTIVE and is_expired(info, at)
    return "expired" if expired else str(info.status)


def _ids(keys: Iterable[ApiKeyInfo]) -> list[str]:
    return sorted(info.key_id for info in keys)


def _counts(value: object) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {str(name): count for name, count in value.items() if isinstance(count, int)}
