"""
The least that an ASGI application can do: a JSON answer, the same for everybody.
"""

from starlette.types import Receive, Scope, Send


BODY = b'{"key_id":"benchmark000","user_id":"admin","scope":"admin","prompts":["*"]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer.
    """
    if scope["type"] == "http":
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})
