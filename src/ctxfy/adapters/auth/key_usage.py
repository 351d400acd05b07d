"""
What keys are used for: counted in memory, written in batches.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.models.usage_models import DayOfKey, KeyUse
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.ports.usage_ports import UsageStorePort


MAX_WAITING = 20_000
"""
How many keys and days may wait for a database that is away.
"""


class KeyUsage:
    """
    Gathers counts until they are written, so that no request waits for it (KeyUsagePort).

    What a process that is killed loses is what it counted since the last batch.

    Args:
        keep_days: How long days are kept.
    """

    def __init__(
        self,
        store: UsageStorePort,
        *,
        keep_days: int,
        now: Callable[[], datetime],
        logging: LoggingPort,
    ) -> None:
        self._store = store
        self._keep = timedelta(days=keep_days)
        self._now = now
        self._logging = logging
        self._waiting: dict[tuple[KeyId, date], KeyUse] = {}
        self._lost = 0
        self._pruned_on: date | None = None

    def note(self, key_id: KeyId, use: KeyUse) -> None:
        """
        Count one request, now.
        """
        place = (key_id, self._now().date())
        before = self._waiting.get(place)
        if before is not None:
            self._waiting[place] = before.plus(use)
        elif len(self._waiting) < MAX_WAITING:
            self._waiting[place] = use
        else:
            self._lost += use.requests

    async def days_of(self, key_id: KeyId, *, days: int) -> list[DayOfKey]:
        """
        List what a key was used for on the last days, today included; some seconds behind.

        Raises:
            UnavailableError: The store is out of reach.
        """
        since = self._now().date() - timedelta(days=days - 1)
        return await self._store.days_of(key_id, since=since)

    async def flush(self) -> None:
        """
        Write the counts, and forget days that are too old. What fails is tried with the next batch.
        """
        waiting, self._waiting = self._waiting, {}
        written = not waiting
        try:
            if waiting:
                await self._store.add(
                    [
                        DayOfKey(key_id=key_id, day=day, use=use)
                        for (key_id, day), use in sorted(waiting.items())
                    ]
                )
                written = True
            await self._prune()
        except UnavailableError as error:
            self._logging.log_error(None, error, {"doing": "writing what keys were used for"})
        finally:
            if not written:  # nor if we are cancelled meanwhile
                self._take_back(waiting)
        if self._lost:
            lost, self._lost = self._lost, 0
            self._logging.log_event("key_usage_lost", level=LogLevel.WARNING, requests=lost)

    async def _prune(self) -> None:
        today = self._now().date()
        if today != self._pruned_on:
            await self._store.prune(before=today - self._keep)
            self._pruned_on = today

    def _take_back(self, waiting: dict[tuple[KeyId, date], KeyUse]) -> None:
        for place, use in self._waiting.items():
            waiting[place] = use.plus(waiting[place]) if place in waiting else use
        self._waiting = waiting
