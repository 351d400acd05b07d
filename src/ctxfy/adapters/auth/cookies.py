"""
The two cookies of a browser session: the token, which no script can read, and the CSRF token.
"""

from dataclasses import dataclass, field

from starlette.responses import Response

from ctxfy.adapters.auth.session_service import OpenedSession
from ctxfy.core.models.auth_models import DenialReason, Denied


SESSION_COOKIE = "ctxfy_session"
# A browser takes a cookie of this prefix only over TLS and for this very host and all its paths, so
# that neither a neighbouring host nor somebody in the network can put another one in its place.
SECURE_SESSION_COOKIE = f"__Host-{SESSION_COOKIE}"
CSRF_COOKIE = "ctxfy_csrf"
CSRF_HEADER = b"x-csrf-token"

_MAX_VALUE_BYTES = 128


@dataclass(frozen=True, slots=True)
class SessionToken:
    """
    A session's token as a request showed it; it says nothing about its being known.
    """

    text: str = field(repr=False)


def read_session_token(cookies: bytes, *, secure: bool) -> SessionToken | Denied | None:
    """
    Find the session's token in a Cookie header (RFC 6265, section 4.2.1); None if there is none.

    If the request came by TLS (`secure`), only the cookie counts that was set over it.
    """
    pairs = [pair.strip().partition(b"=") for pair in cookies.split(b";")]
    for name in (SECURE_SESSION_COOKIE,) if secure else (SECURE_SESSION_COOKIE, SESSION_COOKIE):
        found = [value for key, _, value in pairs if key == name.encode()]
        if len(found) > 1:
            return Denied(
                reason=DenialReason.AMBIGUOUS,
                sentence="Several session cookies came with the request; delete them and log in.",
            )
        if found:
            return SessionToken(found[0][:_MAX_VALUE_BYTES].decode("latin-1"))
    return None


def set_session_cookies(response: Response, opened: OpenedSession, *, secure: bool) -> None:
    """
    Give the browser its session.
    """
    response.set_cookie(
        _session_cookie(secure=secure),
        opened.token,
        max_age=opened.seconds,
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    response.set_cookie(
        CSRF_COOKIE, opened.csrf_token, max_age=opened.seconds, secure=secure, samesite="lax"
    )


def clear_session_cookies(response: Response, *, secure: bool) -> None:
    """
    Take the session from the browser.
    """
    response.delete_cookie(_session_cookie(secure=secure), secure=secure, httponly=True)
    response.delete_cookie(CSRF_COOKIE, secure=secure)


def _session_cookie(*, secure: bool) -> str:
    return SECURE_SESSION_COOKIE if secure else SESSION_COOKIE
