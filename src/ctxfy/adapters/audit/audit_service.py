"""
Looks after the audit trail while the server runs: folds, the spool, checkpoints.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from ctxfy.adapters.audit.refusal_fold import RefusalFold
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import SERVER, TrailState
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.audit_ports import AuditProofPort, AuditWriterPort
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.audit_use_cases import act_of


TICK_SECONDS = 1.0
CHECKPOINT_EVERY = timedelta(hours=1)


class AuditService:
    """
    Does what has to be done in the background, and at the end.

    Args:
        signs: Whether it signs checkpoints now and then. They are of all chains, so that one of
            several workers does it; at its end each does, since it may be the last.
    """

    def __init__(
        self,
        trail: AuditWriterPort,
        proofs: AuditProofPort,
        fold: RefusalFold,
        *,
        now: Callable[[], datetime],
        logging: LoggingPort,
        signs: bool = True,
    ) -> None:
        self._signs = signs
        self._trail = trail
        self._proofs = proofs
        self._fold = fold
        self._now = now
        self._logging = logging
        self._was_away = False
        self._checkpoint_at = now()
        self._checkpoint_due = now()

    def state(self) -> TrailState:
        """
        Tell how the writer of the trail is.
        """
        return TrailState(
            waiting=self._trail.waiting,
            spooled_bytes=self._trail.spooled_bytes,
            is_away=self._trail.is_away,
            lost=self._trail.lost,
            checkpoint_age=self._now() - self._checkpoint_at if self._signs else timedelta(),
        )

    async def run(self) -> None:
        """
        Look after the trail until cancelled; then keep what is left, and sign a last checkpoint.
        """
        try:
            while True:
                await self._try(self.tick, "looking after the audit trail")
                await asyncio.sleep(TICK_SECONDS)
        finally:
            await self._try(self._end, "ending the audit trail")

    async def tick(self) -> None:
        """
        Do what is due.
        """
        for event in self._fold.take():
            await self._trail.append(event)
        if self._trail.is_away or self._trail.spooled_bytes:
            await self._come_back()
        now = self._now()
        if self._signs and now >= self._checkpoint_due:
            await self.sign_checkpoint()
            self._checkpoint_due = now + CHECKPOINT_EVERY

    async def sign_checkpoint(self) -> None:
        """
        Sign a checkpoint, and write it to the log: a copy that whoever has the database lacks.
        """
        at = self._now()
        signed = await self._proofs.sign_checkpoint(at=at)
        self._checkpoint_at = at
        self._logging.log_event(
            "audit_checkpoint_signed", checkpoint=signed.text, signature=signed.signature.hex()
        )

    async def _come_back(self) -> None:
        self._note(away=self._trail.is_away)
        drained = await self._trail.drain()
        self._note(away=False)
        if drained.events or drained.damaged:
            event = act_of(SERVER, "audit_spool_taken_over", self._now(), events=drained.events)
            await self._trail.append(event)
        if drained.damaged:
            self._logging.log_event(
                "audit_spool_damaged", level=LogLevel.CRITICAL, kept_at=drained.damaged
            )

    async def _end(self) -> None:
        for event in self._fold.take(everything=True):
            await self._trail.append(event)
        await self._trail.settled()
        await self.sign_checkpoint()

    def _note(self, *, away: bool) -> None:
        if away and not self._was_away:
            self._logging.log_event("audit_spooling_began", level=LogLevel.ERROR)
        if self._was_away and not away:
            self._logging.log_event("audit_spooling_ended")
        self._was_away = away

    async def _try(self, work: Callable[[], Awaitable[None]], doing: str) -> None:
        try:
            await work()
        except UnavailableError:
            return  # told when it began; the next tick tries again
        except Exception as error:  # noqa: BLE001 - without ticks nothing would be looked after
            self._logging.log_error(None, error, {"doing": doing})
