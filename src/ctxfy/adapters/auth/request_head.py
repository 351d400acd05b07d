"""
The header fields of a request as the gate reads them: looked through once, and then asked.

Most fields are the same on all requests of a client. What they say is worked out once, and
remembered; what proves who is calling is kept apart from them, and is not.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from ctxfy.adapters.auth.cookies import CSRF_HEADER
from ctxfy.adapters.auth.credentials import COOKIE_HEADER, CREDENTIAL_HEADERS


type Field = tuple[bytes, bytes]

HEAD = "head"
"""
Where a head waits on the scope's state for the gate, which takes it from there: it holds secrets.
"""

_SECRET = CREDENTIAL_HEADERS | {COOKIE_HEADER, CSRF_HEADER}
# What is another on each request, or may be.
_OWN = frozenset(
    {
        *(b"baggage", b"content-length", b"forwarded", b"idempotency-key", b"if-none-match"),
        *(b"last-event-id", b"mcp-name", b"traceparent", b"tracestate", b"x-forwarded-for"),
        b"x-request-id",
    }
)


class Manner(NamedTuple):
    """
    What a client says alike on all its requests.

    A field that may come once and comes twice is as good as none. Of several origins there is one,
    joined, which is nobody's: no way around the check.

    Attributes:
        preflight: The method that a browser asks for before it sends a request.
        media_type: Of the body, in small letters and without parameters.
        size: Of all names and values, in bytes.
        is_printable: Whether no value holds a control character.
    """

    host: str | None
    origin: str | None
    preflight: str | None
    media_type: str
    size: int
    is_printable: bool


class RequestHead(NamedTuple):
    """
    The fields of one request.

    Attributes:
        usual: Those of its client's manner.
        own: Those that are of this request alone.
        secret: Those that prove who is calling.
    """

    manner: Manner
    usual: Sequence[Field]
    own: Sequence[Field]
    secret: Sequence[Field]

    @property
    def announced(self) -> str | None:
        """
        The Content-Length.
        """
        return _single(self.own, b"content-length")

    def is_ordinary(self, fields: int, size: int) -> bool:
        """
        Tell whether nothing can be wrong with so many fields of so many bytes together.
        """
        others = [*self.own, *self.secret]
        return (
            len(self.usual) + len(others) <= fields
            and self.manner.size + _size(others) <= size
            and self.manner.is_printable
            and _is_printable(others)
        )


def read_head(fields: Iterable[Field]) -> RequestHead:
    """
    Look through the fields of a request.
    """
    usual: list[Field] = []
    own: list[Field] = []
    secret: list[Field] = []
    for field in fields:
        name = field[0]
        (secret if name in _SECRET else own if name in _OWN else usual).append(field)
    return RequestHead(_manner(tuple(usual)), usual, own, secret)


@lru_cache(maxsize=256)
def _manner(fields: tuple[Field, ...]) -> Manner:
    origins = [value for name, value in fields if name == b"origin"]
    return Manner(
        host=_single(fields, b"host"),
        origin=b", ".join(origins).decode("latin-1") if origins else None,
        preflight=_single(fields, b"access-control-request-method"),
        media_type=(_single(fields, b"content-type") or "").partition(";")[0].strip().lower(),
        size=_size(fields),
        is_printable=_is_printable(fields),
    )


def _size(fields: Sequence[Field]) -> int:
    return sum([len(name) + len(value) for name, value in fields])


def _is_printable(fields: Sequence[Field]) -> bool:
    return b"".join([value for _, value in fields]).decode("latin-1").isprintable()


def _single(fields: Sequence[Field], name: bytes) -> str | None:
    found = [value for key, value in fields if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None
