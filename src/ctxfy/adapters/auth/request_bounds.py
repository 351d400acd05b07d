"""
The head of every request, looked at before anything is done about it.
"""

from collections.abc import Callable
from urllib.parse import quote

from starlette.types import ASGIApp, Receive, Scope, Send

from ctxfy.adapters.auth.request_head import HEAD, read_head
from ctxfy.core.exceptions import CtxfyError, RequestError
from ctxfy.core.models.request_models import RequestBounds
from ctxfy.core.use_cases.request_use_cases import check_address, check_headers


type ErrorResponder = Callable[[Scope, CtxfyError], ASGIApp]


class RequestHeadCheck:
    """
    Lets a request through whose head is small and can be read in one way only.

    Leaves the head that was read for the gate, on the scope's state.

    Args:
        app: The next application inwards.
        bounds: How large a head may be.
        on_error: Makes the answer to a refusal.
    """

    def __init__(self, app: ASGIApp, *, bounds: RequestBounds, on_error: ErrorResponder) -> None:
        self._app = app
        self._bounds = bounds
        self._ordinary_bytes = min(bounds.header_value_bytes, bounds.header_bytes)
        self._on_error = on_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Look at one request; other scopes pass through.
        """
        if scope["type"] == "http":
            try:
                head = read_head(scope["headers"])
                if not head.is_ordinary(self._bounds.headers, self._ordinary_bytes):
                    check_headers(scope["headers"], self._bounds)
                check_address(_raw_path(scope), scope["query_string"], self._bounds)
            except RequestError as error:
                await self._on_error(scope, error)(scope, receive, send)
                return
            scope.setdefault("state", {})[HEAD] = head
        await self._app(scope, receive, send)


def _raw_path(scope: Scope) -> bytes:
    # Optional in ASGI; without it, what was decoded is all that anybody will see.
    raw: bytes | None = scope.get("raw_path")
    return quote(scope["path"], safe="/!$&'()*+,;=:@~").encode() if raw is None else raw
