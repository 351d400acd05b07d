"""
The compliance report, gathered: the trail read once, the keys listed, every chain verified.
"""

from collections.abc import Callable
from datetime import datetime

from ctxfy.core.models.audit_models import AuditFilter
from ctxfy.core.ports.audit_ports import AuditProofPort, AuditQueryPort
from ctxfy.core.ports.auth_ports import AuthQueryPort
from ctxfy.core.use_cases.report_use_cases import Tally, compile_report


class ComplianceReport:
    """
    Makes reports.

    Args:
        pepper_id: Tells the pepper in use.
    """

    def __init__(
        self,
        events: AuditQueryPort,
        proofs: AuditProofPort,
        keys: AuthQueryPort,
        *,
        pepper_id: Callable[[], int],
    ) -> None:
        self._events = events
        self._proofs = proofs
        self._keys = keys
        self._pepper_id = pepper_id

    async def about(self, since: datetime, until: datetime) -> dict[str, object]:
        """
        Report on a period, as JSON data.

        Raises:
            UnavailableError: The store is out of reach.
        """
        tally = Tally()
        async for record in self._events.records(AuditFilter(since=since, until=until)):
            tally.add(record)
        return compile_report(
            tally,
            await self._keys.list_api_keys(),
            await self._proofs.verify(),
            since=since,
            until=until,
            pepper_id=self._pepper_id(),
        )
