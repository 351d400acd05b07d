"""
`ctxfy db`: the database itself, whether a server runs or not.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ctxfy.app.backup_commands import backup, restore, tell_of_erasures, verify, with_database
from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.core.models.audit_models import COMMAND_LINE
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.validation_use_cases import plural


if TYPE_CHECKING:
    from ctxfy.adapters.storage.database import Database
    from ctxfy.adapters.storage.rewrapping import Rewrapped
    from ctxfy.app.bootstrap import Storage

app = App(name="db", help="Migrate, check, back up and restore the database.")

for each in (backup, verify, restore):
    app.command(each)


@app.command
def upgrade(
    revision: Annotated[
        str | None, Parameter(help="Up to this revision; default: the newest.")
    ] = None,
    /,
    *,
    as_json: Json = False,
) -> None:
    """
    Bring the tables up to date.
    """
    from ctxfy.adapters.storage import migrate

    async def act(database: "Database") -> str:
        done = await migrate.upgrade(database, revision or migrate.HEAD)
        return "is upgraded to" if done else "is already at"

    _move(act, create=True, as_json=as_json)
    if revision in {None, migrate.HEAD}:
        tell_of_erasures(load_settings(), as_json=as_json)


@app.command
def downgrade(
    revision: Annotated[str, Parameter(help="Back to this revision, or 'base' for no tables.")],
    /,
    *,
    as_json: Json = False,
) -> None:
    """
    Take the tables back to an older revision; what only newer ones keep is lost.
    """
    from ctxfy.adapters.storage import migrate

    async def act(database: "Database") -> str:
        await migrate.downgrade(database, None if revision == "base" else revision)
        return "is taken back to"

    _move(act, as_json=as_json)


@app.command
def check(*, as_json: Json = False) -> None:
    """
    Check that the database answers and has the tables of this version; exits with 1 if not.
    """
    from ctxfy.adapters.storage import migrate

    async def act(database: "Database") -> str:
        await migrate.check(database)
        return "answers and is at"

    _move(act, as_json=as_json)


@app.command
def rewrap(*, as_json: Json = False) -> None:
    """
    Bring all people under the master key in use, and what else is under an older one.
    """
    from ctxfy.app.bootstrap import opened_storage

    async def act() -> "Rewrapped":
        async with opened_storage(load_settings(), create=False) as storage:
            return await _rewrapped(storage)

    done = asyncio.run(act())
    if as_json:
        write_json(asdict(done))
        return
    counts = (
        plural(done.people, "name"),
        plural(done.months, "key") + " of months",
        plural(done.chains, "chain") + " of the audit trail",
    )
    print(f"Under the master key in use now: {', '.join(counts)}.")
    for chain in done.doubted:
        print(f"Left as it was: the chain {chain}; see 'ctxfy audit verify'.", file=sys.stderr)
    if done.answers:
        kept = plural(done.answers, "answer")
        print(f"{kept} to rotations need the old master key for ten minutes.", file=sys.stderr)


@app.command
def prune(*, as_json: Json = False) -> None:
    """
    Take away now what was kept long enough; a server does it once a day.
    """
    from ctxfy.adapters.audit.retention_service import RetentionService
    from ctxfy.adapters.monitoring.null_logging import NullLogging
    from ctxfy.app.bootstrap import opened_storage
    from ctxfy.app.loading import utc_now

    async def act() -> dict[str, int]:
        async with opened_storage(load_settings(), create=False) as storage:
            service = RetentionService(
                storage.retention, storage.trail, now=utc_now, logging=NullLogging()
            )
            return asdict(await service.prune(actor=COMMAND_LINE))

    counts = asyncio.run(act())
    if as_json:
        write_json(counts)
        return
    went = ", ".join(f"{kind}: {count}" for kind, count in counts.items() if count)
    print(f"Taken away: {went}." if went else "Nothing was kept for too long.")


async def _rewrapped(storage: "Storage") -> "Rewrapped":
    from ctxfy.adapters.storage.rewrapping import Rewrapping

    rewrapping = Rewrapping(
        database=storage.database, envelope=storage.envelope, tell=_tell_progress
    )
    done = await rewrapping.run()
    now = datetime.now(UTC)
    event = act_of(
        COMMAND_LINE,
        "master_key_changed",
        now,
        master_key=storage.envelope.master_id,
        people=done.people,
        months=done.months,
        chains=done.chains,
    )
    await storage.trail.append(event)
    # So that the newest checkpoint needs no older key either.
    await storage.proofs.sign_checkpoint(at=now)
    return done


def _tell_progress(done: int, wanted: int) -> None:
    if sys.stderr.isatty():
        print(f"{done} of {plural(wanted, 'name')}", file=sys.stderr)


def _move(
    act: Callable[["Database"], Awaitable[str]], *, as_json: bool, create: bool = False
) -> None:
    from ctxfy.adapters.storage import migrate

    async def moved(database: "Database") -> tuple[str, str, str | None]:
        return await act(database), database.name, await migrate.current_revision(database)

    what, name, revision = with_database(moved, create=create)
    if as_json:
        write_json({"database": name, "revision": revision})
    else:
        print(f"The database {name} {what} {f'revision {revision}' if revision else 'nothing'}.")
