"""
The keys of a token's issuer, read over HTTP within bounds (KeySetSourcePort).
"""

import asyncio
from http import HTTPStatus

import httpx2

from ctxfy.adapters.remote_server.verdicts import reason_of
from ctxfy.core.exceptions import UnavailableError


MAX_BYTES = 256 * 1024
DEPENDENCY = "issuer of tokens"


class RemoteKeySet:
    """
    Fetches one address, set by the operator: no token has a say in it, and no redirect is followed.

    Args:
        url: Where the set is published.
        seconds: How long all of it may take.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self._url = url
        self._seconds = seconds

    async def fetch(self) -> bytes:
        """
        Read the whole set.

        Raises:
            UnavailableError: It cannot be reached, is too slow or too large, or answers otherwise.
        """
        try:
            # The client's own timeouts are for single reads; who sends a byte a second passes them.
            async with asyncio.timeout(self._seconds):
                return await self._read()
        except TimeoutError as error:
            raise self._failed(f"it took longer than {self._seconds:g} seconds") from error
        except httpx2.TransportError as error:
            raise self._failed(reason_of(error)) from error

    async def _read(self) -> bytes:
        # Not compressed: a small answer could grow without bounds.
        headers = {"accept": "application/json", "accept-encoding": "identity"}
        async with (
            httpx2.AsyncClient(follow_redirects=False, timeout=self._seconds) as client,
            client.stream("GET", self._url, headers=headers) as answer,
        ):
            if answer.status_code != HTTPStatus.OK:
                raise self._failed(f"it answers {answer.status_code}")
            body = bytearray()
            async for part in answer.aiter_raw():
                body += part
                if len(body) > MAX_BYTES:
                    raise self._failed(f"it answers with more than {MAX_BYTES} bytes")
            return bytes(body)

    def _failed(self, reason: str) -> UnavailableError:
        return UnavailableError(DEPENDENCY, f"{self._url}: {reason}.")
