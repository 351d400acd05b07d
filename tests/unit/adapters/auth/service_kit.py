"""
What the tests of the key service share: a store and a material that write down what was asked.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.key_cache import KeyCache
from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    Decision,
    DenialReason,
    Granted,
    KeyId,
)
from tests.fakes.auth_fakes import FakeApiKeyStore
from tests.fakes.monitoring_fakes import FakeClock, RecordingLogging


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
OUTAGE = UnavailableError("storage", "it is away.")


class Randomness:
    """
    Bytes that are different each time, and the same in each run.
    """

    def __init__(self) -> None:
        self._turn = 0

    def __call__(self, count: int) -> bytes:
        """
        Give bytes.
        """
        self._turn += 1
        return bytes((self._turn * 31 + number * 7) % 256 for number in range(count))


class RecordingMaterial(HmacKeyMaterial):
    """
    Real material that writes down each digest it makes.
    """

    def __init__(
        self,
        peppers: dict[int, bytes],
        random_bytes: Randomness,
        journal: list[str],
        current: int | None = None,
    ) -> None:
        super().__init__(peppers, random_bytes, current=current)
        self._journal = journal

    def digest(self, api_key: str, pepper_id: int | None = None) -> ApiKeyDigest | None:
        """
        Make a digest.
        """
        self._journal.append("digest" if pepper_id is None else f"digest under {pepper_id}")
        return super().digest(api_key, pepper_id)


@dataclass(slots=True, kw_only=True)
class RecordingStore(FakeApiKeyStore):
    """
    The fake, writing down each look-up.
    """

    journal: list[str] = field(default_factory=list[str])

    async def find(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Look a key up.
        """
        self.journal.append("find")
        # Not super(): a dataclass with slots is another class than the one this was written in.
        return await FakeApiKeyStore.find(self, key_id)


class Bench:
    """
    A service, and everything around it.
    """

    def __init__(
        self,
        *,
        max_stale: float = 300.0,
        cache_size: int = 100,
        peppers: dict[int, bytes] | None = None,
    ) -> None:
        self.journal: list[str] = []
        self.random_bytes = Randomness()
        self.store = RecordingStore(journal=self.journal)
        self.clock = FakeClock()
        self.logging = RecordingLogging()
        self.now = NOON
        self.max_stale = max_stale
        self.cache_size = cache_size
        self.keys = self.service(peppers or {1: b"p" * 32})

    def service(self, peppers: dict[int, bytes], current: int | None = None) -> ApiKeyService:
        """
        Make another service on the same store, such as another process has.
        """
        return ApiKeyService(
            self.store,
            RecordingMaterial(peppers, self.random_bytes, self.journal, current),
            now=lambda: self.now,
            monotonic=self.clock,
            logging=self.logging,
            cache=KeyCache(size=self.cache_size, max_stale=self.max_stale),
        )

    async def created(self, user: str = "ann") -> tuple[str, KeyId]:
        """
        Create a key; returns it and its id, the journal empty again.
        """
        key = await self.keys.create_api_key(user)
        self.journal.clear()
        return key, KeyId(key[6:18])


def outcome(decision: Decision) -> DenialReason | None:
    """
    Why a key was refused; None if it was not.
    """
    return None if isinstance(decision, Granted) else decision.reason
