"""
Ports about what keys are used for.
"""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import DayOfKey, KeyUse


class KeyUsagePort(Protocol):
    """
    Driven port: where requests are counted for their keys. Synchronous, and never raises.
    """

    def note(self, key_id: KeyId, use: KeyUse) -> None:
        """
        Count one request, now.
        """
        ...


class UsageStorePort(Protocol):
    """
    Driven port: where counts are kept. Every method may raise UnavailableError.
    """

    async def add(self, days: Sequence[DayOfKey]) -> None:
        """
        Add to what is kept, all of it or nothing; each key and day is named once.

        Keys whose owner was erased are passed over.
        """
        ...

    async def days_of(self, key_id: KeyId, *, since: date) -> list[DayOfKey]:
        """
        List the days of a key on which it was used, the oldest first.
        """
        ...

    async def prune(self, *, before: date) -> int:
        """
        Forget the days before a day; tells how many.
        """
        ...
