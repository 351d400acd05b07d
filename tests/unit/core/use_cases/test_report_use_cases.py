"""
The compliance report: numbers about keys and acts.
"""

from copy import replace
from datetime import UTC, datetime, timedelta

from ctxfy.core.models.audit_models import AuditEvent, AuditRecord, Fault, Verdict
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    Scope,
)
from ctxfy.core.use_cases.report_use_cases import (
    MAX_DAYS,
    MAX_ERASURES,
    ReportData,
    Tally,
    compile_report,
)


END = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = END - timedelta(days=30)
KEY = ApiKeyInfo(
    key_id=KeyId("k"),
    api_key=ApiKeyDigest("d" * 64),
    user_id="ann",
    created_at=END - timedelta(days=1),
    last_used_at=END,
    expires_at=END + timedelta(days=1),
)


def record(event: AuditEvent, *, user_id: str | None = None, readable: bool = True) -> AuditRecord:
    """
    Make a record of an event.
    """
    return AuditRecord(
        chain="main", seq=1, hash=b"", event=event, user_id=user_id, is_readable=readable
    )


def report(*records: AuditRecord, keys: list[ApiKeyInfo] | None = None) -> ReportData:
    """
    Compile a report of these.
    """
    tally = Tally()
    for each in records:
        tally.add(each)
    fault = Fault(chain="main", seq=7, reason="the event is missing")
    verdict = Verdict(events=9, chains=1, faults=(fault,))
    return compile_report(tally, keys or [], verdict, since=START, until=END, pepper_id=1)


def test_events_are_counted_by_what_they_were() -> None:
    """
    By action, by outcome, refusals of strangers by reason, and what cannot be read any more.
    """
    told = report(
        record(AuditEvent(action="prompt_executed", at=END)),
        record(AuditEvent(action="prompt_executed", at=END, outcome="scope"), readable=False),
        record(
            AuditEvent(
                action="strangers_refused",
                at=END,
                outcome="refused",
                details={"outcomes": {"unknown": 3, "malformed": "x"}},
            )
        ),
        record(AuditEvent(action="strangers_refused", at=END, outcome="refused")),
    )
    assert told["events"] == {
        "count": 4,
        "by_action": {"prompt_executed": 2, "strangers_refused": 2},
        "by_outcome": {"ok": 1, "refused": 2, "scope": 1},
        "unreadable": 1,
        "strangers_refused": {"unknown": 3},
        "failures_by_reason": {"unknown": 3, "scope": 1},
        "by_day": [{"day": "2026-11-22", "ok": 1, "refused": 3}],
    }


def test_administrative_acts_are_counted_by_who_did_them() -> None:
    """
    By name, or by means where nobody logged in; refused ones and reads do not count.
    """
    created = AuditEvent(action="key_created", at=END)
    told = report(
        record(created, user_id="ann"),
        record(created, user_id="ann"),
        record(replace(created, outcome="scope"), user_id="bob"),
        record(replace(created, details={"means": "command_line"})),
        record(replace(created, action="key_shown"), user_id="bob"),
    )
    assert told["administrative_acts"] == {"ann": 2, "command_line": 1}
    assert told["administrative_acts_by_action"] == {"key_created": 3}


def test_erasures_are_told_by_their_time_alone() -> None:
    """
    Whose they were is what was erased; those that were refused were none.
    """
    erased = AuditEvent(action="person_erased", at=END)
    told = report(record(erased, user_id="ann"), record(replace(erased, outcome="unavailable")))
    assert told["erasures"] == [END.isoformat()]


def test_the_days_and_the_erasures_are_bounded() -> None:
    """
    However long the period is.
    """
    erased = AuditEvent(action="person_erased", at=END)
    told = report(
        *(record(replace(erased, at=END - timedelta(days=day))) for day in range(MAX_DAYS + 5))
    )
    assert len(told["events"]["by_day"]) == MAX_DAYS
    assert len(told["erasures"]) == MAX_ERASURES
    assert told["events"]["count"] == MAX_DAYS + 5


def test_a_control_asks_for_a_look_where_the_report_has_something_to_say() -> None:
    """
    All is good in a report without findings but for the trail, which has a fault here.
    """
    calm = {each["control"]: each["state"] for each in report(keys=[KEY])["controls"]}
    assert {control for control, state in calm.items() if state == "look"} == {
        "NIST PR.PS-04",
        "NIST DE.AE-03",
    }
    admin = replace(KEY, scope=Scope.ADMIN, last_used_at=None, expires_at=None, pepper_id=2)
    refused = record(AuditEvent(action="key_created", at=END, outcome="scope"))
    states = [each["state"] for each in report(refused, keys=[admin] * 3)["controls"]]
    assert states == ["look"] * 7 + ["good"]


def test_keys_are_sorted_by_what_should_be_looked_at() -> None:
    """
    Live keys that were never used, are old, have no end or an old pepper are named by their ids.
    """
    keys = [
        KEY,
        replace(KEY, key_id=KeyId("unused"), last_used_at=None),
        replace(KEY, key_id=KeyId("old"), created_at=END - timedelta(days=91)),
        replace(KEY, key_id=KeyId("endless"), expires_at=None, scope=Scope.ADMIN),
        replace(KEY, key_id=KeyId("pepper"), pepper_id=2),
        replace(KEY, key_id=KeyId("over"), expires_at=END, last_used_at=None),
        replace(KEY, key_id=KeyId("gone"), status=KeyStatus.REVOKED, expires_at=END),
    ]
    assert report(keys=keys)["keys"] == {
        "count": 7,
        "by_status": {"active": 5, "expired": 1, "revoked": 1},
        "live_by_scope": {"admin": 1, "read": 4},
        "live_by_age": {
            "under 7 days": {"admin": 1, "read": 3},
            "7 to 30 days": {},
            "30 to 90 days": {},
            "over 90 days": {"read": 1},
        },
        "never_used": ["unused"],
        "older_than_90_days": ["old"],
        "without_expiry": ["endless"],
        "under_old_pepper": ["pepper"],
    }


def test_the_report_says_whether_the_trail_is_whole() -> None:
    """
    The verdict is part of it, with every fault and its place.
    """
    told = report()
    assert told["period"] == {"since": START.isoformat(), "until": END.isoformat()}
    assert told["trail"] == {
        "valid": False,
        "events": 9,
        "chains": 1,
        "faults": [{"chain": "main", "seq": 7, "reason": "the event is missing"}],
    }
