"""
Whether what was shown is the secret of a key, in the same work whatever is known of the key.
"""

import hmac
from dataclasses import dataclass

from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, OldSecret
from ctxfy.core.ports.auth_ports import KeyMaterialPort


# What no key has for a digest, as far as anybody can find out.
NO_DIGEST = ApiKeyDigest("0" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """
    Which of a key's secrets was shown.
    """

    current: bool = False
    old: bool = False


class KeyVerifier:
    """
    Compares whole keys with digests.

    Always two digests and two comparisons: whether there is such a key, has an old secret beside
    the new one, or is under a pepper that is gone, the time tells nobody. More peppers cost nothing
    more.
    """

    def __init__(self, material: KeyMaterialPort, static: StaticKeys | None = None) -> None:
        self._material = material
        self._static = static or StaticKeys()

    def prove(self, api_key: str, info: ApiKeyInfo | None) -> Proof:
        """
        Tell which secret of a key was shown; neither if there is no such key.
        """
        return Proof(
            current=self._matches(api_key, info)
            if info is None or info is not self._static.get(info.key_id)
            # Never by what the store says of a key: there, only a pepper makes a digest good.
            else hmac.compare_digest(info.api_key, self._material.static_digest(api_key)),
            old=self._matches(api_key, None if info is None else info.old_secret),
        )

    def _matches(self, api_key: str, kept: ApiKeyInfo | OldSecret | None) -> bool:
        digest = self._material.digest(api_key, None if kept is None else kept.pepper_id)
        if digest is None:
            # The pepper is gone; what it would have cost is paid all the same.
            digest, kept = self._material.digest(api_key), None
        return hmac.compare_digest(NO_DIGEST if kept is None else kept.api_key, digest or "")
