"""
The handler of /auth/api-keys/{key_id}/usage.
"""

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ctxfy.adapters.auth.key_usage import KeyUsage
from ctxfy.adapters.auth.routes import KeyIdPath, public_key_id
from ctxfy.adapters.auth.usage_fields import plain_usage
from ctxfy.core.ports.auth_ports import AuthQueryPort


class UsageQuery(BaseModel):
    """
    Which days to tell.
    """

    model_config = ConfigDict(extra="forbid")

    days: int = Field(
        default=30, ge=1, le=3660, description="How many of the last days, today included."
    )


class UsageRoutes:
    """
    What keys are used for, over REST.
    """

    def __init__(self, usage: KeyUsage, queries: AuthQueryPort) -> None:
        self._usage = usage
        self._queries = queries

    async def show(self, key_id: KeyIdPath, query: Annotated[UsageQuery, Query()]) -> Response:
        """
        Tell what a key was used for, by day.
        """
        info = await self._queries.find_api_key(public_key_id(key_id))
        days = await self._usage.days_of(info.key_id, days=query.days)
        return JSONResponse(plain_usage(info.key_id, days))
