"""
One request and its answer on a connection: uvicorn's, with a shorter way for the answer's head.

uvicorn searches name and value of each field of each answer for what may not stand there. Nearly
all fields are the same on all answers, and are looked at once here.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, override

from uvicorn.protocols.http.httptools_impl import (
    HEADER_RE,
    HEADER_VALUE_RE,
    STATUS_LINE,
    RequestResponseCycle,
)


if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent

# What says how the answer is framed; and no other field does.
_FRAMING = frozenset({b"connection", b"content-length", b"transfer-encoding"})
# What has few values, and no secret ones.
_STEADY = frozenset(
    {
        b"cache-control",
        b"content-security-policy",
        b"content-type",
        b"cross-origin-opener-policy",
        b"cross-origin-resource-policy",
        b"ratelimit-policy",
        b"referrer-policy",
        b"strict-transport-security",
        b"vary",
        b"x-content-type-options",
        b"x-frame-options",
    }
)
_MOST_STEADY = 256
_STEADY_LINES: dict[tuple[bytes, bytes], bytes] = {}
_WITHOUT_BODY = frozenset({204, 304})


class BoundedCycle(RequestResponseCycle):
    """
    What `BoundedConnection` serves a request with.
    """

    @override
    async def send(self, message: "ASGISendEvent") -> None:
        if self.response_started or self.disconnected or self.flow.write_paused:
            await super().send(message)
        elif message["type"] == "http.response.start":
            self._start(message)
        else:
            await super().send(message)  # which says what is wrong with it

    def _start(self, message: "HTTPResponseStartEvent") -> None:
        self.response_started = True
        self.waiting_for_100_continue = False
        status = message["status"]
        lines = [STATUS_LINE[status]]
        closes = False
        for field in (*self.default_headers, *message.get("headers", ())):
            line = _STEADY_LINES.get(field)
            if line is None:
                name, value = _checked_name(field[0]), field[1]
                line = _line(name, value)
                if name in _FRAMING:
                    closes = self._frame(name, value) or closes
                elif name in _STEADY and len(_STEADY_LINES) < _MOST_STEADY:
                    _STEADY_LINES[field] = line
            lines.append(line)
        if not (self.keep_alive or closes):
            lines.append(b"connection: close\r\n")
        has_body = self.scope["method"] != "HEAD" and status not in _WITHOUT_BODY
        if self.chunked_encoding is None and has_body:
            self.chunked_encoding = True
            lines.append(b"transfer-encoding: chunked\r\n")
        lines.append(b"\r\n")
        self.transport.write(b"".join(lines))

    def _frame(self, name: bytes, value: bytes) -> bool:
        """
        Heed a field about the frame; tell whether the connection ends with the answer.
        """
        if name == b"content-length":
            if self.chunked_encoding is None:
                self.expected_content_length, self.chunked_encoding = int(value), False
        elif name == b"transfer-encoding":
            if value.lower() == b"chunked":
                self.expected_content_length, self.chunked_encoding = 0, True
        elif b"close" in [token.strip() for token in value.lower().split(b",")]:
            self.keep_alive = False
            return True
        return False


def _line(name: bytes, value: bytes) -> bytes:
    if HEADER_VALUE_RE.search(value):
        message = f"the value of {name!r} in an answer holds a control character"
        raise RuntimeError(message)
    return b"%b: %b\r\n" % (name, value)


@lru_cache(maxsize=256)
def _checked_name(name: bytes) -> bytes:
    """
    Return a name in small letters, if it is a token (RFC 9110, 5.1).
    """
    if not name or HEADER_RE.search(name):
        message = f"an answer has a field that is named {name!r}"
        raise RuntimeError(message)
    return name.lower()
