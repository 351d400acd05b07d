"""
`ctxfy keys usage`, and the figures in `ctxfy keys show`.
"""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ctxfy.adapters.auth.usage_fields import UsageData, UseData, plain_usage
from ctxfy.app.command_line import Json, write_json
from ctxfy.app.config import load_settings
from ctxfy.app.key_options import public_id, whole_number


if TYPE_CHECKING:
    from ctxfy.app.bootstrap import Storage
    from ctxfy.core.models.auth_models import KeyId

SHOWN_DAYS = 30


def usage(
    key_id: str,
    /,
    *,
    days: Annotated[
        int,
        Parameter(help="How many of the last days, today included.", converter=whole_number),
    ] = SHOWN_DAYS,
    as_json: Json = False,
) -> None:
    """
    Tell what a key was used for, by day; some seconds behind running servers.
    """
    told = asyncio.run(_usage_of(public_id(key_id), max(1, days)))
    if as_json:
        write_json(told)
        return
    for day in told["days"]:
        print(f"{day['day']}  {tell_use(day)}")
    print(f"{'together':<10}  {tell_use(told['total'])}")


def tell_use(use: UseData) -> str:
    """
    Say in one line what some requests took.
    """
    return (
        f"{use['requests']} requests, {use['refusals']} refused, {use['bytes_in']} bytes in,"
        f" {use['bytes_out']} out, {use['render_ms']:.0f} ms rendering"
    )


async def recent_usage(storage: "Storage", key_id: "KeyId", days: int) -> UsageData:
    """
    Read what a key was used for on the last days.

    Raises:
        UnavailableError: The store is out of reach.
    """
    from ctxfy.app.loading import utc_now

    since = utc_now().date() - timedelta(days=days - 1)
    return plain_usage(key_id, await storage.usage.days_of(key_id, since=since))


async def _usage_of(key_id: "KeyId", days: int) -> UsageData:
    from ctxfy.app.bootstrap import opened_storage
    from ctxfy.app.stored_keys import key_service

    settings = load_settings()
    async with opened_storage(settings, create=False) as storage:
        info = await key_service(settings, storage).find_api_key(key_id)
        return await recent_usage(storage, info.key_id, days)
