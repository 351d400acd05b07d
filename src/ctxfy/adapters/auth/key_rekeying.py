"""
Keys under an older pepper, brought under the one in use when they are next shown.
"""

from ctxfy.adapters.auth.key_lookup import KeyLookup
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import STATIC, ApiKeyDigest, ApiKeyInfo, NewDigest
from ctxfy.core.ports.auth_ports import ApiKeyStorePort, KeyMaterialPort
from ctxfy.core.ports.monitoring_ports import LoggingPort


class KeyRekeying:
    """
    Gathers new digests until they are written, so that no request waits for it.

    What is lost on the way is made again at the next use.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        material: KeyMaterialPort,
        lookup: KeyLookup,
        *,
        logging: LoggingPort,
    ) -> None:
        self._store = store
        self._material = material
        self._lookup = lookup
        self._logging = logging
        self._digests: dict[ApiKeyDigest, NewDigest] = {}

    def note(self, api_key: str, info: ApiKeyInfo, *, by_old_secret: bool) -> None:
        """
        Make a new digest of a secret that was just proved, if its pepper is not the one in use.

        Args:
            api_key: The whole key; it is not kept.
            info: What is known of it.
            by_old_secret: Whether it is the secret from before the last rotation.
        """
        pepper_id = self._material.pepper_id
        kept = info.old_secret if by_old_secret else info
        if kept is None or kept.pepper_id in {pepper_id, STATIC} or kept.api_key in self._digests:
            return
        digest = self._material.digest(api_key)
        assert digest is not None  # noqa: S101 - the current pepper is always there # nosec B101
        self._digests[kept.api_key] = NewDigest(
            key_id=info.key_id, before=kept.api_key, api_key=digest, pepper_id=pepper_id
        )

    async def flush(self) -> None:
        """
        Write the new digests. A failure is logged.
        """
        digests, self._digests = list(self._digests.values()), {}
        if not digests:
            return
        try:
            count = await self._store.rekey(digests)
        except UnavailableError as error:
            self._logging.log_error(None, error, {"doing": "bringing keys under the new pepper"})
            return
        for each in digests:
            self._lookup.drop(each.key_id)
        self._logging.log_event("keys_rekeyed", count=count, pepper_id=self._material.pepper_id)
