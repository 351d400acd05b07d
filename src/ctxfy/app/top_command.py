"""
`ctxfy top`: a running server, seen from a terminal.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from ctxfy.app.command_line import Json
from ctxfy.core.exceptions import UnavailableError


if TYPE_CHECKING:
    from ctxfy.adapters.remote_server.watch import ServerWatch
    from ctxfy.app.top_view import View
    from ctxfy.core.models.scrape_models import Scrape

SHORTEST_SECONDS = 0.2


def top(
    *,
    url: Annotated[
        str | None, Parameter(help="The server; default: where the settings have it.")
    ] = None,
    interval: Annotated[
        float,
        Parameter(
            validator=validators.Number(gte=SHORTEST_SECONDS, lte=3600),
            help="Seconds between two looks.",
        ),
    ] = 2.0,
    once: Annotated[bool, Parameter(negative="", help="Look twice, show once, and end.")] = False,
    as_json: Json = False,
) -> None:
    """
    Watch a running server: rates, errors, times, the busiest prompts, health.

    It asks `/metrics` and `/health` with the key of CTXFY_API_KEY. Away from a terminal it shows
    once. With --json it writes an object a line, until it is ended or with --once.
    """
    from ctxfy.app.addresses import base_address, mcp_address

    base = base_address(mcp_address(url))
    once = once or not (as_json or sys.stdout.isatty())
    asyncio.run(_watch(base, interval, once=once, as_json=as_json))


async def _watch(base: str, interval: float, *, once: bool, as_json: bool) -> None:
    from ctxfy.adapters.remote_server.watch import ServerWatch
    from ctxfy.app.config import api_key
    from ctxfy.app.top_view import Screen

    async with ServerWatch(base, api_key()) as server:
        if as_json:
            async for view in _views(server, base, interval, once=once):
                _write_line(view)
            return
        with Screen(live=not once) as screen:
            async for view in _views(server, base, interval, once=once):
                screen.show(view)


async def _views(
    server: "ServerWatch", base: str, interval: float, *, once: bool
) -> "AsyncGenerator[View]":
    """
    Look again and again. A server that goes away is shown as away until it is back.
    """
    from ctxfy.app.top_view import View
    from ctxfy.core.use_cases.scrape_use_cases import figures_between

    before = _read(base, (await server.look()).metrics)
    view = View(base=base, health={}, figures=figures_between(before, before))
    while True:
        await asyncio.sleep(interval)
        try:
            look = await server.look()
            after = _read(base, look.metrics)
        except UnavailableError as error:
            view = View(base=base, health={}, figures=view.figures, trouble=str(error))
        else:
            view = View(base=base, health=dict(look.health), figures=figures_between(before, after))
            before = after
        yield view
        if once:
            return


def _read(base: str, metrics: str) -> "Scrape":
    from ctxfy.adapters.monitoring.metrics_text import read_metrics

    try:
        return read_metrics(metrics, time.monotonic())
    except ValueError as error:
        raise UnavailableError("server", f"{base}/metrics answers no metrics.") from error


def _write_line(view: "View") -> None:
    import orjson

    line = {
        "url": view.base,
        "trouble": view.trouble or None,
        "health": view.health,
        **asdict(view.figures),
    }
    print(orjson.dumps(line).decode(), flush=True)
