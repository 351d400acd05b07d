"""
When things are pruned, and what is told of it.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from ctxfy.adapters.audit import retention_service
from ctxfy.adapters.audit.retention_service import RetentionService
from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.retention_models import Pruned
from tests.builders import NOON
from tests.fakes.audit_fakes import FakeAuditTrail


@dataclass(slots=True, kw_only=True)
class FakeRetention:
    """
    Notes when it was asked (RetentionPort).
    """

    gone: Pruned = field(default_factory=Pruned)
    pruned: list[datetime] = field(default_factory=list[datetime])
    settled: int = 0
    outage: Exception | None = None

    async def settle(self) -> int:
        """
        Count.
        """
        self.settled += 1
        return 0

    async def prune(self, *, at: datetime) -> Pruned:
        """
        Note when, or be away.
        """
        self.pruned.append(at)
        if self.outage is not None:
            raise self.outage
        return self.gone


class Desk:
    """
    A service with a clock that a test turns.
    """

    def __init__(self, gone: Pruned | None = None) -> None:
        self.at = NOON
        self.retention = FakeRetention(gone=gone or Pruned())
        self.trail = FakeAuditTrail()
        self.service = RetentionService(
            self.retention, self.trail, now=lambda: self.at, logging=NullLogging()
        )


async def test_it_prunes_at_the_start_and_once_a_day_and_settles_each_hour() -> None:
    """
    By the clock it is given, however often it looks.
    """
    desk = Desk()
    for _ in range(49):
        await desk.service.tick()
        await desk.service.tick()
        desk.at += timedelta(hours=1)
    assert desk.retention.pruned == [NOON + timedelta(days=days) for days in range(3)]
    assert desk.retention.settled == 49


async def test_only_what_went_is_told() -> None:
    """
    One event with the number of each kind that went; of nothing there is nothing to tell.
    """
    desk = Desk(Pruned(keys=2, people=1))
    await desk.service.tick()
    (event,) = desk.trail.events
    assert (event.action, event.details) == (
        "data_pruned",
        {"means": "server", "keys": 2, "people": 1},
    )
    nothing = Desk()
    await nothing.service.tick()
    assert nothing.trail.events == []


@pytest.mark.parametrize("outage", [UnavailableError("storage", "gone."), ValueError("a defect")])
async def test_a_failure_is_tried_again_later(
    outage: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Ten minutes later, and not every minute; then each day as before.
    """
    desk = Desk()
    monkeypatch.setattr(retention_service, "TICK_SECONDS", 0.0)
    desk.retention.outage = outage
    running = asyncio.create_task(desk.service.run())
    await _some_turns()
    assert desk.retention.pruned == [NOON]
    desk.retention.outage = None
    desk.at += timedelta(minutes=10)
    await _some_turns()
    running.cancel()
    assert desk.retention.pruned == [NOON, NOON + timedelta(minutes=10)]


async def _some_turns() -> None:
    for _ in range(50):
        await asyncio.sleep(0)
