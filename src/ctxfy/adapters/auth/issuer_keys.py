"""
The public keys of the issuer of tokens: fetched aside, kept, and never fetched for a bad token.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwk
from joserfc.errors import JoseError

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import CheckResult, LogLevel
from ctxfy.core.models.token_models import TokenHeader
from ctxfy.core.ports.auth_ports import KeySetSourcePort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.monitoring_use_cases import doubtful, good
from ctxfy.core.use_cases.token_use_cases import MAX_KEY_NAME_LENGTH, key_kind
from ctxfy.core.use_cases.validation_use_cases import plural


type PublicKey = jwk.RSAKey | jwk.ECKey | jwk.OKPKey

DEPENDENCY = "issuer of tokens"
MAX_KEYS = 100
LEAST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerKey:
    """
    One key of the set.

    Attributes:
        name: `kid`, or None if it has none.
        algorithm: The only one it is for, or None if the set does not say.
    """

    name: str | None
    kind: str
    algorithm: str | None
    public: PublicKey

    def fits(self, header: TokenHeader) -> bool:
        """
        Whether a token with this header may be verified with it.
        """
        return (
            self.kind == key_kind(header.algorithm)
            and self.algorithm in {None, header.algorithm}
            and header.key_name in {None, self.name}
        )


class IssuerKeys:
    """
    Keeps the set in memory. `run` fetches it; a token with an unknown key only asks `run` to.

    Args:
        source: Where the set is published.
        monotonic: A clock for spans of time.
        refresh_seconds: The least time between two fetches, whoever asks.
        lifetime_seconds: How old the set may be before it is fetched again.
        max_stale: How old it may be at most, if it cannot be fetched.
    """

    def __init__(
        self,
        source: KeySetSourcePort,
        *,
        monotonic: Callable[[], float],
        logging: LoggingPort,
        refresh_seconds: float,
        lifetime_seconds: float,
        max_stale: float,
    ) -> None:
        self._source = source
        self._monotonic = monotonic
        self._logging = logging
        self._refresh_seconds = refresh_seconds
        self._lifetime_seconds = max(lifetime_seconds, refresh_seconds)
        self._max_stale = max_stale
        self._keys: Sequence[IssuerKey] = ()
        self._fetched_at: float | None = None
        self._outage: str | None = "it was not asked yet"
        self._wanted = asyncio.Event()
        self._attempted = asyncio.Event()
        self._resting = False

    @property
    def is_resting(self) -> bool:
        """
        Whether a fetch was made so short a time ago that there is none now.
        """
        return self._resting

    async def find(self, header: TokenHeader) -> PublicKey | None:
        """
        Return the key that a token says it was signed with; None if there is none, or several.

        Raises:
            UnavailableError: The set is not known, or too old.
        """
        if not self._is_usable() or self._match(header) is None:
            await self._ask()
        if not self._is_usable():
            raise UnavailableError(DEPENDENCY, self._outage or "its keys are too old.")
        return self._match(header)

    async def run(self) -> None:
        """
        Fetch the set when it is due or wanted, until cancelled.
        """
        while True:
            await self._fetch()
            self._resting = True
            attempted, self._attempted = self._attempted, asyncio.Event()
            attempted.set()
            await asyncio.sleep(self._refresh_seconds)
            self._resting = False
            self._wanted.clear()
            if self._outage is None:
                await self._wait_until_due()

    async def check(self) -> CheckResult:
        """
        Tell how the issuer's keys are: HealthProbePort.
        """
        if self._outage is None:
            return good("token_keys", f"Known: {plural(len(self._keys), 'key')} of the issuer.")
        state = "the last ones are used on" if self._is_usable() else "no token is taken"
        return doubtful("token_keys", f"The issuer's keys cannot be read; {state}.")

    async def look(self) -> CheckResult:
        """
        Fetch the set once, and tell how they are and why.
        """
        await self._fetch()
        if self._outage is None:
            return await self.check()
        return doubtful("token_keys", f"The issuer's keys cannot be read: {self._outage}")

    async def _ask(self) -> None:
        """
        Wait for the next fetch, unless one was made a moment ago.
        """
        if not self.is_resting:
            self._wanted.set()
            await self._attempted.wait()

    async def _wait_until_due(self) -> None:
        try:
            async with asyncio.timeout(self._lifetime_seconds - self._refresh_seconds):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _fetch(self) -> None:
        try:
            keys = read_key_set(await self._source.fetch())
        except UnavailableError as error:
            self._note(error.detail)
        except ValueError as error:
            self._note(f"{error}.")
        except Exception as error:  # noqa: BLE001 - else every token would wait for ever
            self._logging.log_error(None, error, {"doing": "reading the keys of the issuer"})
            self._note("its keys cannot be read.")
        else:
            self._keys, self._fetched_at = keys, self._monotonic()
            self._note(None)

    def _note(self, outage: str | None) -> None:
        before, self._outage = self._outage, outage
        if outage is None and before is not None:
            self._logging.log_event("token_keys_found", keys=len(self._keys))
        elif outage is not None and (before is None or self._fetched_at is None):
            self._logging.log_event("token_keys_lost", level=LogLevel.ERROR, reason=outage)

    def _is_usable(self) -> bool:
        at = self._fetched_at
        return at is not None and self._monotonic() - at <= self._max_stale

    def _match(self, header: TokenHeader) -> PublicKey | None:
        found = [key for key in self._keys if key.fits(header)]
        return found[0].public if len(found) == 1 else None


def read_key_set(text: bytes) -> Sequence[IssuerKey]:
    """
    Read the usable keys of a set; others are for other things, and left out (RFC 7517, section 5).

    Raises:
        ValueError: It is no set, or holds no key that can be used.
    """
    try:
        keys = json.loads(text)["keys"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ValueError("what it publishes is no set of keys") from error
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise ValueError(f"what it publishes is no set of at most {MAX_KEYS} keys")
    found = [key for item in keys if isinstance(item, dict) and (key := _read_key(item))]
    if not found:
        raise ValueError("none of the keys it publishes can be used")
    return found


def _read_key(item: Mapping[str, Any]) -> IssuerKey | None:
    kind, name, algorithm = item.get("kty"), item.get("kid"), item.get("alg")
    # A secret that is published is none: of symmetric keys, and of pairs with their private half.
    if kind not in {"RSA", "EC", "OKP"} or "d" in item or item.get("use", "sig") != "sig":
        return None
    if not (name is None or (isinstance(name, str) and len(name) <= MAX_KEY_NAME_LENGTH)):
        return None
    try:
        public = jwk.import_key(dict(item), kind)
    except (JoseError, ValueError, TypeError, LookupError):
        return None
    if isinstance(public, jwk.RSAKey) and public.raw_value.key_size < LEAST_RSA_BITS:
        return None
    return IssuerKey(name=name, kind=kind, algorithm=algorithm, public=public)
