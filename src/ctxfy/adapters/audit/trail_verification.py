"""
Verifies the whole audit trail now and then, while the server runs, and tells what came of it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.audit_ports import AuditProofPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort


FIRST_AFTER = timedelta(minutes=5)
"""
How long after the start: it is no part of becoming ready.
"""

AGAIN_AFTER = timedelta(minutes=5)
"""
How long to wait when the database was out of reach.
"""

MAX_TOLD = 20


class TrailVerification:
    """
    Verifies in the background, slowly, so that nobody waits for it.

    Args:
        every: How long from one verification to the next.
    """

    def __init__(
        self,
        proofs: AuditProofPort,
        *,
        every: timedelta,
        now: Callable[[], datetime],
        logging: LoggingPort,
        metrics: MetricsPort,
    ) -> None:
        self._proofs = proofs
        self._every = every
        self._now = now
        self._logging = logging
        self._metrics = metrics

    async def run(self) -> None:
        """
        Verify again and again, until cancelled.
        """
        wait = FIRST_AFTER
        while True:
            await asyncio.sleep(wait.total_seconds())
            wait = AGAIN_AFTER
            try:
                await self.verify()
                wait = self._every
            except UnavailableError:
                continue  # told by whoever looks after the database
            except Exception as error:  # noqa: BLE001 - the next one may come further
                self._logging.log_error(None, error, {"doing": "verifying the audit trail"})

    async def verify(self) -> None:
        """
        Verify once, and tell the log and the metrics.

        Raises:
            UnavailableError: The store is out of reach.
        """
        verdict = await self._proofs.verify(gently=True)
        self._metrics.record_audit_verification(len(verdict.faults), self._now())
        for fault in verdict.faults[:MAX_TOLD]:
            self._logging.log_event(
                "audit_chain_broken",
                level=LogLevel.CRITICAL,
                chain=fault.chain,
                seq=fault.seq,
                reason=fault.reason,
            )
        if verdict.is_valid:
            self._logging.log_event(
                "audit_trail_verified", events=verdict.events, chains=verdict.chains
            )
