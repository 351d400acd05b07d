"""
The judgement about the head of a request: its size, and whether it can be read in one way only.

An address that a proxy in front might read otherwise than we do is refused: what the proxy lets
through by its path would not be what is served.
"""

import re
from collections.abc import Sequence
from unicodedata import category

from ctxfy.core.exceptions import (
    AddressTooLongError,
    HeadersTooLargeError,
    MalformedRequestError,
)
from ctxfy.core.models.request_models import RequestBounds


type HeaderField = tuple[bytes, bytes]

# What nearly every path is: segments of plain characters, none of them only dots. RFC 3986, 3.3.
_PLAIN_PATH = re.compile(rb"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~!$&'()*+,;=:@-]+)*/?")
_PLAIN_QUERY = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:@/?-]*")
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
# RFC 9110, 5.5: of the control characters, a value may hold the tab.
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
# C0, DEL and C1, and what ends a line to some readers of a log.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})

_UNREADABLE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
SEGMENT_PATTERN = rf"^(?!\.{{1,2}}$)[^{_UNREADABLE}/\\]+$"
QUERY_PATTERN = f"^[^{_UNREADABLE}]*$"
"""
What `check_address` admits of a segment of a path, and of a value in a query, for schemas.
"""


def check_headers(headers: Sequence[HeaderField], bounds: RequestBounds) -> None:
    """
    Refuse header fields that are too many, too large, or hold control characters.

    Raises:
        HeadersTooLargeError: They pass a limit.
        MalformedRequestError: A value could break the line of whoever writes it down.
    """
    if len(headers) > bounds.headers:
        raise HeadersTooLargeError(f"The request has more than {bounds.headers} header fields.")
    values = b" ".join([value for _, value in headers])
    size = len(values) + sum([len(name) for name, _ in headers])
    if size > min(bounds.header_value_bytes, bounds.header_bytes):
        _check_sizes(headers, bounds)
    if _CONTROL.search(values):
        raise MalformedRequestError("A header field holds a control character.")


def _check_sizes(headers: Sequence[HeaderField], bounds: RequestBounds) -> None:
    if any(len(value) > bounds.header_value_bytes for _, value in headers):
        raise HeadersTooLargeError(
            f"A header field is larger than {bounds.header_value_bytes} bytes."
        )
    if sum(len(name) + len(value) for name, value in headers) > bounds.header_bytes:
        raise HeadersTooLargeError(
            f"The header fields together are larger than {bounds.header_bytes} bytes."
        )


def check_address(path: bytes, query: bytes, bounds: RequestBounds) -> None:
    """
    Refuse an address that is too long, or not written in the one way it can be.

    Args:
        path: As it came, percent signs and all.
        query: Likewise, without the question mark.
        bounds: How long both may be together.

    Raises:
        AddressTooLongError: It passes the limit.
        MalformedRequestError: With what is wrong.
    """
    if len(path) + len(query) > bounds.address_bytes:
        raise AddressTooLongError(bounds.address_bytes)
    if not (path and _PLAIN_PATH.fullmatch(path)):
        _check_path(path)
    if not _PLAIN_QUERY.fullmatch(query):
        _decode(query, "query")


def _check_path(path: bytes) -> None:
    if not path.startswith(b"/"):
        raise MalformedRequestError("The path does not begin with '/'.")
    segments = path.split(b"/")[1:]
    if b"" in segments[:-1]:
        raise MalformedRequestError("The path has two slashes in a row.")
    for segment in segments:
        text = _decode(segment, "path")
        if text in {".", ".."}:
            raise MalformedRequestError("The path has a segment of dots.")
        if "/" in text or "\\" in text:
            raise MalformedRequestError("The path has a backslash, or a slash that is encoded.")


def _decode(part: bytes, name: str) -> str:
    """
    Take the percent signs out.
    """
    if _BROKEN_PERCENT.search(part):
        raise MalformedRequestError(f"The {name} has a '%' without two hexadecimal digits.")
    try:
        part.decode("ascii")
        text = _PERCENT.sub(lambda found: bytes.fromhex(found[1].decode()), part).decode()
    except UnicodeDecodeError as error:
        raise MalformedRequestError(f"The {name} is not UTF-8, percent-encoded.") from error
    if not text.isprintable() and any(category(char) in _UNSAFE_CATEGORIES for char in text):
        raise MalformedRequestError(f"The {name} holds a control character.")
    return text
