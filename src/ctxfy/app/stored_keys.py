"""
Keys for commands, which work on the store without a server.
"""

import time
from typing import TYPE_CHECKING

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.app.loading import utc_now
from ctxfy.app.static_key_settings import static_infos


if TYPE_CHECKING:
    from ctxfy.app.bootstrap import Storage
    from ctxfy.app.config import Settings


def static_keys(settings: "Settings") -> StaticKeys:
    """
    Make the keys that stand in the settings.

    Raises:
        ConfigurationError: One cannot be, or two have the same id.
    """
    return StaticKeys(static_infos(settings.auth.static_keys, utc_now()))


def key_service(settings: "Settings", storage: "Storage") -> ApiKeyService:
    """
    Make the service over an open store; running servers see by themselves what it changes.
    """
    return ApiKeyService(
        storage.keys,
        storage.material,
        now=utc_now,
        monotonic=time.monotonic,
        logging=NullLogging(),
        static=static_keys(settings),
    )
