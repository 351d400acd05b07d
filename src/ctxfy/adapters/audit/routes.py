"""
The handlers of /audit. Who may call them is the gate's business; the table says it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import Query, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ctxfy.adapters.audit.audit_fields import (
    EventPageData,
    VerificationData,
    plain_checkpoint,
    plain_record,
    plain_verdict,
)
from ctxfy.adapters.audit.report import ComplianceReport
from ctxfy.adapters.audit.report_page import page_policy, report_page
from ctxfy.core.models.audit_models import AuditFilter
from ctxfy.core.ports.audit_ports import AuditProofPort, AuditQueryPort
from ctxfy.core.use_cases.request_use_cases import QUERY_PATTERN


MAX_TEXT = 500
REPORT_PERIOD = timedelta(days=30)

# The gate lets nothing else through; PostgreSQL could not compare with a text that holds NUL.
type Text = Annotated[str, StringConstraints(max_length=MAX_TEXT, pattern=QUERY_PATTERN)]


class EventsQuery(BaseModel):
    """
    Which events to list.
    """

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(default=None, description="The first moment that counts.")
    until: AwareDatetime | None = Field(
        default=None, description="The first moment that does not count any more."
    )
    action: Text | None = None
    outcome: Text | None = None
    key_id: Text | None = None
    user_id: Text | None = Field(default=None, description="Who acted, or to whom it was done.")
    target: Text | None = None
    request_id: Text | None = None
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=MAX_TEXT)


class ReportQuery(BaseModel):
    """
    Which period to report on.
    """

    model_config = ConfigDict(extra="forbid")

    since: AwareDatetime | None = Field(default=None, description="Thirty days before the end.")
    until: AwareDatetime | None = Field(default=None, description="Now.")
    format: Literal["json", "html"] = Field(
        default="json", description="html is one page to read and to keep."
    )


class AuditRoutes:
    """
    The audit trail over REST.
    """

    def __init__(
        self,
        events: AuditQueryPort,
        proofs: AuditProofPort,
        report: ComplianceReport,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._events = events
        self._proofs = proofs
        self._report = report
        self._now = now

    async def list_events(self, query: Annotated[EventsQuery, Query()]) -> Response:
        """
        List events, the newest first.
        """
        wanted = AuditFilter(
            since=query.since,
            until=query.until,
            action=query.action,
            outcome=query.outcome,
            key_id=query.key_id,
            user_id=query.user_id,
            target=query.target,
            request_id=query.request_id,
        )
        records, cursor = await self._events.page(wanted, cursor=query.cursor, limit=query.limit)
        told: EventPageData = {
            "events": [plain_record(record) for record in records],
            "next_cursor": cursor,
        }
        return JSONResponse(told)

    async def verify(self) -> Response:
        """
        Verify every event, and every chain against the newest checkpoint.
        """
        verdict = await self._proofs.verify()
        newest = await self._proofs.checkpoints(limit=1)
        faults = [fault for signed in newest for fault in await self._proofs.compare(signed)]
        checkpoint = plain_checkpoint(newest[0]) if newest else None
        told: VerificationData = {**plain_verdict(verdict, faults), "checkpoint": checkpoint}
        return JSONResponse(told)

    async def report(self, query: Annotated[ReportQuery, Query()]) -> Response:
        """
        Report on a period: keys, acts, refusals, and whether the trail is whole.
        """
        until = (query.until or self._now()).astimezone(UTC)
        since = (query.since or until - REPORT_PERIOD).astimezone(UTC)
        told = await self._report.about(since, until)
        if query.format == "json":
            return JSONResponse(told)
        nothing = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        policy = f"{nothing}; {page_policy()}"
        return HTMLResponse(report_page(told), headers={"content-security-policy": policy})
