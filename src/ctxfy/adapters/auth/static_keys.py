"""
Keys that are kept in the settings, by digest.
"""

from collections.abc import Iterable
from datetime import datetime

from ctxfy.core.exceptions import StaticKeyError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyId
from ctxfy.core.use_cases.expiry_use_cases import is_steady_admin


class StaticKeys:
    """
    Known for as long as the process runs; a key of the store with the same id is not seen.
    """

    def __init__(self, keys: Iterable[ApiKeyInfo] = ()) -> None:
        self._keys = {info.key_id: info for info in keys}

    def get(self, key_id: KeyId) -> ApiKeyInfo | None:
        """
        Return a key, or None.
        """
        return self._keys.get(key_id)

    def has_admin(self, now: datetime) -> bool:
        """
        Tell whether one of them can administer the server.
        """
        return any(is_steady_admin(info, now) for info in self._keys.values())

    def require_other(self, key_id: KeyId) -> None:
        """
        Refuse to change a key that is kept in the settings.

        Raises:
            StaticKeyError: It is.
        """
        if key_id in self._keys:
            raise StaticKeyError(key_id)
