"""
The credential of a request: exactly one, from the headers, never from the address.

A session's cookie is one only if no other came: browsers send it unasked.
"""

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field

from ctxfy.adapters.auth.cookies import SessionToken, read_session_token
from ctxfy.core.models.auth_models import DenialReason, Denied
from ctxfy.core.use_cases.token_use_cases import looks_like_token, not_valid


type Headers = Iterable[tuple[bytes, bytes]]

CREDENTIAL_HEADERS = frozenset({b"authorization", b"x-api-key"})
COOKIE_HEADER = b"cookie"
MAX_HEADER_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WebToken:
    """
    A credential of the form that tokens of an issuer have.
    """

    text: str = field(repr=False)


def read_credential(
    headers: Headers, *, sessions: bool = False, secure: bool = False, token_bytes: int = 0
) -> str | SessionToken | WebToken | Denied:
    """
    Find the API key a request carries, or say why there is none to look at.

    It comes as `Authorization: Bearer` (RFC 6750), as `X-API-Key`, or as the password of Basic
    (RFC 7617). Where `sessions` are taken, a session's token will do as well; and where tokens are,
    of at most `token_bytes`, one of them as `Bearer`.
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
    if token_bytes and name == b"authorization" and (token := _token(value)):
        return token if len(token.text) <= token_bytes else not_valid()
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


def _token(value: bytes) -> WebToken | None:
    scheme, _, rest = value.decode("latin-1").strip().partition(" ")
    text = rest.strip()
    is_one = scheme.lower() == "bearer" and looks_like_token(text)
    return WebToken(text=text) if is_one else None


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
