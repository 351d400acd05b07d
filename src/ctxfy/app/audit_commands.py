"""
`ctxfy audit`: works on the store directly, whether a server runs or not.
"""

import asyncio
import csv
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.audit_models import COMMAND_LINE, AuditFilter, AuditRecord, Verdict
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.validation_use_cases import plural


if TYPE_CHECKING:
    from ctxfy.app.bootstrap import Storage

app = App(name="audit", help="Read the audit trail, prove it, and report on it.")

type Since = Annotated[
    datetime | None, Parameter(help="The first moment that counts, such as 2026-11-01; UTC.")
]
type Until = Annotated[
    datetime | None, Parameter(help="The first moment that does not count any more.")
]
type Action = Annotated[str | None, Parameter(help="Only this action, such as key_created.")]
type User = Annotated[str | None, Parameter(help="Only what this user did, or had done to them.")]
type Key = Annotated[str | None, Parameter(help="Only what was done with this key, by its id.")]

FOLLOW_SECONDS = 1.0
REPORT_PERIOD = timedelta(days=30)


@app.command
def tail(
    *,
    count: Annotated[int, Parameter(help="How many of the newest events.")] = 20,
    follow: Annotated[bool, Parameter(negative="", help="Go on with new ones until ^C.")] = False,
    action: Action = None,
    user: User = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """
    Show the newest events, the newest last.
    """
    wanted = AuditFilter(action=action, user_id=user, key_id=key)

    async def act(storage: "Storage") -> None:
        records, _ = await storage.events.page(wanted, cursor=None, limit=max(1, count))
        for record in reversed(records):
            _show(record, as_json=as_json)
        if follow:
            await _follow(storage, wanted, records, as_json=as_json)

    _run(act)


@app.command
def verify(
    *,
    checkpoint: Annotated[
        Path | None,
        Parameter(help="A checkpoint that was kept elsewhere, as 'audit checkpoint' wrote it."),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    Verify every event of every chain; exits with 1 if anything is wrong.
    """
    from ctxfy.adapters.audit.audit_fields import plain_verdict, read_checkpoint

    kept = None if checkpoint is None else read_checkpoint(_read_json(checkpoint))

    async def act(storage: "Storage") -> Verdict:
        verdict = await storage.proofs.verify()
        compared = [kept] if kept else await storage.proofs.checkpoints(limit=1)
        faults = [fault for each in compared for fault in await storage.proofs.compare(each)]
        return Verdict(
            events=verdict.events, chains=verdict.chains, faults=(*verdict.faults, *faults)
        )

    verdict = _run(act)
    if as_json:
        write_json(plain_verdict(verdict))
    else:
        for fault in verdict.faults:
            print(f"chain {fault.chain}, event {fault.seq}: {fault.reason}.", file=sys.stderr)
        events, chains = plural(verdict.events, "event"), plural(verdict.chains, "chain")
        if verdict.is_valid:
            print(f"{events} in {chains}: all as they were written.")
    if not verdict.is_valid:
        sys.exit(1)


@app.command
def checkpoint() -> None:
    """
    Sign how far all chains have come, as JSON; keep it where the database is not.
    """
    from ctxfy.adapters.audit.audit_fields import plain_checkpoint

    write_json(plain_checkpoint(_run(lambda storage: storage.proofs.sign_checkpoint(at=_now()))))


@app.command
def export(
    *,
    form: Annotated[
        Literal["jsonl", "csv"], Parameter(name="--format", help="JSON Lines or CSV.")
    ] = "jsonl",
    since: Since = None,
    until: Until = None,
    action: Action = None,
    user: User = None,
    key: Key = None,
) -> None:
    """
    Write events to standard output, the oldest first. That it was done is an event too.
    """
    wanted = AuditFilter(
        since=_utc(since), until=_utc(until), action=action, user_id=user, key_id=key
    )

    async def act(storage: "Storage") -> None:
        write = _csv_writer() if form == "csv" else _write_line
        count = 0
        async for record in storage.events.records(wanted):
            write(record)
            count += 1
        await storage.trail.append(act_of(COMMAND_LINE, "audit_exported", _now(), events=count))

    _run(act)


@app.command
def report(
    *,
    form: Annotated[
        Literal["json", "html"], Parameter(name="--format", help="JSON, or one page to read.")
    ] = "json",
    since: Since = None,
    until: Until = None,
) -> None:
    """
    Report on a period (default: the last 30 days): keys, acts, refusals, integrity.
    """
    from ctxfy.adapters.audit.report import ComplianceReport
    from ctxfy.adapters.audit.report_page import report_page

    end = _utc(until) or _now()
    begin = _utc(since) or end - REPORT_PERIOD

    async def act(storage: "Storage") -> None:
        compiled = ComplianceReport(
            storage.events,
            storage.proofs,
            storage.keys.list_keys,
            pepper_id=lambda: storage.material.pepper_id,
        )
        told = await compiled.about(begin, end)
        if form == "html":
            print(report_page(told), end="")
        else:
            write_json(told)

    _run(act)


async def _follow(
    storage: "Storage", wanted: AuditFilter, shown: list[AuditRecord], *, as_json: bool
) -> None:
    seen = {(record.chain, record.seq) for record in shown}
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        records, _ = await storage.events.page(wanted, cursor=None, limit=500)
        for record in reversed(records):
            if (record.chain, record.seq) not in seen:
                _show(record, as_json=as_json)
        seen = {(record.chain, record.seq) for record in records}


def _run[T](act: Callable[["Storage"], Awaitable[T]]) -> T:
    from ctxfy.app.bootstrap import opened_storage

    async def run() -> T:
        async with opened_storage(load_settings(), create=False) as storage:
            return await act(storage)

    return asyncio.run(run())


def _show(record: AuditRecord, *, as_json: bool) -> None:
    if as_json:
        _write_line(record)
        return
    event = record.event
    at = event.at.isoformat(timespec="seconds").replace("+00:00", "Z")
    erased = "(erased)" if record.user_id == "" else None
    who = record.user_id or erased or event.key_id or event.details.get("means") or "-"
    print(f"{at}  {event.action:<20} {event.outcome:<10} {who}  {event.target or ''}".rstrip())


def _write_line(record: AuditRecord) -> None:
    from ctxfy.adapters.audit.audit_fields import plain_record

    print(json.dumps(plain_record(record), ensure_ascii=False))


def _csv_writer() -> Callable[[AuditRecord], None]:
    from ctxfy.adapters.audit.audit_fields import COLUMNS, row_of_record

    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    return lambda record: writer.writerow(row_of_record(record))


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not JSON"
        raise ConfigurationError(f"The checkpoint '{path}' cannot be read: {reason}.") from error


def _now() -> datetime:
    return datetime.now(UTC)


def _utc(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
