"""
Browser sessions: a key that was shown once, remembered for a while.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

from ctxfy.core.models.auth_models import KeyId


TokenDigest = NewType("TokenDigest", str)
"""
HMAC-SHA-256 of a session's token, 64 hex characters. Never the token.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLifetimes:
    """
    How long sessions live: without a request, and whatever happens.
    """

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """
    What is known of a browser that showed a key.

    Attributes:
        key_id: What the session may do is what this key may do, at each request anew.
        last_seen_at: To within a sixtieth of the idle life: not every request is worth a write.
        idle_expires_at: When it ends unless a request comes before.
        expires_at: When it ends whatever comes.
    """

    token_digest: TokenDigest = field(repr=False)
    key_id: KeyId
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
