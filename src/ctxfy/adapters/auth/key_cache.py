"""
What was read of keys, and that there is none of an id, too.
"""

from ctxfy.core.models.auth_models import ApiKeyInfo, KeyId


CACHE_SIZE = 10_000
MAX_STALE = 300.0


class KeyCache:
    """
    Remembers answers of the store, bounded; the oldest goes first.

    Ids without a key stand apart, since anybody can make up ids: a flood of them must not push out
    real keys.

    Attributes:
        size: How many keys are remembered, and as many unknown ids.
        max_stale: Seconds for which it is believed while the store is out of reach.
    """

    def __init__(self, *, size: int = CACHE_SIZE, max_stale: float = MAX_STALE) -> None:
        self.max_stale = max_stale
        self.size = size
        self._keys: dict[KeyId, ApiKeyInfo | None] = {}
        self._unknown: dict[KeyId, ApiKeyInfo | None] = {}

    def __contains__(self, key_id: KeyId) -> bool:
        return key_id in self._keys or key_id in self._unknown

    def get(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Return what is remembered of an id: its key, or None that there is none.
        """
        return self._keys.get(key_id)

    def keep(self, key_id: KeyId, info: ApiKeyInfo | None) -> None:
        """
        Remember what the store said of an id.
        """
        kept = self._unknown if info is None else self._keys
        if len(kept) >= self.size:
            del kept[next(iter(kept))]
        kept[key_id] = info

    def drop(self, key_id: KeyId) -> None:
        """
        Forget one key.
        """
        self._keys.pop(key_id, None)

    def clear(self) -> None:
        """
        Forget everything.
        """
        self._keys.clear()
        self._unknown.clear()
