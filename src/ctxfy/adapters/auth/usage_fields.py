"""
What keys were used for as JSON data, for REST and the command line alike.
"""

from collections.abc import Iterable
from typing import Annotated, TypedDict

from pydantic import Field

from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import NO_USE, DayOfKey, KeyUse


class UseData(TypedDict):
    """
    What some requests took.
    """

    requests: int
    refusals: Annotated[int, Field(description="Those answered with a status of 400 or more.")]
    bytes_in: Annotated[int, Field(description="Of the bodies of requests.")]
    bytes_out: Annotated[int, Field(description="Of the bodies of answers.")]
    render_ms: Annotated[float, Field(description="Spent on executing prompts, milliseconds.")]


class UsageDayData(UseData):
    """
    One day, in UTC.
    """

    day: Annotated[str, Field(examples=["2026-11-24"], json_schema_extra={"format": "date"})]


class UsageData(TypedDict):
    """
    What a key was used for, some seconds behind.
    """

    key_id: str
    days: Annotated[list[UsageDayData], Field(description="Those on which it was, oldest first.")]
    total: UseData


def plain_usage(key_id: KeyId, days: Iterable[DayOfKey]) -> UsageData:
    """
    Lay out what a key was used for.
    """
    found, total = list[UsageDayData](), NO_USE
    for each in days:
        found.append({"day": each.day.isoformat(), **_plain(each.use)})
        total = total.plus(each.use)
    return {"key_id": key_id, "days": found, "total": _plain(total)}


def _plain(use: KeyUse) -> UseData:
    return {
        "requests": use.requests,
        "refusals": use.refusals,
        "bytes_in": use.bytes_in,
        "bytes_out": use.bytes_out,
        "render_ms": use.render_us / 1000,
    }
