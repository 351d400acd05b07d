"""
People who come with tokens in place of keys (PersonDirectoryPort).
"""

from collections.abc import Callable
from datetime import datetime

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.people import find_or_create_person, find_person
from ctxfy.core.exceptions import UnavailableError


BELIEVED_SECONDS = 10.0
MAX_REMEMBERED = 10_000


class SqlPersonDirectory:
    """
    Finds people, and remembers them for a moment: whoever was erased gets a new id soon after.

    While the store is away, what was remembered is believed.
    """

    def __init__(
        self,
        *,
        database: Database,
        envelope: Envelope,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._now = now
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, str]] = {}

    async def person_of(self, user_id: str) -> str:
        """
        Return the id of a person, who is kept if new.

        Raises:
            UnavailableError: The store is out of reach, and the person was not seen before.
        """
        known = self._known.get(user_id)
        if known is not None and self._monotonic() - known[0] < BELIEVED_SECONDS:
            return known[1]
        try:
            person_id = await self._look_up(user_id)
        except UnavailableError:
            if known is None:
                raise
            return known[1]
        self._known.pop(user_id, None)
        if len(self._known) >= MAX_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[user_id] = (self._monotonic(), person_id)
        return person_id

    async def _look_up(self, user_id: str) -> str:
        found = await self._database.read(
            lambda connection: find_person(connection, self._envelope, user_id)
        )
        if found is not None:
            return found
        return await self._database.write(
            lambda connection: find_or_create_person(
                connection, self._envelope, user_id, at=self._now()
            )
        )
