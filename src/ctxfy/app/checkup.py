"""
What is wrong with a setup here: each part looked at, none changed.
"""

import os
import stat
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ctxfy.adapters.storage.engine import travels_in_clear
from ctxfy.adapters.storage.storage_probe import moment_of
from ctxfy.app.bootstrap import Storage, make_storage, server_options
from ctxfy.app.config import Settings
from ctxfy.app.loading import utc_now
from ctxfy.app.neighbour_checkup import check_collector, check_issuer, check_shared_limits
from ctxfy.app.own_secrets import server_secrets
from ctxfy.app.place_checkup import check_disk, check_files
from ctxfy.app.places import database_file, key_file
from ctxfy.app.port_check import check_port
from ctxfy.app.static_key_settings import static_infos
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.auth_models import ApiKeyInfo
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.use_cases.auth_use_cases import is_live_admin
from ctxfy.core.use_cases.expiry_use_cases import days_left, last_admin_end
from ctxfy.core.use_cases.monitoring_use_cases import bad, doubtful, good
from ctxfy.core.use_cases.pepper_use_cases import count_by_pepper, tell_peppers
from ctxfy.core.use_cases.validation_use_cases import plural


CLOCK_TOLERANCE = timedelta(seconds=60)


async def check_here(settings: Settings) -> AsyncGenerator[CheckResult]:
    """
    Look at everything a server with these settings would need.
    """
    yield check_prompts(settings)
    secrets = check_secrets(settings)
    yield secrets
    if secrets.status is HealthStatus.FAIL:
        yield doubtful("storage", "Not looked at: it needs the secrets.")
    else:
        async for result in check_storage(settings):
            yield result
    if secrets.status is not HealthStatus.FAIL:
        for result in check_files(settings):
            yield result
        yield check_disk(settings)
    yield check_clock(settings, utc_now())
    if settings.tls.certificate is not None or settings.tls.key is not None:
        yield check_tls(settings, utc_now())
    yield await check_port(settings)
    yield check_connections(settings)
    if settings.limits.url is not None:
        yield await check_shared_limits(settings)
    if settings.jwt.issuer is not None:
        yield await check_issuer(settings)
    if settings.monitoring.traces_url is not None:
        yield check_collector(settings)


def check_prompts(settings: Settings) -> CheckResult:
    """
    Load the prompts and run their tests.
    """
    from ctxfy.app.prompt_check import PromptCheck

    folder = settings.prompts.folder
    report = PromptCheck(folder, settings, with_modules=True).result()
    if report.problems:
        count = plural(len(report.problems), "problem")
        return bad(
            "prompts",
            f"{count}; 'ctxfy check {folder}' names all. The first: {report.problems[0]}",
        )
    return good(
        "prompts",
        f"{plural(report.prompts, 'prompt')} in '{folder}', {plural(report.tests, 'test')} passed.",
    )


def check_secrets(settings: Settings) -> CheckResult:
    """
    Look for pepper and master key, and who can read them.
    """
    auth = settings.auth
    try:
        if auth.pepper is not None and auth.master_key is not None:
            server_secrets(settings)
            return good("secrets", "Pepper and master key come from the settings.")
        file, database = key_file(settings), database_file(settings)
        if not file.exists(follow_symlinks=False):
            if database is None:
                return doubtful(
                    "secrets",
                    f"There is no key file '{file}'; the next start makes one. If the database was "
                    "used before, restore the old one first.",
                )
            if not database.exists():
                return good("secrets", f"The first start makes the key file '{file}'.")
        server_secrets(settings)
    except CtxfyError as error:
        return bad("secrets", str(error))
    return good("secrets", f"The key file '{file}' is there, for its owner alone.")


async def check_storage(settings: Settings) -> AsyncGenerator[CheckResult]:
    """
    Open the database as a command does, without bringing it up to date.
    """
    try:
        file = database_file(settings)
        if file is not None and not file.exists():
            yield _place_for(file)
            return
        storage = make_storage(settings, server_secrets(settings))
    except CtxfyError as error:
        yield bad("storage", str(error))
        return
    try:
        async for result in _opened(storage, settings, file):
            yield result
    finally:
        await storage.database.aclose()


async def _opened(
    storage: Storage, settings: Settings, file: Path | None
) -> AsyncGenerator[CheckResult]:
    from ctxfy.adapters.storage import migrate
    from ctxfy.adapters.storage.people import check_master_key

    name = storage.database.name
    try:
        found = await migrate.current_revision(storage.database)
        if found != migrate.HEAD and settings.storage.migrate == "check":
            await migrate.check(storage.database)
        if found in (None, *migrate.REVISIONS[:-1]):
            state = "is empty" if found is None else f"is at revision {found}"
            yield good("storage", f"The database {name} {state}; the next start brings it up.")
            return
        await migrate.check(storage.database)
        await check_master_key(storage.database, storage.envelope)
        yield _told_newer(name, found) if found != migrate.HEAD else _kept_well(name, file)
        if file is None:
            if travels_in_clear(settings.storage.url, server_options(settings)):
                yield doubtful(
                    "storage", "What is said to it can be heard: CTXFY_STORAGE__TLS=verify."
                )
            yield judge_difference(await moment_of(storage.database), utc_now())
        keys = await storage.keys.list_keys()
    except CtxfyError as error:
        yield bad("storage", str(error))
        return
    now = utc_now()
    yield check_peppers(keys, storage.material.pepper_ids, storage.material.pepper_id, now)
    keys = [*keys, *static_infos(settings.auth.static_keys, now)]
    yield check_admins(keys, timedelta(days=settings.auth.expiry_warning_days), now)


def check_admins(keys: Sequence[ApiKeyInfo], warning: timedelta, now: datetime) -> CheckResult:
    """
    Tell whether anybody can administer the server, and will be able to.
    """
    admins = sum(is_live_admin(info, now) for info in keys)
    remedy = "'ctxfy keys create --user NAME --scope admin'."
    if not admins:
        return doubtful("admin key", f"No key can administer the server: {remedy}")
    end = last_admin_end(keys, now)
    if end is not None and end <= now + warning:
        days = plural(days_left(end, now), "day")
        return doubtful("admin key", f"The last admin key ends in {days}: {remedy}")
    return good("admin key", f"{plural(admins, 'key')} can administer the server.")


def check_peppers(
    keys: Iterable[ApiKeyInfo], known: Collection[int], current: int, now: datetime
) -> CheckResult:
    """
    Tell how many keys are under which pepper; one that is not known here is a loss.
    """
    counts = count_by_pepper(keys, now)
    told = " ".join(tell_peppers(counts, current=current, known=known))
    return doubtful("peppers", told) if set(counts) - set(known) else good("peppers", told)


def _told_newer(name: str, revision: str | None) -> CheckResult:
    return doubtful(
        "storage",
        f"The database {name} is at revision {revision}, of a newer version. This one may serve on"
        " it, but only the newer one can back it up or take it back.",
    )


def _kept_well(name: str, file: Path | None) -> CheckResult:
    if file is not None and stat.S_IMODE(file.stat().st_mode) & 0o077:
        return doubtful("storage", f"Others can read the database: chmod 600 '{file}'.")
    return good("storage", f"The database {name} answers and is up to date.")


def _place_for(file: Path) -> CheckResult:
    place = next(folder for folder in file.absolute().parents if folder.exists())
    if not os.access(place, os.W_OK):
        return bad(
            "storage",
            f"The database '{file}' cannot be made: '{place}' may not be written to; change that, "
            "or name another with CTXFY_STORAGE__URL.",
        )
    return good("storage", f"The first start makes the database '{file}' and an admin key.")


def check_clock(settings: Settings, now: datetime) -> CheckResult:
    """
    Notice a clock that is behind what was written before.
    """
    try:
        file = database_file(settings)
    except CtxfyError:
        file = None
    if file is not None and file.exists():
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        if written > now + CLOCK_TOLERANCE:
            return bad(
                "clock",
                f"It is {now:%Y-%m-%d %H:%M:%S} UTC here, and the database was written at "
                f"{written:%Y-%m-%d %H:%M:%S}: set the clock, or keys live too long.",
            )
    return good("clock", f"It is {now:%Y-%m-%d %H:%M:%S} UTC here.")


def judge_difference(there: datetime, here: datetime) -> CheckResult:
    """
    Compare the clock of the database's server with ours.
    """
    seconds = (there - here).total_seconds()
    if abs(seconds) > CLOCK_TOLERANCE.total_seconds():
        direction = "ahead of" if seconds > 0 else "behind"
        return doubtful(
            "clocks",
            f"The server of the database is {abs(seconds):.0f} s {direction} us; let NTP set both.",
        )
    return good("clocks", f"The server of the database has the same time, to {abs(seconds):.0f} s.")


def check_connections(settings: Settings) -> CheckResult:
    """
    Compare how many connections there may be with how many the system allows.
    """
    from ctxfy.app.http_server import connection_limits

    wanted, allowed = settings.server.connections, connection_limits(settings).connections
    if allowed < wanted:
        return doubtful(
            "connections",
            f"The system allows {allowed} of CTXFY_SERVER__CONNECTIONS ({wanted}): raise"
            " 'ulimit -n', or LimitNOFILE of the service.",
        )
    return good("connections", f"{wanted} may be open at once.")


def check_tls(settings: Settings, now: datetime) -> CheckResult:
    """
    Load the certificate as the server would.
    """
    from ctxfy.app.tls import server_certificate

    try:
        certificate = server_certificate(settings)
    except CtxfyError as error:
        return bad("tls", str(error))
    assert certificate is not None  # noqa: S101 - there are settings # nosec B101
    days = plural((certificate.not_after - now).days, "day")
    if certificate.not_after - now < timedelta(days=settings.monitoring.certificate_days):
        return doubtful("tls", f"The certificate ends in {days}; renew it.")
    return good("tls", f"The certificate can be used, for {days} more.")
