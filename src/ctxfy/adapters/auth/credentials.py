"""
The credential of a request: exactly one, from the headers, never from the address.

A session's cookie is one only if no other came: browsers send it unasked.
"""

from base64 import b64decode
from collections.abc import Iterable

from ctxfy.adapters.auth.cookies import SessionToken, read_session_token
from ctxfy.core.models.auth_models import DenialReason, Denied


type Headers = Iterable[tuple[bytes, bytes]]

CREDENTIAL_HEADERS = frozenset({b"authorization", b"x-api-key"})
COOKIE_HEADER = b"cookie"
MAX_HEADER_BYTES = 1024


def read_credential(
    headers: Headers, *, sessions: bool = False, secure: bool = False
) -> str | SessionToken | Denied:
    """
    Find the API key a request carries, or say why there is none to look at.

    It comes as `Authorization: Bearer` (RFC 6750), as `X-API-Key`, or as the password of Basic
    (RFC 7617). Where `sessions` are taken, a session's token will do as well.
    """
    found = [(name, value) for name, value in headers if name in CREDENTIAL_HEADERS]
    if not found:
        cookies = b"; ".join(value for name, value in headers if name == COOKIE_HEADER)
        session = read_session_token(cookies, secure=secure) if sessions and cookies else None
        return session or Denied(
            reason=DenialReason.MISSING,
            sentence="An API key is needed: send it as 'Authorization: Bearer <key>'.",
        )
    if len(found) > 1:
        return Denied(
            reason=DenialReason.AMBIGUOUS,
            sentence="Several credentials came with the request; send exactly one.",
        )
    name, value = found[0]
    if len(value) > MAX_HEADER_BYTES:
        return malformed()
    text = value.decode("latin-1").strip()
    return _authorization(text) if name == b"authorization" else text


def malformed() -> Denied:
    """
    Say that a credential is not of the form that keys have.
    """
    return Denied(
        reason=DenialReason.MALFORMED,
        sentence=(
            "The API key is malformed: it begins with 'ctxfy_' and has 68 characters; "
            "was it copied whole?"
        ),
    )


def _authorization(text: str) -> str | Denied:
    scheme, _, rest = text.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            return _password(rest.strip())
        case _:
            return Denied(
                reason=DenialReason.MALFORMED,
                sentence="The Authorization header must use the scheme Bearer or Basic.",
            )


def _password(encoded: str) -> str | Denied:
    try:
        pair = b64decode(encoded, validate=True).decode()
    except ValueError:  # not base64, not ASCII even, or not UTF-8 inside
        return malformed()
    return pair.partition(":")[2]
