"""
The answer to "who am I?": what a key is shown of itself.

Proxies ask it about each of their own requests (`auth_request`), so it stands apart from the other
handlers: an ASGI application of a few lines, for which no request or response is made an object.
"""

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ctxfy.adapters.auth.key_fields import plain_principal


JSON = "application/json"


async def show_caller(request: Request) -> Response:
    """
    Show the caller its own key; as a handler it is described with the others.
    """
    return Response(_body(request.scope), media_type=JSON)


async def answer_caller(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001 - an ASGI application
    """
    Show the caller its own key, with what `show_caller` would say.
    """
    body = _body(scope)
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", JSON.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _body(scope: Scope) -> bytes:
    return orjson.dumps(plain_principal(scope["state"]["principal"]))
