"""
The judgement about browser sessions: whether one is live, what a page may ask for, where it leads.
"""

import re
from copy import replace
from datetime import datetime

from ctxfy.core.models.auth_models import DenialReason, Denied, KeyId
from ctxfy.core.models.session_models import Session, SessionLifetimes, TokenDigest


MAX_SESSIONS_PER_KEY = 20
MAX_NEXT_LENGTH = 2048

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""
Methods that change nothing (RFC 9110, section 9.2.1), less TRACE, which nobody here answers.
"""

# In ASCII without blanks, since browsers drop tabs and line breaks before they read an address;
# without backslashes, which they take for slashes; and with no second slash, which begins a host.
_LOCAL_PATH = re.compile(r"/(?:[!-.0-\[\]-~][!-\[\]-~]*)?")


def begin_session(
    token_digest: TokenDigest, key_id: KeyId, lifetimes: SessionLifetimes, now: datetime
) -> Session:
    """
    Lay out a new session.
    """
    return Session(
        token_digest=token_digest,
        key_id=key_id,
        created_at=now,
        last_seen_at=now,
        idle_expires_at=now + lifetimes.idle,
        expires_at=now + lifetimes.absolute,
    )


def decide_session(session: Session | None, now: datetime) -> Session | Denied:
    """
    Decide whether a session is live at `now`; its key is another question.

    One that never was and one that is over look alike: expired ones are removed.
    """
    if session is None or not is_live(session, now):
        return Denied(
            reason=DenialReason.SESSION, sentence="The browser session is over; log in again."
        )
    return session


def is_live(session: Session, now: datetime) -> bool:
    """
    Whether neither of the session's lives is over at `now`.
    """
    return now < session.idle_expires_at and now < session.expires_at


def renew(session: Session, lifetimes: SessionLifetimes, now: datetime) -> Session | None:
    """
    Begin the idle life anew; None while that is not worth a write.
    """
    if now - session.last_seen_at < lifetimes.idle / 60:
        return None
    return replace(session, last_seen_at=now, idle_expires_at=now + lifetimes.idle)


def decide_unsafe_request(method: str, *, own_page: bool, token_matches: bool) -> Denied | None:
    """
    Decide whether a request may use a browser's session; None is yes.

    A browser adds its cookie to whatever any page asks for. So what may change something must come
    from a page of this server, and show a token that only such a page can read.
    """
    if method in SAFE_METHODS or (own_page and token_matches):
        return None
    return Denied(
        reason=DenialReason.FORGED,
        sentence=(
            "With a browser session this is taken only from a page of this server"
            " that sends the session's X-CSRF-Token."
        ),
    )


def local_path(text: str) -> str | None:
    """
    Take an address only if it leads to this very server; None if it does not.
    """
    if len(text) > MAX_NEXT_LENGTH or not _LOCAL_PATH.fullmatch(text):
        return None
    return text
