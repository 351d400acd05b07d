"""
Prunes while the server runs: at its start, and once a day.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import SERVER, Actor
from ctxfy.core.models.retention_models import Pruned
from ctxfy.core.ports.audit_ports import AuditPort, RetentionPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of


TICK_SECONDS = 60.0
PRUNE_EVERY = timedelta(hours=24)
SETTLE_EVERY = timedelta(hours=1)
RETRY_AFTER = timedelta(minutes=10)


class RetentionService:
    """
    Decides when to prune, and tells what went.
    """

    def __init__(
        self,
        retention: RetentionPort,
        trail: AuditPort,
        *,
        now: Callable[[], datetime],
        logging: LoggingPort,
    ) -> None:
        self._retention = retention
        self._trail = trail
        self._now = now
        self._logging = logging
        self._prune_due = self._settle_due = now()

    async def run(self) -> None:
        """
        Look once a minute whether anything is due, until cancelled.
        """
        while True:
            try:
                await self.tick()
            except UnavailableError:
                self._prune_due = self._now() + RETRY_AFTER
            except Exception as error:  # noqa: BLE001 - one failure must not end all pruning
                self._prune_due = self._now() + RETRY_AFTER
                self._logging.log_error(None, error, {"doing": "pruning"})
            await asyncio.sleep(TICK_SECONDS)

    async def tick(self) -> None:
        """
        Do what is due.

        Raises:
            UnavailableError: Something is out of reach.
        """
        now = self._now()
        if now >= self._settle_due:
            self._settle_due = now + SETTLE_EVERY
            await self._retention.settle()
        if now >= self._prune_due:
            await self.prune()
            self._prune_due = now + PRUNE_EVERY

    async def prune(self, *, actor: Actor = SERVER) -> Pruned:
        """
        Prune now; told in the trail and the log if anything went.

        Raises:
            UnavailableError: Something is out of reach.
        """
        now = self._now()
        pruned = await self._retention.prune(at=now)
        counts = {kind: count for kind, count in asdict(pruned).items() if count}
        if counts:
            await self._trail.append(act_of(actor, "data_pruned", now, **counts))
            self._logging.log_event("data_pruned", **counts)
        return pruned
