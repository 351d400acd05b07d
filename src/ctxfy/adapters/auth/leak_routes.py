"""
The handler of /auth/leak-reports.
"""

from typing import Annotated, TypedDict

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ctxfy.adapters.auth.leak_reports import LeakReports
from ctxfy.adapters.auth.routes import acting, public_key_id
from ctxfy.core.models.leak_models import LeakFinding, LeakOutcome
from ctxfy.core.use_cases.auth_use_cases import KEY_ID_PATTERN
from ctxfy.core.use_cases.leak_use_cases import MAX_LEAK_TEXT, MAX_LEAKED_KEYS, MAX_PLACE_LENGTH


type KeyIdText = Annotated[str, Field(json_schema_extra={"pattern": KEY_ID_PATTERN})]


class LeakBody(BaseModel):
    """
    What was found, as a text or by ids.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(
        default="",
        description="What was found: a key, or lines with keys in them. It is not kept.",
        json_schema_extra={"maxLength": MAX_LEAK_TEXT},
    )
    key_ids: list[KeyIdText] = Field(
        default=[],
        max_length=MAX_LEAKED_KEYS,
        description="Public ids of keys that leaked, where the key itself is not at hand.",
    )
    found_at: str = Field(
        default="",
        description="Where, for the audit trail, such as an address.",
        json_schema_extra={"maxLength": MAX_PLACE_LENGTH},
    )


class LeakFindingData(TypedDict):
    """
    What came of one key.
    """

    key_id: Annotated[str | None, Field(description="Null: no key is known by what was found.")]
    outcome: LeakOutcome


class LeakReportData(TypedDict):
    """
    What came of each key: those in the text first, in its order, then those by id.
    """

    findings: list[LeakFindingData]


def plain_findings(findings: list[LeakFinding]) -> LeakReportData:
    """
    Lay what came of a report out as JSON data.
    """
    return {"findings": [{"key_id": found.key_id, "outcome": found.outcome} for found in findings]}


class LeakRoutes:
    """
    Leak reports over REST.
    """

    def __init__(self, reports: LeakReports) -> None:
        self._reports = reports

    async def report(self, request: Request, body: LeakBody) -> Response:
        """
        Disable the keys that were found where others may have read them. Idempotent.
        """
        findings = await self._reports.report(
            body.text,
            [public_key_id(text) for text in body.key_ids],
            place=body.found_at,
            actor=acting(request),
        )
        return JSONResponse(plain_findings(findings))
