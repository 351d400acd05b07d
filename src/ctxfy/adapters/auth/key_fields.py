"""
Keys as JSON data, for REST and the command line alike. No digest ever is among it.
"""

from datetime import datetime
from typing import Annotated, Literal, TypedDict

from pydantic import Field

from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Principal, RateLimit, Scope
from ctxfy.core.use_cases.auth_use_cases import show_rate


Moment = Annotated[
    str,
    Field(
        description="In UTC, to the second.",
        examples=["2026-11-24T05:30:00Z"],
        json_schema_extra={"format": "date-time"},
    ),
]
Rate = Annotated[str, Field(description="Requests in a time.", examples=["600/minute"])]


class CallerData(TypedDict):
    """
    A key as its own holder sees it.
    """

    key_id: Annotated[str, Field(description="Public and stable.", examples=["5Xq0aB3dE6gH"])]
    user_id: Annotated[str, Field(description="The person or program it is for.")]
    name: Annotated[str, Field(description="A note on what it is for.")]
    scope: Scope
    prompts: Annotated[list[str], Field(description="Globs over the prompts it sees.")]
    networks: Annotated[list[str], Field(description="Where it may be used from; none: anywhere.")]
    rate_limit: Annotated[Rate | None, Field(description="Its own limit; null: the server's.")]
    expires_at: Annotated[Moment | None, Field(description="Null: never.")]


class CurrentData(CallerData):
    """
    Who is calling, and by what.
    """

    credential: Annotated[
        Literal["key", "token"],
        Field(description="token: of another issuer; the id then stands for its user."),
    ]


class KeyData(CallerData):
    """
    A key as administrators see it; never its secret.
    """

    status: KeyStatus
    created_at: Moment
    last_used_at: Moment | None
    revoked_at: Moment | None


class NewKeyData(KeyData):
    """
    A key just made.
    """

    api_key: Annotated[str, Field(description="The whole key. It is shown this once.")]


class KeyPageData(TypedDict):
    """
    Some of the keys, oldest first.
    """

    api_keys: list[KeyData]
    next_cursor: Annotated[str | None, Field(description="For the next page; null: the last.")]


def plain_key(info: ApiKeyInfo) -> KeyData:
    """
    Lay a key out as JSON data, without its digest.
    """
    return {
        "key_id": info.key_id,
        "user_id": info.user_id,
        "name": info.name,
        "scope": info.scope,
        "status": info.status,
        "prompts": list(info.prompts),
        "networks": [str(network) for network in info.networks],
        "rate_limit": _rate(info.rate_limit),
        "created_at": moment_text(info.created_at),
        "expires_at": plain_moment(info.expires_at),
        "last_used_at": plain_moment(info.last_used_at),
        "revoked_at": plain_moment(info.revoked_at),
    }


def plain_principal(principal: Principal) -> CurrentData:
    """
    Lay a caller out as JSON data, for that caller.
    """
    return {
        "key_id": principal.key_id,
        "user_id": principal.user_id,
        "name": principal.name,
        "scope": principal.scope,
        "prompts": list(principal.prompts),
        "networks": [str(network) for network in principal.networks],
        "rate_limit": _rate(principal.rate_limit),
        "credential": "token" if principal.by_token else "key",
        "expires_at": plain_moment(principal.expires_at),
    }


def plain_moment(moment: datetime | None) -> str | None:
    """
    Write a moment in UTC to the second, or None if there is none.
    """
    return None if moment is None else moment_text(moment)


def moment_text(moment: datetime) -> str:
    """
    Write a moment in UTC to the second.
    """
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _rate(limit: RateLimit | None) -> str | None:
    return None if limit is None else show_rate(limit)
