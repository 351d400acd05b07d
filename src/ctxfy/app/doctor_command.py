"""
`ctxfy doctor`: what is wrong with a setup here, or with a server elsewhere.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Folder, Json, chosen_settings, write_json
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import HealthStatus


if TYPE_CHECKING:
    from ctxfy.core.models.monitoring_models import CheckResult

_SHOWN = {HealthStatus.PASS: "ok", HealthStatus.WARN: "warn", HealthStatus.FAIL: "FAIL"}


def doctor(
    *,
    url: Annotated[
        str | None,
        Parameter(
            help="Look at this server, with the key of CTXFY_API_KEY, and not at this setup."
        ),
    ] = None,
    prompts: Folder = None,
    as_json: Json = False,
) -> None:
    """
    Say what is wrong with this setup, or with a server, and how to mend it.

    Nothing is changed. The exit code is 1 if something does not work.
    """
    results = asyncio.run(_collect(_results(url, prompts), show=not as_json))
    failed = any(result.status is HealthStatus.FAIL for result in results)
    if as_json:
        write_json(
            {
                "ok": not failed,
                "checks": [
                    {"name": each.name, "status": each.status, "detail": each.detail}
                    for each in results
                ],
            }
        )
    if failed:
        sys.exit(1)


async def _collect(results: "AsyncGenerator[CheckResult]", *, show: bool) -> "list[CheckResult]":
    found = []
    async for result in results:
        found.append(result)
        if show:
            print(f"{_SHOWN[result.status]:<5} {result.name:<12} {result.detail}", flush=True)
    return found


async def _results(url: str | None, prompts: Folder) -> "AsyncGenerator[CheckResult]":
    from ctxfy.core.use_cases.monitoring_use_cases import bad, good

    if url is not None:
        from ctxfy.adapters.remote_server.checkup import check_server
        from ctxfy.app.addresses import base_address, mcp_address
        from ctxfy.app.config import api_key
        from ctxfy.app.loading import utc_now

        mcp = mcp_address(url)
        async for result in check_server(mcp, base_address(mcp), api_key(), utc_now):
            yield result
        return
    try:
        settings = chosen_settings(prompts)
    except ConfigurationError as error:
        yield bad("settings", str(error))
        return
    yield good("settings", "All names are known, and all values can be used.")
    from ctxfy.app.checkup import check_here

    async for result in check_here(settings):
        yield result
