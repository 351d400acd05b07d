"""
`ctxfy keys`: works on the store directly, whether a server runs or not.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from ctxfy.adapters.auth.key_fields import KeyData, plain_key
from ctxfy.adapters.auth.usage_fields import UseData
from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.app.key_options import KeyOptions, public_id, whole_number
from ctxfy.app.leak_command import report_leak
from ctxfy.app.usage_command import SHOWN_DAYS, recent_usage, tell_use, usage
from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.models.audit_models import COMMAND_LINE
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, RotatedKey
from ctxfy.core.use_cases.auth_use_cases import check_key_request
from ctxfy.core.use_cases.expiry_use_cases import parse_span
from ctxfy.core.use_cases.pepper_use_cases import peppers_of
from ctxfy.core.use_cases.rotation_use_cases import DEFAULT_GRACE_HOURS


if TYPE_CHECKING:
    from ctxfy.adapters.auth.api_key_service import ApiKeyService
    from ctxfy.app.bootstrap import Storage
    from ctxfy.app.config import Settings

app = App(name="keys", help="Create, list, show, rotate, disable, enable and revoke API keys.")
app.command(report_leak)
app.command(usage)


@app.command
def create(
    *,
    options: KeyOptions,
    dry_run: Annotated[
        bool, Parameter(negative="", help="Make a key and keep nothing: for auth.bootstrap_key.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Create a key and write it to standard output, the only time it can be seen.
    """
    wish = options.wish()
    if dry_run:
        loose = _loose_key()
        write_json({"api_key": loose}) if as_json else print(loose)
        return

    async def act() -> tuple[str, ApiKeyInfo]:
        async with _service(create=True) as keys:
            api_key = await keys.create_api_key(
                wish.user_id,
                scope=wish.scope,
                ttl_hours=wish.ttl_hours,
                name=wish.name,
                prompts=wish.prompts,
                networks=wish.networks,
                rate_limit=wish.rate_limit,
                actor=COMMAND_LINE,
            )
            info = await keys.get_api_key_info(api_key)
            assert info is not None  # noqa: S101 - it was created just now # nosec B101
            return api_key, info

    api_key, info = asyncio.run(act())
    if as_json:
        write_json({"api_key": api_key} | plain_key(info))
        return
    print(api_key)
    from ctxfy.adapters.storage.engine import database_name_of

    place = database_name_of(load_settings().storage.url)
    print(
        f"Key {info.key_id} for {wish.user_id}, scope {wish.scope}, kept in {place}."
        " It is not shown again.",
        file=sys.stderr,
    )


@app.command
def digest(*, options: KeyOptions, as_json: Json = False) -> None:
    """
    Make a key for the settings: the key itself is written once, and kept nowhere.

    The key goes to standard output, its entry for auth.static_keys to standard error.
    """
    from ctxfy.adapters.auth.key_material import HmacKeyMaterial

    if options.ttl_hours is not None:
        raise InvalidKeyRequestError("A key of the settings has no end; take it out there.")
    wish = options.wish()
    check_key_request(wish)
    material = HmacKeyMaterial({1: secrets.token_bytes(32)}, secrets.token_bytes)
    key_id, whole = material.new_key()
    entry = {
        "key_id": key_id,
        "digest": material.static_digest(whole),
        "user_id": wish.user_id,
        "scope": wish.scope,
        "name": wish.name,
        "prompts": wish.prompts,
        "networks": [str(network) for network in wish.networks],
        "rate_limit": options.rate_limit,
    }
    if as_json:
        write_json({"api_key": whole, "static_key": entry})
        return
    print(whole)
    print(json.dumps(entry, ensure_ascii=False), file=sys.stderr)


@app.command(name="list")
def list_keys(
    *,
    user: Annotated[str | None, Parameter(help="Only the keys of this user.")] = None,
    expiring: Annotated[
        str | None,
        Parameter(help="Only keys that are good now and end within this time: 7d, 12h."),
    ] = None,
    pepper: Annotated[
        int | None,
        Parameter(
            help="Only live keys that need the pepper of this number.", converter=whole_number
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """
    List the keys, oldest first.
    """
    within = parse_span(expiring) if expiring else None

    async def act() -> list[ApiKeyInfo]:
        async with _service() as keys:
            if within is not None:
                return await keys.list_expiring_api_keys(within)
            return await (keys.list_user_api_keys(user) if user else keys.list_api_keys())

    from ctxfy.app.loading import utc_now

    now = utc_now()
    found = [
        info
        for info in asyncio.run(act())
        if user in {None, info.user_id} and (pepper is None or pepper in peppers_of(info, now))
    ]
    if as_json:
        write_json([plain_key(info) for info in found])
        return
    _table(found)


@app.command
def show(key_id: str, /, *, as_json: Json = False) -> None:
    """
    Show what is known of a key, given its public id.
    """

    async def act() -> tuple[KeyData, UseData]:
        from ctxfy.app.stored_keys import key_service

        settings = load_settings()
        async with _storage(settings) as storage:
            info = await key_service(settings, storage).find_api_key(public_id(key_id))
            recent = await recent_usage(storage, info.key_id, SHOWN_DAYS)
            return plain_key(info), recent["total"]

    info, use = asyncio.run(act())
    if as_json:
        write_json({**info, "usage_30_days": use})
        return
    for field, value in info.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        print(f"{field + ':':<14}{'-' if shown in (None, '') else shown}")
    print(f"{'last 30 days:':<14}{tell_use(use)}")


@app.command
def revoke(key_id: str, /, *, as_json: Json = False) -> None:
    """
    End a key for good; running servers refuse it within a second.
    """

    async def act() -> ApiKeyInfo:
        async with _service() as keys:
            return await keys.revoke_api_key(public_id(key_id), actor=COMMAND_LINE)

    _tell(asyncio.run(act()), as_json=as_json)


@app.command
def disable(key_id: str, /, *, as_json: Json = False) -> None:
    """
    Refuse a key until it is enabled again; running servers know within a second.
    """
    _tell(asyncio.run(_set_status(key_id, KeyStatus.DISABLED)), as_json=as_json)


@app.command
def enable(key_id: str, /, *, as_json: Json = False) -> None:
    """
    Let a disabled key in again; a revoked one stays revoked.
    """
    _tell(asyncio.run(_set_status(key_id, KeyStatus.ACTIVE)), as_json=as_json)


@app.command
def rotate(
    key_id: str,
    /,
    *,
    grace_hours: Annotated[
        int,
        Parameter(
            help="How many hours the old secret stays good; 0 ends it now.",
            converter=whole_number,
        ),
    ] = DEFAULT_GRACE_HOURS,
    as_json: Json = False,
) -> None:
    """
    Give a key a new secret and write it to standard output, the only time it can be seen.
    """

    async def act() -> RotatedKey:
        async with _service() as keys:
            return await keys.rotate_api_key(
                public_id(key_id), grace_hours=grace_hours, actor=COMMAND_LINE
            )

    rotated = asyncio.run(act())
    if as_json:
        write_json({"api_key": rotated.whole} | plain_key(rotated.info))
        return
    print(rotated.whole)
    old = rotated.info.old_secret
    until = "now" if old is None else old.expires_at.isoformat(timespec="seconds")
    print(
        f"Key {rotated.info.key_id} of {rotated.info.user_id}: the old secret is good until"
        f" {until}. The new one is not shown again.",
        file=sys.stderr,
    )


async def _set_status(key_id: str, status: KeyStatus) -> ApiKeyInfo:
    async with _service() as keys:
        return await keys.set_api_key_status(public_id(key_id), status, actor=COMMAND_LINE)


def _tell(info: ApiKeyInfo, *, as_json: bool) -> None:
    if as_json:
        write_json(plain_key(info))
    else:
        print(f"Key {info.key_id} of {info.user_id} is {info.status}.")


def _loose_key() -> str:
    from ctxfy.adapters.auth.key_material import HmacKeyMaterial

    material = HmacKeyMaterial({1: secrets.token_bytes(32)}, secrets.token_bytes)
    return material.new_key()[1]


def _day(moment: datetime | None) -> str:
    return "-" if moment is None else moment.date().isoformat()


def _table(found: list[ApiKeyInfo]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("KEY ID", "USER", "SCOPE", "STATUS", "PROMPTS", "EXPIRES", "LAST USED", "NAME"):
        table.add_column(heading, overflow="fold")
    for info in found:
        table.add_row(
            info.key_id,
            info.user_id,
            str(info.scope),
            str(info.status),
            " ".join(info.prompts),
            _day(info.expires_at),
            _day(info.last_used_at),
            info.name,
        )
    Console(highlight=False, markup=False).print(table)


@asynccontextmanager
async def _service(*, create: bool = False) -> AsyncGenerator["ApiKeyService"]:
    from ctxfy.app.stored_keys import key_service

    settings = load_settings()
    async with _storage(settings, create=create) as storage:
        yield key_service(settings, storage)


def _storage(
    settings: "Settings", *, create: bool = False
) -> AbstractAsyncContextManager["Storage"]:
    from ctxfy.app.bootstrap import opened_storage

    return opened_storage(settings, create=create)
