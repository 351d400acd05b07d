"""
The answer to "who am I?": what a key is shown of itself.

Proxies ask it about each of their own requests (`auth_request`), so it stands apart from the other
handlers, and answers without FastAPI.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ctxfy.adapters.auth.key_fields import plain_principal


async def show_caller(request: Request) -> Response:
    """
    Show the caller its own key.
    """
    return JSONResponse(plain_principal(request.scope["state"]["principal"]))
