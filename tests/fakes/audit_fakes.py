"""
Fake of the audit trail: it holds events, and can be told to be out of reach.
"""

from dataclasses import dataclass, field

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, Drained


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
