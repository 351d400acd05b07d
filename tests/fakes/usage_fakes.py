"""
Fakes of the ports about what keys are used for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import NO_USE, DayOfKey, KeyUse


@dataclass(slots=True)
class RecordingUsage:
    """
    `KeyUsagePort`: every request, in order.
    """

    uses: list[tuple[KeyId, KeyUse]] = field(default_factory=list[tuple[KeyId, KeyUse]])

    def note(self, key_id: KeyId, use: KeyUse) -> None:
        """
        Remember a request.
        """
        self.uses.append((key_id, use))


@dataclass(slots=True, kw_only=True)
class FakeUsageStore:
    """
    Keeps days in a dictionary.

    Attributes:
        outage: Raised by every method while it is set.
    """

    days: dict[tuple[KeyId, date], KeyUse] = field(default_factory=dict[tuple[KeyId, date], KeyUse])
    outage: UnavailableError | None = None

    async def add(self, days: Sequence[DayOfKey]) -> None:
        """
        Add up.
        """
        self._reach()
        for each in days:
            place = (each.key_id, each.day)
            self.days[place] = self.days.get(place, NO_USE).plus(each.use)

    async def days_of(self, key_id: KeyId, *, since: date) -> list[DayOfKey]:
        """
        List the days of a key.
        """
        self._reach()
        return [
            DayOfKey(key_id=key, day=day, use=use)
            for (key, day), use in sorted(self.days.items(), key=lambda item: item[0][1])
            if key == key_id and day >= since
        ]

    async def prune(self, *, before: date) -> int:
        """
        Forget old days.
        """
        self._reach()
        old = [place for place in self.days if place[1] < before]
        for place in old:
            del self.days[place]
        return len(old)

    def _reach(self) -> None:
        if self.outage is not None:
            raise self.outage
