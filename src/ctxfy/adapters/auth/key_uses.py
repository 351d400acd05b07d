"""
When keys were last used: noted in memory, written in batches.
"""

from datetime import datetime

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.ports.auth_ports import ApiKeyStorePort
from ctxfy.core.ports.monitoring_ports import LoggingPort


class KeyUses:
    """
    Gathers uses until they are written, so that no request waits for it.
    """

    def __init__(self, store: ApiKeyStorePort, *, logging: LoggingPort) -> None:
        self._store = store
        self._logging = logging
        self._uses: dict[KeyId, datetime] = {}

    def note(self, key_id: KeyId, at: datetime) -> None:
        """
        Remember that a key was used.
        """
        self._uses[key_id] = at

    async def flush(self) -> None:
        """
        Write when keys were last used. A failure is logged and tried again with the next batch.
        """
        uses, self._uses = self._uses, {}
        if not uses:
            return
        written = False
        try:
            await self._store.touch(uses)
            written = True
        except UnavailableError as error:
            self._logging.log_error(None, error, {"doing": "writing last uses of keys"})
        finally:
            if not written:  # nor if we are cancelled meanwhile
                self._uses = uses | self._uses
