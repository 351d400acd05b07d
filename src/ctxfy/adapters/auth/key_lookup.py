"""
Keys by their id, as the store has them or had them a moment ago.
"""

from collections.abc import Callable

from ctxfy.adapters.auth.key_cache import KeyCache
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyId
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.auth_ports import ApiKeyStorePort
from ctxfy.core.ports.monitoring_ports import LoggingPort


POLL_SECONDS = 0.5


class KeyLookup:
    """
    Reads keys through a cache, which also remembers that there is no such key.

    Every change moves an epoch in the store; whoever calls `poll` twice a second makes revocations
    of other processes hold here within one second.

    Attributes:
        hits: How often a key was remembered.
        misses: How often the store was asked.

    Args:
        cache: Remembers what the store said.
        static: Keys that are not looked for in the store.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        *,
        monotonic: Callable[[], float],
        logging: LoggingPort,
        cache: KeyCache,
        static: StaticKeys | None = None,
    ) -> None:
        self._store = store
        self._static = static or StaticKeys()
        self._monotonic = monotonic
        self._logging = logging
        self._cache = cache
        self._is_away = False
        self._epoch: int | None = None
        self._polled_at = monotonic()
        self.hits = 0
        self.misses = 0

    async def find(self, key_id: KeyId, *, fresh: bool = False) -> ApiKeyInfo | None:
        """
        Return what is known of a key.

        Args:
            key_id: Which key.
            fresh: Ask the store, whatever is remembered.

        Raises:
            UnavailableError: The store is out of reach.
        """
        if (static := self._static.get(key_id)) is not None:
            return static
        if fresh:
            return await self._store.find(key_id)
        if not self.is_stale() and key_id in self._cache:
            self.hits += 1
            return self._cache.get(key_id)
        self.misses += 1
        epoch = self._epoch
        info = await self._store.find(key_id)
        # If a change was noticed while we read, what we read may be older than it.
        if epoch == self._epoch:
            self._cache.keep(key_id, info)
        return info

    def forget(self) -> None:
        """
        Read every key anew when it comes next.
        """
        self._cache.clear()

    def drop(self, key_id: KeyId) -> None:
        """
        Read one key anew when it comes next.
        """
        self._cache.drop(key_id)

    async def poll(self) -> None:
        """
        Drop the cache if any key changed.
        """
        try:
            epoch = await self._store.epoch()
        except UnavailableError as error:
            self._note_store(away=True, sentence=str(error))
            return  # the cache is believed until it is stale
        self._note_store(away=False)
        self._polled_at = self._monotonic()
        if epoch != self._epoch:
            self.forget()
            self._epoch = epoch

    def is_stale(self) -> bool:
        """
        Tell whether the store was away for so long that no key is believed any more.
        """
        # Asked when a key comes, not by the poll: that one may itself be hanging on the store.
        return self._monotonic() - self._polled_at > self._cache.max_stale + 2 * POLL_SECONDS

    def _note_store(self, *, away: bool, sentence: str = "") -> None:
        if away == self._is_away:
            return
        self._is_away = away
        if away:
            self._logging.log_event("key_store_lost", level=LogLevel.ERROR, reason=sentence)
        else:
            self._logging.log_event("key_store_found")
