"""
Keys that are about to end, noticed in the background: figures, and warnings once a day.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta

from ctxfy.adapters.auth.static_keys import StaticKeys
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import ApiKeyInfo
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.auth_ports import ApiKeyStorePort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.expiry_use_cases import (
    days_left,
    last_admin_end,
    remaining_of,
    state_of,
)


LOOK_SECONDS = 60.0
MAX_WARNINGS = 100
"""
How many keys are warned of in a day, the first to end first.
"""


class KeyWatch:
    """
    Looks at all keys once a minute.

    Args:
        warning: How long before its end a key is warned of.
        static: Keys from the settings, which have no end.
    """

    def __init__(
        self,
        store: ApiKeyStorePort,
        *,
        warning: timedelta,
        now: Callable[[], datetime],
        logging: LoggingPort,
        metrics: MetricsPort,
        static: StaticKeys | None = None,
    ) -> None:
        self._store = store
        self._static = static or StaticKeys()
        self._warning = warning
        self._now = now
        self._logging = logging
        self._metrics = metrics
        self._day: date | None = None
        self._told: set[str] = set()

    async def run(self) -> None:
        """
        Look, again and again, until cancelled.
        """
        while True:
            try:
                await self.look()
            except UnavailableError:
                pass  # told by whoever polls the store; the figures stay as they were
            except Exception as error:  # noqa: BLE001 - it must not end the watch
                self._logging.log_error(None, error, {"doing": "watching the ends of keys"})
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """
        Count keys, and warn of those that end soon.

        Raises:
            UnavailableError: The store is out of reach.
        """
        now = self._now()
        await self._count(now)
        if now.date() != self._day:
            self._day, self._told = now.date(), set()
        for info in await self._store.list_expiring(now, now + self._warning, limit=MAX_WARNINGS):
            self._warn(info, now)
        admins = await self._store.list_admins(now)
        # A key from the settings has no end.
        end = None if self._static.has_admin(now) else last_admin_end(admins, now)
        newest = max((info.created_at for info in admins), default=None)
        self._metrics.record_admin_keys(newest=newest, end=end)
        if end is not None and end <= now + self._warning and self._is_new("last admin"):
            self._logging.log_event(
                "last_admin_key_expiring",
                level=LogLevel.WARNING,
                days_left=days_left(end, now),
                remedy="ctxfy keys create --user NAME --scope admin",
            )

    async def _count(self, now: datetime) -> None:
        counts = Counter[tuple[str, str]]()
        for (status, expires_at), count in (await self._store.count_lives()).items():
            counts[state_of(status, expires_at, now), remaining_of(expires_at, now)] += count
        self._metrics.record_keys(counts)

    def _warn(self, info: ApiKeyInfo, now: datetime) -> None:
        if info.expires_at is None or not self._is_new(info.key_id):
            return
        self._logging.log_event(
            "api_key_expiring",
            level=LogLevel.WARNING,
            key_id=info.key_id,
            user_id=info.user_id,
            days_left=days_left(info.expires_at, now),
        )

    def _is_new(self, subject: str) -> bool:
        # One more than the keys, for the last admin's.
        if subject in self._told or len(self._told) > MAX_WARNINGS:
            return False
        self._told.add(subject)
        return True
