"""
Looks at a server again and again, for whoever watches it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import httpx2

from ctxfy.adapters.remote_server.verdicts import reason_of
from ctxfy.core.exceptions import ConfigurationError, UnavailableError


PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    What a server said at one moment.

    Attributes:
        health: The report of `/health`.
        metrics: The text of `/metrics`.
    """

    health: Mapping[str, Any] = field(default_factory=dict[str, Any])
    metrics: str = ""


class ServerWatch:
    """
    One server and the key to look at it with; an asynchronous context.

    Args:
        base: What the server's paths begin with.
        api_key: May be missing where metrics are public.
    """

    def __init__(self, base: str, api_key: str | None) -> None:
        self._base = base
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._http = httpx2.AsyncClient(timeout=PATIENCE_SECONDS, headers=headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def look(self) -> Look:
        """
        Ask for health and metrics.

        Raises:
            UnavailableError: The server cannot be reached, or is no ctxfy server.
            ConfigurationError: It shows its metrics to no one with this key.
        """
        try:
            health = await self._http.get(f"{self._base}/health")
            metrics = await self._http.get(f"{self._base}/metrics")
        except httpx2.TransportError as error:
            raise UnavailableError("server", f"{self._base}: {reason_of(error)}.") from error
        if metrics.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise ConfigurationError(
                f"{self._base} does not show its metrics to this caller ({metrics.status_code}); "
                "put a key that is not narrowed to some prompts into CTXFY_API_KEY."
            )
        try:
            report = health.json()
        except ValueError:
            report = None
        if metrics.is_error or not isinstance(report, dict):
            raise UnavailableError(
                "server",
                f"{self._base} answers {metrics.status_code} to /metrics and {health.status_code} "
                "to /health; is it a ctxfy server?",
            )
        return Look(health=report, metrics=metrics.text)
