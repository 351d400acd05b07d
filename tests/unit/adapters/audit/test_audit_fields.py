"""
Events as data: JSON, rows for spreadsheets, checkpoints that are read back.
"""

from datetime import UTC, datetime

import pytest

from ctxfy.adapters.audit.audit_fields import (
    COLUMNS,
    plain_checkpoint,
    plain_record,
    plain_verdict,
    read_checkpoint,
    row_of_record,
)
from ctxfy.core.exceptions import CheckpointError
from ctxfy.core.models.audit_models import (
    AuditEvent,
    AuditRecord,
    Fault,
    SignedCheckpoint,
    Verdict,
)
from ctxfy.core.models.auth_models import KeyId


RECORD = AuditRecord(
    chain="main",
    seq=7,
    hash=b"\x01\xff",
    user_id="=cmd()",
    event=AuditEvent(
        action="key_created",
        at=datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC),
        key_id=KeyId("k"),
        target="t",
        details={"prompts": ["ü"]},
    ),
)


def test_a_record_is_laid_out_in_full() -> None:
    """
    Every column is there, moments to the microsecond, hashes in hex.
    """
    plain = plain_record(RECORD)
    assert tuple(plain) == COLUMNS
    assert (plain["at"], plain["hash"]) == ("2026-11-22T12:00:00.000001Z", "01ff")
    assert (plain["request_id"], plain["details"]) == (None, {"prompts": ["ü"]})


def test_a_row_is_no_formula() -> None:
    """
    A spreadsheet shows what somebody called themselves, and does not compute it.
    """
    row = dict(zip(COLUMNS, row_of_record(RECORD), strict=True))
    assert row["user_id"] == "'=cmd()"
    assert (row["details"], row["request_id"], row["seq"]) == ('{"prompts": ["ü"]}', "", "7")


def test_a_verdict_names_the_first_fault() -> None:
    """
    Faults in the trail come before those that only a checkpoint shows.
    """
    own, told = (Fault(chain="main", seq=seq, reason="r") for seq in (3, 5))
    plain = plain_verdict(Verdict(events=9, chains=1, faults=(own,)), [told])
    assert (plain["valid"], plain["first_bad"]) == (False, plain["faults"][0])
    assert [fault["seq"] for fault in plain["faults"]] == [3, 5]
    assert plain_verdict(Verdict(events=9, chains=1))["first_bad"] is None


def test_a_checkpoint_is_read_back() -> None:
    """
    What was written down is what is compared with later.
    """
    signed = SignedCheckpoint(text="text\n", signature=b"\x00\x01")
    assert read_checkpoint(plain_checkpoint(signed)) == signed


@pytest.mark.parametrize("plain", [None, [], {}, {"text": 1}, {"text": "", "signature": "xyz"}])
def test_what_is_no_checkpoint_is_refused(plain: object) -> None:
    """
    Anything else ends in one sentence.
    """
    with pytest.raises(CheckpointError):
        read_checkpoint(plain)
