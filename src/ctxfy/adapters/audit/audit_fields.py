"""
Events, verdicts and checkpoints as JSON data and as rows of a table, for REST and the commands.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypedDict

from pydantic import Field

from ctxfy.core.exceptions import CheckpointError
from ctxfy.core.models.audit_models import AuditRecord, Fault, SignedCheckpoint, Verdict


COLUMNS = (
    "at",
    "action",
    "outcome",
    "user_id",
    "key_id",
    "target",
    "subject",
    "request_id",
    "details",
    "readable",
    "chain",
    "seq",
    "hash",
)


type Instant = Annotated[
    str,
    Field(
        description="In UTC, to the microsecond.",
        examples=["2026-11-24T05:30:00.000001Z"],
        json_schema_extra={"format": "date-time"},
    ),
]


class EventData(TypedDict):
    """
    One event of the audit trail.
    """

    at: Instant
    action: Annotated[str, Field(description="What was done.", examples=["key_created"])]
    outcome: Annotated[str, Field(description="ok, or the code of why not.", examples=["ok"])]
    user_id: Annotated[str | None, Field(description="Who did it; empty once erased.")]
    key_id: Annotated[str | None, Field(description="With which key; null: with none.")]
    target: Annotated[str | None, Field(description="To which key or prompt it was done.")]
    subject: Annotated[str | None, Field(description="To whom it was done; empty once erased.")]
    request_id: str | None
    details: Annotated[dict[str, Any], Field(description="Names and sizes, never values.")]
    readable: Annotated[bool, Field(description="Whether the details could be opened.")]
    chain: Annotated[str, Field(description="The chain it stands in.")]
    seq: Annotated[int, Field(description="Its place in the chain.")]
    hash: Annotated[str, Field(description="SHA-256, hex.")]


class EventPageData(TypedDict):
    """
    Some of the events, the newest first.
    """

    events: list[EventData]
    next_cursor: Annotated[str | None, Field(description="Of the next page; null: none.")]


class FaultData(TypedDict):
    """
    The first thing that is wrong with a chain.
    """

    chain: str
    seq: Annotated[int, Field(description="The place of the event that is wrong or missing.")]
    reason: str


class CheckpointData(TypedDict):
    """
    How far all chains had come at a moment, signed with Ed25519.
    """

    text: str
    signature: Annotated[str, Field(description="Over the text, hex.")]


class VerdictData(TypedDict):
    """
    What came of verifying the trail.
    """

    valid: bool
    events: Annotated[int, Field(description="How many were looked at.")]
    chains: int
    first_bad: FaultData | None
    faults: Annotated[list[FaultData], Field(description="At most one for each chain.")]


class VerificationData(VerdictData):
    """
    What came of verifying the trail, and the checkpoint it was compared with too.
    """

    checkpoint: CheckpointData | None


def plain_record(record: AuditRecord) -> EventData:
    """
    Lay an event out as JSON data. An erased person's name is the empty text.
    """
    event = record.event
    return {
        "at": plain_instant(event.at),
        "action": event.action,
        "outcome": event.outcome,
        "user_id": record.user_id,
        "key_id": event.key_id,
        "target": event.target,
        "subject": record.subject,
        "request_id": event.request_id,
        "details": dict(event.details),
        "readable": record.is_readable,
        "chain": record.chain,
        "seq": record.seq,
        "hash": record.hash.hex(),
    }


def row_of_record(record: AuditRecord) -> list[str]:
    """
    Lay an event out as a row for a spreadsheet, in the order of `COLUMNS`.
    """
    plain: Mapping[str, object] = {
        **plain_record(record),
        "details": json.dumps(record.event.details, ensure_ascii=False),
    }
    return [_cell(plain[column]) for column in COLUMNS]


def plain_verdict(verdict: Verdict, faults: Sequence[Fault] = ()) -> VerdictData:
    """
    Lay a verdict out as JSON data.

    Args:
        verdict: What is wrong with the trail in itself.
        faults: What a checkpoint tells otherwise, beside what is wrong in itself.
    """
    found = [*verdict.faults, *faults]
    return {
        "valid": not found,
        "events": verdict.events,
        "chains": verdict.chains,
        "first_bad": _plain_fault(found[0]) if found else None,
        "faults": [_plain_fault(fault) for fault in found],
    }


def plain_checkpoint(signed: SignedCheckpoint) -> CheckpointData:
    """
    Lay a signed checkpoint out as JSON data.
    """
    return {"text": signed.text, "signature": signed.signature.hex()}


def read_checkpoint(plain: object) -> SignedCheckpoint:
    """
    Read what `plain_checkpoint` wrote.

    Raises:
        CheckpointError: It is none.
    """
    match plain:
        case {"text": str(text), "signature": str(signature)}:
            try:
                return SignedCheckpoint(text=text, signature=bytes.fromhex(signature))
            except ValueError as error:
                raise CheckpointError from error
        case _:
            raise CheckpointError


def plain_instant(at: datetime) -> str:
    """
    Write a moment in UTC to the microsecond.
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plain_fault(fault: Fault) -> FaultData:
    return {"chain": fault.chain, "seq": fault.seq, "reason": fault.reason}


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    # A spreadsheet would take these for the beginning of a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
