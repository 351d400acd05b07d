"""
`ctxfy keys report-leak`: takes what was found from standard input, never from the command line.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.audit_models import COMMAND_LINE
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.leak_models import LeakFinding, LeakOutcome
from ctxfy.core.use_cases.auth_use_cases import is_key_id
from ctxfy.core.use_cases.leak_use_cases import MAX_LEAK_TEXT


if TYPE_CHECKING:
    from ctxfy.adapters.auth.leak_reports import LeakReports

_SENTENCES = {
    LeakOutcome.DISABLED: "is disabled now",
    LeakOutcome.ALREADY_GONE: "is disabled or revoked already",
    LeakOutcome.ROTATED_AWAY: "was found with a secret that is over; the key goes on",
    LeakOutcome.LAST_ADMIN: "is the last one that can administer this server, and was not shown"
    " whole; create another admin key first",
    LeakOutcome.STATIC: "lives in the setting auth.static_keys and is still good; take it out there"
    " and restart the servers, now",
    LeakOutcome.UNKNOWN: "is not known here",
    LeakOutcome.MALFORMED: "has a wrong checksum and is no key",
}


def report_leak(
    *,
    found_at: Annotated[str, Parameter(help="Where it was found, for the audit trail.")] = "",
    as_json: Json = False,
) -> None:
    """
    Disable leaked keys: standard input is a text with whole keys in it, or one public id a line.
    """
    text = _standard_input()
    words = text.split()
    # Nobody's secret: an id is public, and proves nothing.
    key_ids = [KeyId(word) for word in words] if all(map(is_key_id, words)) else []

    async def act() -> list[LeakFinding]:
        async with _opened() as reports:
            return await reports.report(
                "" if key_ids else text, key_ids, place=found_at, actor=COMMAND_LINE
            )

    findings = asyncio.run(act())
    if as_json:
        write_json([{"key_id": found.key_id, "outcome": found.outcome} for found in findings])
        return
    for number, found in enumerate(findings, 1):
        name = f"Key {found.key_id}" if found.key_id else f"Key number {number} of the report"
        print(f"{name} {_SENTENCES[found.outcome]}.")


def _standard_input() -> str:
    if sys.stdin.isatty():
        print("Paste what was found, and end with Ctrl-D:", file=sys.stderr)
    try:
        return sys.stdin.read(MAX_LEAK_TEXT + 1)
    except ValueError as error:
        raise ConfigurationError("Standard input is no text in UTF-8.") from error


@asynccontextmanager
async def _opened() -> AsyncGenerator["LeakReports"]:
    from ctxfy.adapters.auth.leak_reports import LeakReports
    from ctxfy.adapters.monitoring.null_logging import NullLogging
    from ctxfy.app.bootstrap import opened_storage
    from ctxfy.app.loading import utc_now
    from ctxfy.app.stored_keys import static_keys

    settings = load_settings()
    async with opened_storage(settings, create=False) as storage:
        # Running servers see the change by themselves; there is no cache here.
        yield LeakReports(
            storage.keys,
            storage.material,
            forget=lambda: None,
            now=utc_now,
            logging=NullLogging(),
            trail=storage.trail,
            static=static_keys(settings),
        )
