"""
Levels that are changed while the server runs, and what is told of it.
"""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from ctxfy.adapters.monitoring import level_service
from ctxfy.adapters.monitoring.level_service import LevelService
from ctxfy.adapters.monitoring.shared_levels import SharedLevels
from ctxfy.core.exceptions import InvalidRequestError, UnavailableError
from ctxfy.core.models.audit_models import SERVER
from ctxfy.core.models.log_level_models import LoggerLevels
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.log_level_use_cases import ROOT
from tests.builders import NOON
from tests.fakes.audit_fakes import FakeAuditTrail
from tests.fakes.monitoring_fakes import RecordingLogging


class Desk:
    """
    A service with a clock that a test turns.
    """

    def __init__(self, shared: SharedLevels | None = None) -> None:
        self.at = NOON
        self.trail = FakeAuditTrail()
        self.logging = RecordingLogging()
        self.applied: list[LoggerLevels] = []
        self.service = LevelService(
            {ROOT: LogLevel.INFO, "a": LogLevel.ERROR},
            self.applied.append,
            floors={"mcp": LogLevel.WARNING},
            trail=self.trail,
            logging=self.logging,
            now=lambda: self.at,
            shared=shared,
        )

    async def change(self, logger: str, level: LogLevel, seconds: int | None = 60) -> None:
        """
        Change one.
        """
        await self.service.change(logger, level, seconds=seconds, actor=SERVER)


async def test_a_change_counts_at_once_and_is_told_twice() -> None:
    """
    In the audit trail with level and time, and in the log.
    """
    desk = Desk()
    await desk.change("a.b", LogLevel.DEBUG)
    assert desk.applied == [{ROOT: LogLevel.INFO, "a": LogLevel.ERROR, "a.b": LogLevel.DEBUG}]
    (event,) = desk.trail.events
    assert (event.action, event.target) == ("log_level_changed", "a.b")
    assert event.details == {"means": "server", "level": "DEBUG", "seconds": 60}
    assert [name for name, _ in desk.logging.events] == ["log_level_changed"]


async def test_a_change_is_taken_back_when_it_is_asked_for() -> None:
    """
    To the level of the settings; a second time changes nothing, and is in the trail too.
    """
    desk = Desk()
    await desk.change("a", LogLevel.DEBUG, seconds=None)
    for _ in range(2):
        await desk.service.take_back("a", actor=SERVER)
    assert [levels["a"] for levels in desk.applied] == [LogLevel.DEBUG, LogLevel.ERROR]
    assert [event.action for event in desk.trail.events] == [
        "log_level_changed",
        *["log_level_restored"] * 2,
    ]


async def test_a_change_falls_back_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    By itself, and only what is over.
    """
    monkeypatch.setattr(level_service, "TICK_SECONDS", 0)
    desk = Desk()
    await desk.change("a", LogLevel.DEBUG)
    await desk.change("b", LogLevel.DEBUG, seconds=600)
    task = asyncio.create_task(desk.service.run())
    desk.at += timedelta(seconds=60)
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    assert desk.applied[-1] == {
        ROOT: LogLevel.INFO,
        "a": LogLevel.ERROR,
        "b": LogLevel.DEBUG,
    }
    told = {"level": LogLevel.WARNING, "changed": "a", "reason": "time"}
    assert desk.logging.events[-1] == ("log_level_restored", told)
    assert [level.logger for level in desk.service.levels() if level.changed] == ["b"]


async def test_nothing_changes_that_the_trail_does_not_know() -> None:
    """
    While events cannot be kept, changes are refused, both ways.
    """
    desk = Desk()
    await desk.change("a", LogLevel.DEBUG)
    desk.trail.outage = UnavailableError("storage", "The database is out of reach.")
    with pytest.raises(UnavailableError):
        await desk.change("a", LogLevel.INFO)
    with pytest.raises(UnavailableError):
        await desk.service.take_back("a", actor=SERVER)
    assert len(desk.applied) == 1


async def test_what_may_not_be_leaves_no_trace() -> None:
    """
    A floor of a library holds for everybody.
    """
    desk = Desk()
    with pytest.raises(InvalidRequestError):
        await desk.change("mcp.server", LogLevel.DEBUG)
    with pytest.raises(InvalidRequestError):
        await desk.service.take_back("a/b", actor=SERVER)
    assert (desk.applied, desk.trail.events) == ([], [])


async def test_a_change_counts_in_every_worker(tmp_path: Path) -> None:
    """
    Whoever is asked, the other follows, also when it is taken back or its time is over.
    """
    one, other = (Desk(SharedLevels(tmp_path, number)) for number in (1, 2))
    await one.change("a", LogLevel.DEBUG)
    await other.change("b", LogLevel.DEBUG, seconds=120)
    one.service.follow()
    for desk in (one, other):
        assert desk.applied[-1] == {
            ROOT: LogLevel.INFO,
            "a": LogLevel.DEBUG,
            "b": LogLevel.DEBUG,
        }
    await one.service.take_back("b", actor=SERVER)
    other.service.follow()
    assert "b" not in other.applied[-1]
    for desk in (one, other):
        desk.at += timedelta(seconds=60)
        desk.service.follow()
        assert desk.applied[-1] == {ROOT: LogLevel.INFO, "a": LogLevel.ERROR}
    assert [name for name, _ in other.logging.events] == ["log_level_changed"]
