"""
Fakes of the audit trail, of who watches it, and of what is held about people.
"""

from collections.abc import AsyncIterator, Sequence
from copy import replace
from dataclasses import dataclass, field

from ctxfy.core.exceptions import LastAdminKeyError, UnavailableError
from ctxfy.core.models.audit_models import (
    AuditEvent,
    AuditFilter,
    AuditRecord,
    Drained,
    Fate,
    StoredEvent,
)
from ctxfy.core.models.auth_models import KeyStatus
from ctxfy.core.models.person_models import Erasure, Holdings
from ctxfy.core.use_cases.expiry_use_cases import may_go


@dataclass(slots=True, kw_only=True)
class FakeAuditTrail:
    """
    Keeps events in a list (AuditWriterPort).

    Attributes:
        outage: Raised instead of keeping anything while it is set.
    """

    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    outage: UnavailableError | None = None
    is_away: bool = False
    spooled_bytes: int = 0
    lost: int = 0
    waiting: int = 0
    drained: list[Drained] = field(default_factory=list[Drained])

    async def append(self, event: AuditEvent) -> None:
        """
        Keep an event.
        """
        if self.outage is not None:
            self.is_away = True
            self.lost += 1
            raise self.outage
        self.events.append(event)

    async def drain(self) -> Drained:
        """
        Hand out what a test put into `drained`, and be back.
        """
        if self.outage is not None:
            raise self.outage
        self.is_away, self.spooled_bytes = False, 0
        return self.drained.pop() if self.drained else Drained()

    async def settled(self) -> None:
        """
        Nothing ever stands in line here.
        """


@dataclass(slots=True, kw_only=True)
class FakePersonStore:
    """
    Keeps people in a dictionary (PersonStorePort).

    Attributes:
        people: By name; a test may put people in and look at them.
        erased: Those who were erased, without their names.
        events: What was told of erasures.
        outage: Raised by every method while it is set.
    """

    people: dict[str, Holdings] = field(default_factory=dict[str, Holdings])
    erased: list[Holdings] = field(default_factory=list[Holdings])
    events: list[AuditEvent] = field(default_factory=list[AuditEvent])
    outage: UnavailableError | None = None

    async def holdings(self, user_id: str) -> Holdings | None:
        """
        Return what is held about somebody.
        """
        self._reach()
        return self.people.get(user_id)

    async def erase(
        self, user_id: str, event: AuditEvent, *, keep_admin: bool = True
    ) -> Erasure | None:
        """
        Take somebody's name and sessions away, and revoke their keys.
        """
        self._reach()
        held = self.people.get(user_id)
        if held is None:
            return None
        others = [
            info for name, each in self.people.items() if name != user_id for info in each.keys
        ]
        if keep_admin and not all(may_go(info, others, event.at) for info in held.keys):
            raise LastAdminKeyError("The last admin.")
        live = [info for info in held.keys if info.status is not KeyStatus.REVOKED]
        person_id = held.person.person_id
        self.erased.append(replace(self.people.pop(user_id), sessions=()))
        self.events.append(replace(event, subject_id=person_id))
        return Erasure(person_id=person_id, keys=len(live), sessions=len(held.sessions))

    def _reach(self) -> None:
        if self.outage is not None:
            raise self.outage


@dataclass(slots=True, kw_only=True)
class FakeAuditQuery:
    """
    Hands out records that a test put in (AuditQueryPort).
    """

    found: list[AuditRecord] = field(default_factory=list[AuditRecord])
    asked: list[AuditFilter] = field(default_factory=list[AuditFilter])

    async def page(
        self, wanted: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditRecord], str | None]:
        """
        Return the newest first; there is one page.
        """
        self.asked.append(wanted)
        del cursor
        return self.found[::-1][:limit], None

    async def records(self, wanted: AuditFilter) -> AsyncIterator[AuditRecord]:
        """
        Iterate over all, the oldest first.
        """
        self.asked.append(wanted)
        for record in self.found:
            yield record


@dataclass(slots=True, kw_only=True)
class FakeAuditWatcher:
    """
    Remembers what it was told (AuditWatcherPort): one pair for each event.
    """

    heard: list[tuple[Fate, AuditEvent | StoredEvent]] = field(
        default_factory=list[tuple[Fate, AuditEvent | StoredEvent]]
    )
    commits: list[float] = field(default_factory=list[float])

    def committed(self, seconds: float) -> None:
        """
        Remember how long it took.
        """
        self.commits.append(seconds)

    def told(self, fate: Fate, events: Sequence[AuditEvent | StoredEvent]) -> None:
        """
        Remember each event.
        """
        self.heard += [(fate, event) for event in events]
