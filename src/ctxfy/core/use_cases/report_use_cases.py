"""
The compliance report: what an auditor asks about keys and acts, in numbers.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypedDict

from ctxfy.core.models.audit_models import AuditEvent, AuditRecord, Verdict
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Scope
from ctxfy.core.use_cases.auth_use_cases import is_expired


OLD = timedelta(days=90)
MAX_ACTORS = 100
MAX_DAYS = 400
MAX_ERASURES = 100
AGES = (
    ("under 7 days", timedelta(days=7)),
    ("7 to 30 days", timedelta(days=30)),
    ("30 to 90 days", OLD),
    ("over 90 days", timedelta.max),
)
"""
Names of the ages of keys, and where each ends.
"""


@dataclass(slots=True)
class Tally:
    """
    Counts over the events of a period; fed one at a time, so that none has to be held.

    Attributes:
        strangers: Refusals of callers that are not known, by outcome.
        admins: Acts on keys, people and the trail, by who did them.
        acts: The same by what was done.
        days: How many events were `ok` and how many were not, by day in UTC; bounded.
        erasures: When people were erased; bounded.
    """

    events: int = 0
    actions: Counter[str] = field(default_factory=Counter[str])
    outcomes: Counter[str] = field(default_factory=Counter[str])
    strangers: Counter[str] = field(default_factory=Counter[str])
    admins: Counter[str] = field(default_factory=Counter[str])
    acts: Counter[str] = field(default_factory=Counter[str])
    days: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    erasures: list[str] = field(default_factory=list[str])
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
        self._count_day(event)
        if event.action == "strangers_refused":
            self.strangers.update(_counts(event.details.get("outcomes")))
        if event.action in ADMINISTRATIVE and event.outcome == "ok":
            self.admins[record.user_id or str(event.details.get("means", "unknown"))] += 1
            self.acts[event.action] += 1
            if event.action == "person_erased" and len(self.erasures) < MAX_ERASURES:
                self.erasures.append(event.at.isoformat())

    def _count_day(self, event: AuditEvent) -> None:
        day = event.at.date().isoformat()
        if day in self.days or len(self.days) < MAX_DAYS:
            ended = "ok" if event.outcome == "ok" else "refused"
            self.days.setdefault(day, Counter())[ended] += 1


ADMINISTRATIVE = frozenset(
    {
        "audit_exported",
        "audit_pruned",
        "data_pruned",
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


class DayData(TypedDict):
    """
    The events of a day in UTC: those that were done, and those that were refused or failed.
    """

    day: str
    ok: int
    refused: int


class EventsData(TypedDict):
    """
    The events of the period, counted.
    """

    count: int
    by_action: dict[str, int]
    by_outcome: dict[str, int]
    unreadable: int
    strangers_refused: dict[str, int]
    failures_by_reason: dict[str, int]
    by_day: list[DayData]


class ControlData(TypedDict):
    """
    What the report shows of a control of a known framework.
    """

    control: str
    title: str
    shown_by: str
    state: Literal["good", "look"]


class KeysData(TypedDict):
    """
    The keys as they are at the end of the period; lists name them by their ids.
    """

    count: int
    by_status: dict[str, int]
    live_by_scope: dict[str, int]
    live_by_age: dict[str, dict[str, int]]
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
    administrative_acts_by_action: dict[str, int]
    erasures: list[str]
    keys: KeysData
    controls: list[ControlData]


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
    found = _keys(list(keys), until, pepper_id)
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
            "failures_by_reason": dict(_failures(tally).most_common()),
            "by_day": [
                {"day": day, "ok": counts["ok"], "refused": counts["refused"]}
                for day, counts in sorted(tally.days.items())
            ],
        },
        "administrative_acts": dict(tally.admins.most_common(MAX_ACTORS)),
        "administrative_acts_by_action": dict(sorted(tally.acts.items())),
        "erasures": tally.erasures,
        "keys": found,
        "controls": controls_shown(found, tally, verdict),
    }


def controls_shown(keys: KeysData, tally: Tally, verdict: Verdict) -> list[ControlData]:
    """
    Map what was found to controls of NIST CSF 2.0 and the OWASP API Security Top 10 (2023).

    A control is `look` where something of the report asks for a person's look; `good` says that
    nothing here does, not that the control is met.
    """

    def shown(control: str, title: str, by: str, *, good: bool) -> ControlData:
        return {
            "control": control,
            "title": title,
            "shown_by": by,
            "state": "good" if good else "look",
        }

    idle = [*keys["never_used"], *keys["older_than_90_days"]]
    admins = keys["live_by_scope"].get(str(Scope.ADMIN), 0)
    return [
        shown(
            "NIST PR.AA-01",
            "Identities and credentials are managed",
            "keys by age; keys never used or older than 90 days",
            good=not idle,
        ),
        shown(
            "NIST PR.AA-05",
            "Permissions follow least privilege",
            f"live keys by scope; {admins} of them are admin",
            good=admins * 2 <= max(2, sum(keys["live_by_scope"].values())),
        ),
        shown(
            "NIST PR.DS-01",
            "Data at rest is protected",
            "keys that still wait for the pepper in use",
            good=not keys["under_old_pepper"],
        ),
        shown(
            "NIST PR.PS-04",
            "Log records are kept and are whole",
            "verification of every chain of the trail",
            good=verdict.is_valid,
        ),
        shown(
            "NIST DE.AE-03",
            "Events are correlated and can be read",
            f"events by action and outcome; details of {tally.unreadable} are gone",
            good=verdict.is_valid,
        ),
        shown(
            "OWASP API2",
            "Broken authentication",
            "failures by reason; keys without an end",
            good=not keys["without_expiry"],
        ),
        shown(
            "OWASP API5",
            "Broken function level authorization",
            "requests refused for their scope",
            good=not tally.outcomes["scope"],
        ),
        shown(
            "GDPR Art. 17",
            "Right to erasure",
            f"erasures of people: {tally.acts['person_erased']}",
            good=True,
        ),
    ]


def _failures(tally: Tally) -> Counter[str]:
    """
    Count what did not go well by its reason; the folded refusals of strangers by theirs.
    """
    reasons = Counter({reason: count for reason, count in tally.outcomes.items() if reason != "ok"})
    del reasons["refused"]  # the folds: each is counted by what is in it
    return reasons + tally.strangers


def _ages(live: Iterable[ApiKeyInfo], at: datetime) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {name: Counter() for name, _ in AGES}
    for info in live:
        age = next(name for name, end in AGES if at - info.created_at <= end)
        found[age][str(info.scope)] += 1
    return {name: dict(sorted(counts.items())) for name, counts in found.items()}


def _keys(keys: list[ApiKeyInfo], at: datetime, pepper_id: int) -> KeysData:
    live = [info for info in keys if info.status is KeyStatus.ACTIVE and not is_expired(info, at)]
    return {
        "count": len(keys),
        "by_status": dict(sorted(Counter(_state(info, at) for info in keys).items())),
        "live_by_scope": dict(sorted(Counter(str(info.scope) for info in live).items())),
        "live_by_age": _ages(live, at),
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
