"""
What is held about a person as JSON data, and as one JSON text in pieces, for REST and the commands.
"""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, TypedDict

from pydantic import Field

from ctxfy.adapters.audit.audit_fields import EventData, Instant, plain_instant, plain_record
from ctxfy.core.models.audit_models import AuditRecord
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Scope
from ctxfy.core.models.person_models import Erasure, Holdings
from ctxfy.core.models.session_models import Session
from ctxfy.core.use_cases.auth_use_cases import show_rate


class HeldKeyData(TypedDict):
    """
    A key of a person; neither its secret nor the digest of it.
    """

    key_id: str
    name: Annotated[str, Field(description="A note on what it is for.")]
    scope: Scope
    status: KeyStatus
    prompts: Annotated[list[str], Field(description="Globs over the prompts it sees.")]
    networks: Annotated[list[str], Field(description="Where it may come from; empty: anywhere.")]
    rate_limit: Annotated[str | None, Field(description="Such as 600/minute; null: none.")]
    created_at: Instant
    created_by: Annotated[str | None, Field(description="The key it was made with; null: none.")]
    expires_at: Instant | None
    last_used_at: Instant | None
    revoked_at: Instant | None
    old_secret_expires_at: Annotated[
        Instant | None, Field(description="Until when the secret before the last rotation is good.")
    ]


class HeldSessionData(TypedDict):
    """
    A browser session of a person.
    """

    key_id: Annotated[str, Field(description="The key it began with.")]
    created_at: Instant
    last_seen_at: Instant
    idle_expires_at: Instant
    expires_at: Instant


class HoldingsData(TypedDict):
    """
    Everything that is held about a person.
    """

    user_id: str
    person_id: Annotated[str, Field(description="Random; what the records name the person by.")]
    created_at: Instant
    api_keys: list[HeldKeyData]
    sessions: list[HeldSessionData]
    events: Annotated[list[EventData], Field(description="By the person or about them, in order.")]


class ErasureData(TypedDict):
    """
    What came of an erasure.
    """

    person_id: Annotated[str, Field(description="What the records go on naming; nobody's.")]
    keys_revoked: int
    sessions_ended: int


async def holdings_text(held: Holdings, events: AsyncIterator[AuditRecord]) -> AsyncIterator[str]:
    """
    Write what is held about a person, piece by piece: there may be millions of events.
    """
    person = held.person
    head = {
        "user_id": person.user_id,
        "person_id": person.person_id,
        "created_at": plain_instant(person.created_at),
        "api_keys": [plain_held_key(info) for info in held.keys],
        "sessions": [plain_held_session(session) for session in held.sessions],
    }
    yield json.dumps(head, ensure_ascii=False)[:-1] + ', "events": ['
    separator = ""
    async for record in events:
        yield separator + json.dumps(plain_record(record), ensure_ascii=False)
        separator = ",\n"
    yield "]}\n"


def plain_held_key(info: ApiKeyInfo) -> HeldKeyData:
    """
    Lay a key out as JSON data.
    """
    old = info.old_secret
    return {
        "key_id": info.key_id,
        "name": info.name,
        "scope": info.scope,
        "status": info.status,
        "prompts": list(info.prompts),
        "networks": [str(network) for network in info.networks],
        "rate_limit": None if info.rate_limit is None else show_rate(info.rate_limit),
        "created_at": plain_instant(info.created_at),
        "created_by": info.created_by,
        "expires_at": _instant(info.expires_at),
        "last_used_at": _instant(info.last_used_at),
        "revoked_at": _instant(info.revoked_at),
        "old_secret_expires_at": None if old is None else _instant(old.expires_at),
    }


def plain_held_session(session: Session) -> HeldSessionData:
    """
    Lay a session out as JSON data.
    """
    return {
        "key_id": session.key_id,
        "created_at": plain_instant(session.created_at),
        "last_seen_at": plain_instant(session.last_seen_at),
        "idle_expires_at": plain_instant(session.idle_expires_at),
        "expires_at": plain_instant(session.expires_at),
    }


def plain_erasure(erasure: Erasure) -> ErasureData:
    """
    Lay an erasure out as JSON data.
    """
    return {
        "person_id": erasure.person_id,
        "keys_revoked": erasure.keys,
        "sessions_ended": erasure.sessions,
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else plain_instant(at)
