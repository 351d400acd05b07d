"""
Which events are written to the log, what stands there, and how the writer of the trail is judged.
"""

from copy import replace
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from ctxfy.core.models.audit_models import AuditEvent, Fate, StoredEvent, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import HealthStatus
from ctxfy.core.use_cases.trail_use_cases import (
    LoggedEvents,
    assess_trail,
    is_logged,
    line_of,
)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WELL = TrailState(
    waiting=0, spooled_bytes=0, is_away=False, lost=3, checkpoint_age=timedelta(minutes=59)
)
STORED = StoredEvent(
    chain="main",
    seq=7,
    at_us=1_795_348_800_000_001,
    action="key_revoked",
    outcome="ok",
    request_id="r-1",
    key_id="k" * 12,
    person_id="p" * 16,
    subject_id="s" * 16,
    target="t" * 12,
    seal="p" * 16,
    sealed=b"canary",
    hash=b"\x01" * 32,
)


@pytest.mark.parametrize(
    ("action", "fate", "logged", "expected"),
    [
        ("key_revoked", Fate.STORED, "acts", True),
        ("key_revoked", Fate.SPOOLED, "acts", True),
        ("key_revoked", Fate.RECOVERED, "all", False),
        ("key_revoked", Fate.STORED, "off", False),
        ("prompt_executed", Fate.STORED, "acts", False),
        ("prompt_executed", Fate.STORED, "all", True),
        ("prompt_executed", Fate.LOST, "acts", True),
        ("prompt_executed", Fate.LOST, "off", False),
    ],
)
def test_which_events_are_written_to_the_log(
    action: str, fate: Fate, logged: LoggedEvents, expected: bool
) -> None:
    """
    Acts or all, as set; each once; and what could be kept nowhere else, unless there are no lines.
    """
    assert is_logged(action, fate, logged) is expected


def test_a_line_has_every_field_of_the_row_but_what_is_sealed() -> None:
    """
    Whoever reads the log can look the row up, and compare its hash.
    """
    line = line_of(STORED, Fate.STORED)
    of_the_row = {each.name for each in fields(StoredEvent)} - {"at_us", "seal", "sealed"}
    assert line.keys() == of_the_row | {"fate", "at"}
    assert line["at"] == "2026-11-22T12:00:00.000001Z"
    assert (line["fate"], line["hash"], line["seq"]) == ("stored", "01" * 32, 7)
    assert "canary" not in str(line)


def test_a_line_of_an_event_without_a_place_leaves_its_details_out() -> None:
    """
    What waits in the spool has no place yet, and its details are sealed there too.
    """
    event = AuditEvent(
        action="key_created", at=NOON, key_id=KeyId("k" * 12), details={"name": "canary"}
    )
    line = line_of(event, Fate.SPOOLED)
    assert (line["fate"], line["at"]) == ("spooled", "2026-11-22T12:00:00.000000Z")
    assert not {"chain", "seq", "hash", "details"} & line.keys()


@pytest.mark.parametrize(
    ("changes", "strict", "status", "told"),
    [
        ({}, True, HealthStatus.PASS, "kept"),
        ({"is_away": True, "spooled_bytes": 7}, True, HealthStatus.WARN, "7 bytes"),
        ({"is_away": True, "lost": 5}, True, HealthStatus.FAIL, "2 were lost"),
        ({"waiting": 100, "lost": 4}, True, HealthStatus.FAIL, "1 were lost"),
        ({"is_away": True, "lost": 5}, False, HealthStatus.WARN, "2 were lost"),
        ({"lost": 5}, True, HealthStatus.WARN, "2 events could not"),
        ({"waiting": 50}, True, HealthStatus.WARN, "50 events wait"),
        ({"waiting": 49}, True, HealthStatus.PASS, "kept"),
        ({"checkpoint_age": timedelta(hours=3.5)}, True, HealthStatus.WARN, "for 3 hours"),
    ],
)
def test_the_writer_is_judged_by_what_becomes_of_events(
    changes: dict[str, object], strict: bool, status: HealthStatus, told: str
) -> None:
    """
    It fails only where events are lost and that refuses requests; the rest is a warning.
    """
    state = replace(WELL, **changes)  # type: ignore[arg-type]
    result = assess_trail(state, lost_before=3, most_waiting=100, strict=strict)
    assert (result.name, result.status) == ("audit", status)
    assert told in result.detail
    assert result.figures["lost"] == state.lost
