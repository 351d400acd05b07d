"""
What is wrong with a server, as its clients see it.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from ctxfy.adapters.remote_server.verdicts import (
    WELL_KNOWN,
    innermost,
    judge_clock,
    judge_health,
    judge_key,
    judge_well_known,
    reason_of,
)
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.use_cases.monitoring_use_cases import bad, doubtful, good
from ctxfy.core.use_cases.validation_use_cases import plural


PATIENCE_SECONDS = 10.0
CERTIFICATE_NOTICE = timedelta(days=14)
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

type Mode = Literal["auto", "legacy"]


async def is_ctxfy(url: str) -> bool:
    """
    Tell whether a ctxfy server answers at an address.
    """
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=1.0) as http:
            found = (await http.get("/health/live")).json()
    except (httpx2.HTTPError, ValueError):
        return False
    return isinstance(found, dict) and found.keys() == {"status"}


async def check_server(
    mcp: str, base: str, api_key: str | None, now: Callable[[], datetime]
) -> AsyncGenerator[CheckResult]:
    """
    Look at a server from outside, and further in with a key.

    Args:
        mcp: Where it speaks MCP.
        base: What its other paths begin with.
        api_key: May be missing; then only what anybody sees is looked at.
        now: The clock of this machine.
    """
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS, headers=headers) as http:
        try:
            alive = await http.get(f"{base}/health/live")
        except httpx2.TransportError as error:
            yield bad("server", f"{base} cannot be reached: {reason_of(error)}.")
            return
        yield _reached(alive, base)
        yield await check_transport(base, now())
        yield judge_clock(alive, now())
        if alive.is_error:
            return
        yield judge_health(await http.get(f"{base}/health"))
        yield judge_well_known(await http.get(f"{base}{WELL_KNOWN}"))
        if api_key is None:
            yield doubtful(
                "key", "CTXFY_API_KEY is not set, so nothing behind a key was looked at."
            )
            return
        key = judge_key(await http.get(f"{base}/auth/api-keys/current"))
        yield key
        if key.status is not HealthStatus.FAIL:
            for mode in ("legacy", "auto"):
                yield await _protocol(mcp, http, mode)


def _reached(answer: httpx2.Response, base: str) -> CheckResult:
    if answer.is_error:
        return bad(
            "server",
            f"{base} answers {answer.status_code} to /health/live; is it a ctxfy server, and is a "
            "proxy before it set up for all of its paths?",
        )
    return good("server", f"{base} answers.")


async def check_transport(base: str, now: datetime) -> CheckResult:
    """
    Tell whether keys can be read on the way, and when the certificate ends.
    """
    parts = urlsplit(base)
    if parts.scheme == "http":
        if parts.hostname in LOOPBACK:
            return good("tls", "None, and none is needed on this machine.")
        return doubtful("tls", "There is none: keys and prompts can be read on the way.")
    until = await _certificate_end(parts.hostname or "", parts.port or 443)
    days = (until - now).days
    if until - now < CERTIFICATE_NOTICE:
        return doubtful("tls", f"The certificate ends in {plural(days, 'day')}; renew it.")
    return good("tls", f"The certificate is trusted, and valid for {plural(days, 'day')} more.")


async def _certificate_end(host: str, port: int) -> datetime:
    # Trusted already: the client of HTTP came through.
    context = ssl.create_default_context()
    async with asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection(host, port, ssl=context)
    end = ssl.cert_time_to_seconds(str(writer.get_extra_info("peercert")["notAfter"]))
    writer.close()
    return datetime.fromtimestamp(end, UTC)


async def _protocol(mcp: str, http: httpx2.AsyncClient, mode: Mode) -> CheckResult:
    name = "mcp, newest" if mode == "auto" else "mcp, older"
    try:
        async with (
            asyncio.timeout(PATIENCE_SECONDS),
            Client(streamable_http_client(mcp, http_client=http), mode=mode) as client,
        ):
            found = len((await client.list_prompts()).prompts)
            version = client.protocol_version
    except Exception as error:  # noqa: BLE001 - groups of the libraries' errors
        return bad(name, f"{mcp} does not list its prompts: {innermost(error)}.")
    if not found:
        return doubtful(name, f"Revision {version} lists no prompts; does the key cover any?")
    return good(name, f"Revision {version} lists {plural(found, 'prompt')}.")
