"""
Looking after the audit trail in the background.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ctxfy.adapters.audit.audit_service import AuditService
from ctxfy.adapters.audit.refusal_fold import RefusalFold
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import Drained, Fault, SignedCheckpoint, Verdict
from tests.fakes.audit_fakes import FakeAuditTrail
from tests.fakes.monitoring_fakes import RecordingLogging


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(slots=True)
class CountingProofs:
    """
    Signs whatever is asked for, and counts.
    """

    signed: list[datetime] = field(default_factory=list[datetime])
    broken: Exception | None = None

    async def verify(self, *, gently: bool = False) -> Verdict:
        """
        Find nothing wrong.
        """
        return Verdict(events=0, chains=0)

    async def compare(self, checkpoint: SignedCheckpoint) -> list[Fault]:
        """
        Find nothing else.
        """
        return []

    async def sign_checkpoint(self, *, at: datetime) -> SignedCheckpoint:
        """
        Sign one.
        """
        if self.broken is not None:
            raise self.broken
        self.signed.append(at)
        return SignedCheckpoint(text=f"at {at}", signature=b"s")

    async def checkpoints(self, *, limit: int = 100) -> list[SignedCheckpoint]:
        """
        List none.
        """
        return []


class Desk:
    """
    A service with its clock in hand.
    """

    def __init__(self) -> None:
        self.now = NOON
        self.trail = FakeAuditTrail()
        self.proofs = CountingProofs()
        self.logging = RecordingLogging()
        self.fold = RefusalFold(lambda: self.now)
        self.service = AuditService(
            self.trail,
            self.proofs,
            self.fold,
            now=lambda: self.now,
            logging=self.logging,
        )

    @property
    def told(self) -> list[str]:
        """
        What was logged.
        """
        return [name for name, _ in self.logging.events]

    @property
    def actions(self) -> list[str]:
        """
        What was kept.
        """
        return [event.action for event in self.trail.events]


async def test_a_checkpoint_is_signed_every_hour_and_logged() -> None:
    """
    At the start, and an hour later; the log has a copy.
    """
    desk = Desk()
    for minutes in (0, 30, 30):
        desk.now += timedelta(minutes=minutes)
        await desk.service.tick()
    assert desk.proofs.signed == [NOON, NOON + timedelta(hours=1)]
    assert desk.told.count("audit_checkpoint_signed") == 2


async def test_folded_refusals_are_kept_after_a_minute() -> None:
    """
    What was counted becomes an event on the tick after its minute.
    """
    desk = Desk()
    desk.fold.count("203.0.113.0/24", "unknown")
    await desk.service.tick()
    assert desk.actions == []
    desk.now += timedelta(minutes=1)
    await desk.service.tick()
    assert desk.actions == ["strangers_refused"]


async def test_an_outage_is_told_once_and_its_end_too() -> None:
    """
    However many ticks it lasts, there is one line at each end, and an event of what was taken over.
    """
    desk = Desk()
    desk.trail.is_away = True
    desk.trail.outage = UnavailableError("storage", "gone.")
    for _ in range(3):
        with suppress(UnavailableError):
            await desk.service.tick()
    assert desk.told == ["audit_spooling_began"]
    desk.trail.outage = None
    desk.trail.drained = [Drained(events=4, damaged="/var/spool.damaged")]
    await desk.service.tick()
    assert desk.told[1:3] == ["audit_spooling_ended", "audit_spool_damaged"]
    assert desk.actions == ["audit_spool_taken_over"]
    assert desk.trail.events[0].details["events"] == 4


async def test_at_the_end_everything_is_kept_and_signed() -> None:
    """
    A service that is cancelled keeps what was folded, and signs a last checkpoint.
    """
    desk = Desk()
    task = asyncio.create_task(desk.service.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    desk.fold.count("203.0.113.0/24", "unknown")
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert desk.actions == ["strangers_refused"]
    assert len(desk.proofs.signed) == 2


async def test_a_defect_does_not_end_the_service() -> None:
    """
    An error nobody expected is logged, and the service goes on to its end.
    """
    desk = Desk()
    desk.proofs.broken = ZeroDivisionError()
    task = asyncio.create_task(desk.service.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert {type(error) for _, error, _ in desk.logging.errors} == {ZeroDivisionError}
