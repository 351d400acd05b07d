"""
The two wires of MCP over HTTP, written as the SDK writes them, byte for byte.

Since 2026-07-28 an answer is a document of JSON in ASCII. Before, it is a stream of one event that
carries JSON in UTF-8.
"""

import json
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

import orjson
from mcp.shared.inbound import ERROR_CODE_HTTP_STATUS
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION


type RequestId = int | str
type Header = tuple[bytes, bytes]

_DELETE = "\x7f"  # the one character of ASCII that the two encoders write differently


class Answer(NamedTuple):
    """
    A whole HTTP answer.
    """

    status: int
    headers: list[Header]
    body: bytes


class ModernWire:
    """
    The wire of 2026-07-28.
    """

    version = LATEST_MODERN_VERSION

    def text(self, text: str) -> bytes:
        """
        Write a string in ASCII.
        """
        if text.isascii() and _DELETE not in text:
            return orjson.dumps(text)  # the same, and faster
        return encode_basestring_ascii(text).encode("ascii")

    def json(self, value: object) -> bytes:
        """
        Write any JSON in ASCII.
        """
        return json.dumps(value, separators=(",", ":")).encode("ascii")

    def answer(self, request_id: RequestId, result: Iterable[bytes]) -> Answer:
        """
        Answer with a result.
        """
        return self._document(200, b'"result":', request_id, result)

    def error(self, request_id: RequestId, code: int, error: object) -> Answer:
        """
        Answer with an error; its code decides the status.
        """
        status = ERROR_CODE_HTTP_STATUS.get(code, 200)
        return self._document(status, b'"error":', request_id, (self.json(error),))

    def _document(
        self, status: int, member: bytes, request_id: RequestId, value: Iterable[bytes]
    ) -> Answer:
        head = b'{"jsonrpc":"2.0","id":%b,%b' % (_written(request_id, self.text), member)
        body = b"".join((head, *value, b"}"))
        length = (b"content-length", b"%d" % len(body))
        return Answer(status, [length, (b"content-type", b"application/json")], body)


class EventWire:
    """
    The wire before 2026-07-28, without a session.
    """

    version = LATEST_HANDSHAKE_VERSION
    _headers = (
        (b"cache-control", b"no-cache, no-transform"),
        (b"connection", b"keep-alive"),
        (b"content-type", b"text/event-stream"),
        (b"x-accel-buffering", b"no"),
    )

    def text(self, text: str) -> bytes:
        """
        Write a string in UTF-8.

        Raises:
            orjson.JSONEncodeError: It holds half a character.
        """
        return orjson.dumps(text)

    def json(self, value: object) -> bytes:
        """
        Write any JSON in UTF-8.
        """
        return orjson.dumps(value)

    def answer(self, request_id: RequestId, result: Iterable[bytes]) -> Answer:
        """
        Answer with a result.
        """
        return self._event(b'"result":', request_id, result)

    def error(self, request_id: RequestId, code: int, error: object) -> Answer:
        """
        Answer with an error; the status is 200 always.
        """
        del code
        return self._event(b'"error":', request_id, (self.json(error),))

    def _event(self, member: bytes, request_id: RequestId, value: Iterable[bytes]) -> Answer:
        head = b'event: message\r\ndata: {"jsonrpc":"2.0","id":%b,%b' % (
            _written(request_id, self.text),
            member,
        )
        return Answer(200, list(self._headers), b"".join((head, *value, b"}\r\n\r\n")))


def _written(request_id: RequestId, text: Callable[[str], bytes]) -> bytes:
    return text(request_id) if isinstance(request_id, str) else b"%d" % request_id


type Wire = ModernWire | EventWire

MODERN, EVENTS = ModernWire(), EventWire()
WIRES: tuple[Wire, ...] = (MODERN, EVENTS)
