"""
Answers that a client may keep, and asks about with `If-None-Match` (RFC 9110, section 13.1.2).
"""

import re
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response


ASK_AGAIN = {
    # Kept by whoever asked, for nobody else, and never used without asking: a key may have been
    # revoked since, and another key sees other prompts.
    "cache-control": "private, no-cache",
    "vary": "Authorization, X-API-Key, Cookie",
}
_HASH_LENGTH = 32
_OPAQUE = re.compile(r'"([^"]*)"')


def etag_of(content: bytes) -> str:
    """
    Name a content by its hash, in quotes.
    """
    return f'"{sha256(content).hexdigest()[:_HASH_LENGTH]}"'


def conditional(request: Request, content: bytes, etag: str, media_type: str) -> Response:
    """
    Give the content, or 304 to a client that has it.
    """
    headers = {**ASK_AGAIN, "etag": etag}
    if is_named(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def is_named(if_none_match: str, etag: str) -> bool:
    """
    Whether the header names the content; weak tags count, since proxies make strong ones weak.
    """
    return if_none_match.strip() == "*" or etag.strip('"') in _OPAQUE.findall(if_none_match)
