"""
Randomness and keyed digests for API keys: KeyMaterialPort.
"""

import hmac
from collections.abc import Callable, Mapping
from hashlib import blake2b, sha256

from ctxfy.core.models.auth_models import ApiKeyDigest, KeyId
from ctxfy.core.use_cases.auth_use_cases import SECRET_BYTES, compose_key, compose_key_id


# Public, and no pepper: it only keeps these digests apart from all others. A digest in the settings
# needs none, since whoever can write there can do anything.
_STATIC = b"ctxfy static key"
_FINGERPRINT = b"ctxfy key fingerprint"


class HmacKeyMaterial:
    """
    HMAC-SHA-256 under peppers held outside the database.

    A key has 256 random bits, so a slow password hash would protect nothing and would cost a core
    all but four to ten checks a second.

    Args:
        peppers: By id, each at least 32 bytes.
        random_bytes: Cryptographically secure.
        current: The id of the one that makes new digests; the highest if it is not said.
    """

    def __init__(
        self,
        peppers: Mapping[int, bytes],
        random_bytes: Callable[[int], bytes],
        *,
        current: int | None = None,
    ) -> None:
        # Keyed once: to copy a keyed hash takes half as long as to key one anew.
        self._peppers = {
            number: hmac.new(pepper, None, sha256) for number, pepper in peppers.items()
        }
        self._current = max(peppers) if current is None else current
        self._random_bytes = random_bytes
        own = hmac.digest(peppers[self._current], _FINGERPRINT, sha256)
        self._fingerprints = blake2b(key=own, digest_size=32)

    @property
    def pepper_id(self) -> int:
        """
        Which pepper new digests are made with.
        """
        return self._current

    @property
    def pepper_ids(self) -> frozenset[int]:
        """
        Every pepper that is known here.
        """
        return frozenset(self._peppers)

    def new_key(self) -> tuple[KeyId, str]:
        """
        Make a key id and the whole key around it.
        """
        key_id = compose_key_id(self._random_bytes(16))
        return key_id, self.new_secret(key_id)

    def new_secret(self, key_id: KeyId) -> str:
        """
        Make a whole key with this id.
        """
        return compose_key(key_id, self._random_bytes(SECRET_BYTES))

    def digest(self, api_key: str, pepper_id: int | None = None) -> ApiKeyDigest | None:
        """
        HMAC-SHA-256 of a whole key under a pepper, the current one if none is named.
        """
        pepper = self._peppers.get(self._current if pepper_id is None else pepper_id)
        if pepper is None:
            return None
        keyed = pepper.copy()
        keyed.update(api_key.encode())
        return ApiKeyDigest(keyed.hexdigest())

    def static_digest(self, api_key: str) -> ApiKeyDigest:
        """
        Digest of a whole key for the settings: the same on every server.
        """
        return ApiKeyDigest(hmac.digest(_STATIC, api_key.encode(), sha256).hex())

    def fingerprint(self, api_key: str) -> bytes:
        """
        Keyed BLAKE2b (RFC 7693) of a whole key: a third of the work of a digest.
        """
        keyed = self._fingerprints.copy()
        keyed.update(api_key.encode())
        return keyed.digest()
