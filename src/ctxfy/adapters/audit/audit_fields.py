"""
Events, verdicts and checkpoints as JSON data and as rows of a table, for REST and the commands.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

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


def plain_record(record: AuditRecord) -> dict[str, object]:
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
    plain = plain_record(record)
    plain["details"] = json.dumps(plain["details"], ensure_ascii=False)
    return [_cell(plain[column]) for column in COLUMNS]


def plain_verdict(verdict: Verdict, faults: Sequence[Fault] = ()) -> dict[str, object]:
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


def plain_checkpoint(signed: SignedCheckpoint) -> dict[str, str]:
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


def _plain_fault(fault: Fault) -> Mapping[str, object]:
    return {"chain": fault.chain, "seq": fault.seq, "reason": fault.reason}


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    # A spreadsheet would take these for the beginning of a formula.
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
