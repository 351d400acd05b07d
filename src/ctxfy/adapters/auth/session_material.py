"""
Randomness and keyed digests for browser sessions.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from ctxfy.core.models.session_models import TokenDigest


_TOKEN_BYTES = 32


class SessionMaterial:
    """
    Tokens, and what is derived from them under keys of their own.

    Args:
        pepper: At least 32 bytes, held outside the database. With another one every browser must
            log in again.
        random_bytes: Cryptographically secure.
    """

    def __init__(self, pepper: bytes, random_bytes: Callable[[int], bytes]) -> None:
        # One key per purpose: a page may read its CSRF token, and learns nothing of a digest by it.
        self._digest_key = hmac.digest(pepper, b"ctxfy session tokens", sha256)
        self._csrf_key = hmac.digest(pepper, b"ctxfy csrf tokens", sha256)
        self._random_bytes = random_bytes

    def new_token(self) -> str:
        """
        Make a token: 256 random bits in 43 characters that need no quoting.
        """
        return urlsafe_b64encode(self._random_bytes(_TOKEN_BYTES)).rstrip(b"=").decode()

    def digest(self, token: str) -> TokenDigest:
        """
        HMAC-SHA-256 of a token, under which its session is kept.
        """
        return TokenDigest(hmac.digest(self._digest_key, token.encode(), sha256).hex())

    def csrf_token(self, token: str) -> str:
        """
        What a page of this server shows to prove that it may use the session.
        """
        return hmac.digest(self._csrf_key, token.encode(), sha256).hex()
