"""
The body of a request: read whole and bounded before anything is done about it, then given again.
"""

from codecs import BOM_UTF8

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from ctxfy.adapters.auth.request_head import RequestHead
from ctxfy.core.exceptions import (
    BodyTooLargeError,
    MalformedBodyError,
    UnsupportedMediaTypeError,
)
from ctxfy.core.models.auth_models import RoutePolicy


JSON = "application/json"


async def read_body(
    head: RequestHead, receive: Receive, policy: RoutePolicy | None, limit: int
) -> bytes:
    """
    Read the whole body, bounded: nothing behind the gate waits for a slow sender.

    Raises:
        UnsupportedMediaTypeError: It is not of the media type the route takes.
        MalformedBodyError: It should be JSON, and is in another encoding.
        BodyTooLargeError: It is larger than `limit` or the route's own, announced or found out.
        ClientDisconnect: The sender went away before its end; half a body is acted on by nobody.
    """
    if policy is not None and policy.max_body_bytes is not None:
        limit = min(limit, policy.max_body_bytes)
    _require_media_type(head, policy)
    announced = (head.announced or "").lstrip("0")
    # Compared by length first: Python refuses to read numbers of thousands of digits.
    digits = len(str(limit))
    if announced.isdecimal() and (len(announced) > digits or int(announced) > limit):
        raise BodyTooLargeError(limit)
    if policy is None or policy.consumes is None:
        return b""  # nobody behind the gate reads one, so none is kept for them
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLargeError(limit)
        if not message.get("more_body", False):
            if policy.consumes == JSON:
                _require_utf8(body)
            return bytes(body)


def _require_media_type(head: RequestHead, policy: RoutePolicy | None) -> None:
    wanted = None if policy is None else policy.consumes
    if wanted is not None and head.manner.media_type != wanted:
        raise UnsupportedMediaTypeError(f"Send the body as Content-Type: {wanted}.")


def _require_utf8(body: bytearray) -> None:
    # RFC 8259, section 8.1. Some parsers behind us would also take UTF-16 and UTF-32, in which no
    # text of JSON is without a zero byte; in UTF-8 none has one, since strings must escape it.
    if b"\0" in body or body.startswith(BOM_UTF8):
        raise MalformedBodyError


def replay_body(body: bytes, receive: Receive) -> Receive:
    """
    Give the body once more, then whatever the connection has to say (its end).
    """
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
