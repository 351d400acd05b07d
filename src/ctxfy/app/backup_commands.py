"""
`ctxfy db backup`, `verify` and `restore`: the way out of a database, and back into one.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import Settings, load_settings
from ctxfy.core.exceptions import ConfigurationError, UnavailableError
from ctxfy.core.use_cases.validation_use_cases import plural


if TYPE_CHECKING:
    from ctxfy.adapters.storage.backup_file import BackupSummary
    from ctxfy.adapters.storage.database import Database
    from ctxfy.adapters.storage.envelope import Envelope
    from ctxfy.core.models.audit_models import Verdict

type Backup = Annotated[Path, Parameter(help="The file of the backup.")]


def backup(
    file: Backup,
    /,
    *,
    plain: Annotated[
        bool, Parameter(negative="", help="Without a seal: anybody who has it can read it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Write the whole database to a new file, as it is at one moment, while servers go on.

    It is sealed under the master key, and read to its end before it appears.
    """
    from ctxfy.adapters.storage.backup import back_up
    from ctxfy.app.bootstrap import require_database

    settings = load_settings()
    require_database(settings)
    envelope = _envelope(settings)
    if envelope is None and not plain:
        raise ConfigurationError(
            "A backup is sealed under the master key, which is not here; needed is"
            f" {_secrets_of(settings)}, or --plain for one without a seal."
        )
    keys = None if plain or envelope is None else envelope.backup_keys()
    summary = with_database(lambda database: back_up(database, file, keys))
    verdict = _proven(file, envelope)
    if as_json:
        write_json(_facts(file, summary, verdict))
        return
    print(
        f"{plural(summary.rows, 'row')} of revision {summary.revision} are in '{file}', which was"
        f" read to its end. Not in it, and needed to use it: {_secrets_of(settings)}. Keep that"
        " elsewhere."
    )


def verify(file: Backup, /, *, as_json: Json = False) -> None:
    """
    Read a backup to its end, and prove every event in it; exits with 1 if anything is wrong.
    """
    from ctxfy.adapters.storage.backup_file import check_backup

    envelope = _envelope(load_settings())
    summary = check_backup(file, None if envelope is None else envelope.backup_keys())
    verdict = _proven(file, envelope)
    if as_json:
        write_json(_facts(file, summary, verdict))
    else:
        counts = ", ".join(f"{name} {count}" for name, count in summary.tables.items())
        print(f"'{file}' is whole: {plural(summary.rows, 'row')} of revision {summary.revision}.")
        print(f"In its tables: {counts}.")
        if verdict is not None and verdict.is_valid:
            events, chains = plural(verdict.events, "event"), plural(verdict.chains, "chain")
            print(f"The audit trail: {events} in {chains}, all as they were written.")
    if verdict is not None and not verdict.is_valid:
        sys.exit(1)


def restore(file: Backup, /, *, as_json: Json = False) -> None:
    """
    Fill an empty database from a backup, of whichever kind of database it is.
    """
    from ctxfy.adapters.storage.backup import restore as restore_from

    settings = load_settings()
    envelope = _envelope(settings)
    keys = None if envelope is None else envelope.backup_keys()
    summary = with_database(lambda database: restore_from(database, file, keys), create=True)
    tell_of_erasures(settings, as_json=as_json)
    if as_json:
        write_json({"file": str(file), "rows": summary.rows, "revision": summary.revision})
        return
    told = f"{plural(summary.rows, 'row')} are restored from '{file}'."
    if envelope is None:
        needed = _secrets_of(settings)
        told += f" Before the server starts, put back what belongs to them: {needed}."
    print(told)


def with_database[T](act: Callable[["Database"], Awaitable[T]], *, create: bool = False) -> T:
    """
    Run a function over the database of the settings, which need not be up to date.

    Args:
        act: The function.
        create: Whether there need not be one yet.
    """

    async def run() -> T:
        async with _opened(create=create) as database:
            return await act(database)

    return asyncio.run(run())


@asynccontextmanager
async def _opened(*, create: bool = False) -> AsyncGenerator["Database"]:
    from ctxfy.app.bootstrap import make_database, require_database

    settings = load_settings()
    if not create:
        require_database(settings)
    database = make_database(settings)
    try:
        yield database
    finally:
        await database.aclose()


def tell_of_erasures(settings: Settings, *, as_json: bool) -> None:
    """
    Erase again whom a backup brought back; without the secrets that is left to the next start.
    """
    from ctxfy.app.own_secrets import has_secrets
    from ctxfy.app.places import ledger_file

    if not ledger_file(settings).exists():
        return
    if not has_secrets(settings):
        sentence = "Erasures since the backup are carried out again at the next start."
    elif count := asyncio.run(_settle(settings)):
        sentence = f"Carried out again: {plural(count, 'erasure')} since the backup."
    else:
        return
    print(sentence, file=sys.stderr if as_json else sys.stdout)


async def _settle(settings: Settings) -> int:
    from ctxfy.app.bootstrap import make_storage
    from ctxfy.app.own_secrets import server_secrets

    storage = make_storage(settings, server_secrets(settings))
    try:
        return await storage.make_ready(migrate_now=False)
    finally:
        await storage.database.aclose()


def _proven(file: Path, envelope: "Envelope | None") -> "Verdict | None":
    """
    Look at the audit trail in a backup, and say what is wrong with it; None if that cannot be told.

    It does not make the backup a bad one: that holds what is in the database.
    """
    from ctxfy.adapters.storage.backup_proof import prove_trail

    if envelope is None:
        print("The audit trail was not looked at: that needs the master key.", file=sys.stderr)
        return None
    try:
        verdict = prove_trail(file, envelope)
    except UnavailableError as error:
        print(f"The audit trail was not looked at: {error}", file=sys.stderr)
        return None
    for fault in verdict.faults:
        told = f"chain {fault.chain}, event {fault.seq}: {fault.reason}"
        print(f"The audit trail is not whole: {told}.", file=sys.stderr)
    return verdict


def _facts(file: Path, summary: "BackupSummary", verdict: "Verdict | None") -> dict[str, object]:
    from ctxfy.adapters.audit.audit_fields import plain_verdict

    return {
        "file": str(file),
        "rows": summary.rows,
        "revision": summary.revision,
        "sha256": summary.sha256,
        "tables": dict(summary.tables),
        "trail": None if verdict is None else plain_verdict(verdict),
    }


def _envelope(settings: Settings) -> "Envelope | None":
    """
    Take the master keys, if they are here; none is made.
    """
    from ctxfy.app.bootstrap import make_envelope
    from ctxfy.app.own_secrets import has_secrets, server_secrets

    return make_envelope(server_secrets(settings)) if has_secrets(settings) else None


def _secrets_of(settings: Settings) -> str:
    """
    Name where the pepper and the master key are.
    """
    from ctxfy.app.places import key_file

    variables = "CTXFY_AUTH__PEPPER and CTXFY_AUTH__MASTER_KEY"
    if settings.auth.pepper is not None and settings.auth.master_key is not None:
        return f"the values of {variables}"
    try:
        return f"the key file '{key_file(settings)}'"
    except ConfigurationError:
        return f"the values of {variables}"
