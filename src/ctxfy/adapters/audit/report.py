"""
The compliance report, gathered: the trail read once, the keys listed, every chain verified.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from ctxfy.core.models.audit_models import AuditFilter
from ctxfy.core.models.auth_models import ApiKeyInfo
from ctxfy.core.ports.audit_ports import AuditProofPort, AuditQueryPort
from ctxfy.core.use_cases.report_use_cases import ReportData, Tally, compile_report


class ComplianceReport:
    """
    Makes reports.

    Args:
        events: The trail.
        proofs: What verifies it.
        list_keys: Lists all keys.
        pepper_id: Tells the pepper in use.
    """

    def __init__(
        self,
        events: AuditQueryPort,
        proofs: AuditProofPort,
        list_keys: Callable[[], Awaitable[list[ApiKeyInfo]]],
        *,
        pepper_id: Callable[[], int],
    ) -> None:
        self._events = events
        self._proofs = proofs
        self._list_keys = list_keys
        self._pepper_id = pepper_id

    async def about(self, since: datetime, until: datetime) -> ReportData:
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
            await self._list_keys(),
            await self._proofs.verify(),
            since=since,
            until=until,
            pepper_id=self._pepper_id(),
        )
