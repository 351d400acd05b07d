"""
Levels of loggers, changed while the server runs.

What is changed is one value, and counts in this process, or in all workers of the server.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from ctxfy.adapters.monitoring.shared_levels import SharedLevels
from ctxfy.core.models.audit_models import Actor
from ctxfy.core.models.log_level_models import LevelChange, LoggerLevel, LoggerLevels
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.audit_ports import AuditPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of
from ctxfy.core.use_cases.log_level_use_cases import (
    check_change,
    check_logger,
    describe_levels,
    levels_in_force,
    still_changed,
)


TICK_SECONDS = 1.0


class LevelService:
    """
    Changes levels, for a time or for good, and takes the changes back.

    Args:
        settings: What the levels are without changes; `root` is among them.
        apply: Puts levels in force.
        floors: Below which libraries are never written.
        trail: Is told of every change before it counts.
        now: The clock.
        shared: What is changed in any worker; None for a process that serves alone.
    """

    def __init__(
        self,
        settings: LoggerLevels,
        apply: Callable[[LoggerLevels], None],
        *,
        floors: LoggerLevels,
        trail: AuditPort,
        logging: LoggingPort,
        now: Callable[[], datetime],
        shared: SharedLevels | None = None,
    ) -> None:
        self._shared = shared
        self._settings = settings
        self._apply = apply
        self._floors = floors
        self._trail = trail
        self._logging = logging
        self._now = now
        self._changes: Mapping[str, LevelChange] = {}

    def levels(self) -> list[LoggerLevel]:
        """
        Tell the level of every logger that has one of its own.
        """
        return describe_levels(self._settings, self._changes)

    async def change(
        self, logger: str, level: LogLevel, *, seconds: int | None, actor: Actor
    ) -> None:
        """
        Give a logger another level, for so many seconds, or as long as the process runs.

        Raises:
            InvalidRequestError: That may not be.
            UnavailableError: The audit trail could not be told; nothing has changed.
        """
        self.follow()
        now = self._now()
        until = None if seconds is None else now + timedelta(seconds=seconds)
        change = LevelChange(logger=logger, level=level, until=until)
        check_change(change, self._changes, self._floors)
        event = "log_level_changed"
        await self._trail.append(
            act_of(actor, event, now, target=logger, level=level, seconds=seconds)
        )
        # Before it counts: a change that silences everything has its line.
        self._tell(event, logger, to=level, seconds=seconds)
        self._put({**self._changes, logger: change})
        self._share()

    async def take_back(self, logger: str, *, actor: Actor) -> None:
        """
        Give a logger the level of the settings again. Idempotent.

        Raises:
            InvalidRequestError: It is no name of a logger.
            UnavailableError: The audit trail could not be told; nothing has changed.
        """
        check_logger(logger)
        self.follow()
        await self._trail.append(act_of(actor, "log_level_restored", self._now(), target=logger))
        if logger in self._changes:
            self._put({name: each for name, each in self._changes.items() if name != logger})
            self._share()
            self._tell("log_level_restored", logger, reason="asked")

    async def run(self) -> None:
        """
        Take back what was changed for a time, when it is over, until cancelled.
        """
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.fall_back()
            self.follow()

    def fall_back(self) -> None:
        """
        Take back the changes whose time is over.
        """
        left = still_changed(self._changes.values(), self._now())
        if over := sorted(self._changes.keys() - left.keys()):
            self._put(left)
            for logger in over:
                self._tell("log_level_restored", logger, reason="time")

    def follow(self) -> None:
        """
        Take over what was changed in another worker; there it was told.
        """
        if self._shared is None:
            return
        changes = still_changed(self._shared.read(), self._now())
        if changes != self._changes:
            self._put(changes)

    def _share(self) -> None:
        if self._shared is not None:
            self._shared.write(self._changes.values())

    def _put(self, changes: Mapping[str, LevelChange]) -> None:
        self._changes = changes
        self._apply(levels_in_force(self._settings, changes))

    def _tell(self, event: str, logger: str, **facts: object) -> None:
        self._logging.log_event(event, level=LogLevel.WARNING, changed=logger, **facts)
