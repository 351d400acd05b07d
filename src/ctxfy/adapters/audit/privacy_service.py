"""
The shell around what people may ask for: to see what is held about them, and to be forgotten.
"""

from collections.abc import AsyncIterator, Callable
from copy import replace
from datetime import datetime

from ctxfy.adapters.audit.person_fields import holdings_text
from ctxfy.core.exceptions import PersonNotFoundError
from ctxfy.core.models.audit_models import Actor, AuditFilter
from ctxfy.core.models.person_models import Erasure
from ctxfy.core.ports.audit_ports import AuditPort, AuditQueryPort, PersonStorePort
from ctxfy.core.use_cases.audit_use_cases import act_of


class PrivacyService:
    """
    Exports and erases people.

    Args:
        forget: Makes this process forget what it remembers of keys; the others notice by
            themselves, within a second.
        has_other_admin: Tells whether the server can be administered without any key of the store.
    """

    def __init__(
        self,
        people: PersonStorePort,
        events: AuditQueryPort,
        trail: AuditPort,
        *,
        now: Callable[[], datetime],
        forget: Callable[[], None] = lambda: None,
        has_other_admin: Callable[[datetime], bool] = lambda _now: False,
    ) -> None:
        self._people = people
        self._events = events
        self._trail = trail
        self._now = now
        self._forget = forget
        self._has_other_admin = has_other_admin

    async def export(self, user_id: str, *, actor: Actor) -> AsyncIterator[str]:
        """
        Return everything held about a person as one JSON text, in pieces.

        That it was asked for is on the disk before there is a first piece.

        Raises:
            PersonNotFoundError: There is nobody of this name.
            UnavailableError: The store is out of reach.
        """
        held = await self._people.holdings(user_id)
        if held is None:
            raise PersonNotFoundError
        event = act_of(actor, "person_exported", self._now())
        await self._trail.append(replace(event, subject_id=held.person.person_id))
        return holdings_text(held, self._events.records(AuditFilter(user_id=user_id)))

    async def erase(self, user_id: str, *, actor: Actor) -> Erasure:
        """
        Make a person unreadable for good, and end their keys and sessions.

        Raises:
            PersonNotFoundError: There is nobody of this name.
            LastAdminKeyError: Nobody could administer the server any more.
            UnavailableError: The store is out of reach.
        """
        now = self._now()
        event = act_of(actor, "person_erased", now)
        keep_admin = not self._has_other_admin(now)
        erased = await self._people.erase(user_id, event, keep_admin=keep_admin)
        if erased is None:
            raise PersonNotFoundError
        self._forget()
        return erased
