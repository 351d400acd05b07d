"""
The shell around browser sessions: load, decide, act, report.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from ctxfy.adapters.auth.session_material import SessionMaterial
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import Decision, Denied, Granted, KeyId
from ctxfy.core.models.session_models import Session, SessionLifetimes, TokenDigest
from ctxfy.core.ports.auth_ports import AuthCommandPort, SessionStorePort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.session_use_cases import (
    MAX_SESSIONS_PER_KEY,
    begin_session,
    decide_session,
    renew,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSession:
    """
    What a browser is given when it has shown a key.

    Attributes:
        seconds: How long the session can last.
    """

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    seconds: int


class SessionService:
    """
    Opens, recognizes and closes sessions.

    Nothing is cached: a session that is closed is closed in every process at once. Its key is
    looked at anew at each request, through the cache of keys, and ends with it.
    """

    def __init__(
        self,
        store: SessionStorePort,
        keys: AuthCommandPort,
        material: SessionMaterial,
        *,
        lifetimes: SessionLifetimes,
        now: Callable[[], datetime],
        logging: LoggingPort,
        static: StaticKeys | None = None,
    ) -> None:
        self._store = store
        self._keys = keys
        self._material = material
        self._lifetimes = lifetimes
        self._now = now
        self._logging = logging
        self._static = static

    async def open(self, key_id: KeyId) -> OpenedSession:
        """
        Open a session for a key that was just shown. Its token is new, whatever the browser had.

        Raises:
            StaticKeyError: The key lives in the settings, and opens none.
            UnavailableError: The store is out of reach.
        """
        if self._static is not None:
            # A session hangs on a row of its key, and ends with it.
            self._static.require_other(key_id)
        token = self._material.new_token()
        session = begin_session(self._material.digest(token), key_id, self._lifetimes, self._now())
        await self._store.open(session, keep=MAX_SESSIONS_PER_KEY)
        return OpenedSession(
            token=token,
            csrf_token=self._material.csrf_token(token),
            seconds=int(self._lifetimes.absolute.total_seconds()),
        )

    async def authenticate(self, token: str) -> Decision:
        """
        Decide who holds a session: its key, as the key is now.

        Raises:
            UnavailableError: The store is out of reach.
        """
        now = self._now()
        session = decide_session(await self._store.find(self.digest(token)), now)
        if isinstance(session, Denied):
            return session
        decision = await self._keys.recognize(session.key_id)
        if isinstance(decision, Granted):
            await self._renew(session, now)
        return decision

    def digest(self, token: str) -> TokenDigest:
        """
        Name the session of a token, for who is to close it without knowing the token.
        """
        return self._material.digest(token)

    def csrf_matches(self, token: str, shown: str) -> bool:
        """
        Whether a page showed the CSRF token of the session.
        """
        return hmac.compare_digest(self._material.csrf_token(token).encode(), shown.encode())

    async def close(self, token_digest: TokenDigest) -> None:
        """
        End a session. Idempotent.

        Raises:
            UnavailableError: The store is out of reach.
        """
        await self._store.close(token_digest)

    async def _renew(self, session: Session, now: datetime) -> None:
        renewed = renew(session, self._lifetimes, now)
        if renewed is None:
            return
        try:
            await self._store.touch(renewed)
        except UnavailableError as error:
            # The request is served: that the session may end a little early harms nobody.
            self._logging.log_error(None, error, {"doing": "noting the use of a session"})
