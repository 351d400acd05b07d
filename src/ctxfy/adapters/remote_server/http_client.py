"""
The HTTP client of the bridge: with the key, and with an answer to every message.
"""

from collections.abc import Callable
from typing import Any, override

import httpx2

from ctxfy.adapters.remote_server.verdicts import reason_of


CONNECT_SECONDS = 10
SILENCE_SECONDS = 300
"""
How long a server may say nothing. A stream of changes is kept alive by pings far more often.
"""

UNAVAILABLE = -32008
"""
What the gate of a server answers, too, when something is out of reach.
"""


class RemoteServer(httpx2.AsyncClient):
    """
    Reaches one server. A server that is away answers like one that is not ready: in JSON-RPC.

    Args:
        complain: Told in sentences why nothing works.
    """

    def __init__(self, url: str, api_key: str, complain: Callable[[str], None]) -> None:
        super().__init__(
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=httpx2.Timeout(CONNECT_SECONDS, read=SILENCE_SECONDS),
        )
        self._url = url
        self._complain = complain

    @override
    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """
        Send a request; whatever happens, there is a response.
        """
        try:
            response = await super().send(request, **options)
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                # Here, where a connection that breaks can still become an answer.
                await response.aread()
        except httpx2.TransportError as error:
            sentence = f"The server at {self._url} cannot be reached ({reason_of(error)})."
            self._complain(sentence)
            return _unavailable(request, sentence)
        return self._understood(request, response) if response.is_error else response

    def _understood(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """
        Tell of a refusal; replace an answer that is none of MCP's.
        """
        try:
            error = response.json()["error"]
            sentence, ours = str(error["message"]), "request_id" in error.get("data", {})
        except (ValueError, LookupError, TypeError, AttributeError, httpx2.ResponseNotRead):
            sentence = (
                f"{self._url} answers {response.status_code}, and not as a server of MCP does; "
                "is the address right?"
            )
            self._complain(sentence)
            return _unavailable(request, sentence)
        if ours:
            # The gate's refusals; mistakes in single requests are the client's to show.
            self._complain(f"The server says: {sentence}")
        return response


def _unavailable(request: httpx2.Request, sentence: str) -> httpx2.Response:
    error = {"code": UNAVAILABLE, "message": sentence, "data": {"code": "unavailable"}}
    return httpx2.Response(
        503, json={"jsonrpc": "2.0", "id": None, "error": error}, request=request
    )
