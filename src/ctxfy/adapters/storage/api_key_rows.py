"""
Keys as rows and back.
"""

import json
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, RowMapping, Select, select

from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.people import ERASED, name_of
from ctxfy.adapters.storage.tables import api_keys, people
from ctxfy.core.models.address_models import Network
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    OldSecret,
    RateLimit,
    Scope,
)
from ctxfy.core.use_cases.address_use_cases import parse_networks
from ctxfy.core.use_cases.auth_use_cases import is_live_admin


def select_keys() -> Select[tuple[object, ...]]:
    """
    Select keys with their owners, oldest first; an erased owner leaves the key behind.
    """
    owned = api_keys.outerjoin(people, api_keys.c.person_id == people.c.person_id)
    return (
        select(api_keys, *people.c)
        .select_from(owned)
        .order_by(api_keys.c.created_at, api_keys.c.key_id)
    )


def row_of(info: ApiKeyInfo, person_id: str) -> dict[str, object]:
    """
    Write a key; its owner becomes an id.
    """
    limit = info.rate_limit
    return {
        "key_id": info.key_id,
        "digest": info.api_key,
        "pepper_id": info.pepper_id,
        "person_id": person_id,
        "name": info.name,
        "scope": info.scope.value,
        "status": info.status.value,
        "prompts": json.dumps(info.prompts),
        "rate_requests": limit and limit.requests,
        "rate_seconds": limit and limit.seconds,
        "created_at": info.created_at,
        "created_by": info.created_by,
        "expires_at": info.expires_at,
        "last_used_at": info.last_used_at,
        "revoked_at": info.revoked_at,
        "old_digest": info.old_secret and info.old_secret.api_key,
        "old_pepper_id": info.old_secret and info.old_secret.pepper_id,
        "old_expires_at": info.old_secret and info.old_secret.expires_at,
        "networks": json.dumps([str(each) for each in info.networks]) if info.networks else None,
    }


def info_of(key: RowMapping, user_id: str) -> ApiKeyInfo:
    """
    Read a key whose owner's name is known.
    """
    return ApiKeyInfo(
        key_id=KeyId(key[api_keys.c.key_id]),
        api_key=ApiKeyDigest(key[api_keys.c.digest]),
        pepper_id=key[api_keys.c.pepper_id],
        user_id=user_id,
        name=key[api_keys.c.name],
        scope=Scope(key[api_keys.c.scope]),
        status=KeyStatus(key[api_keys.c.status]),
        prompts=tuple(json.loads(key[api_keys.c.prompts])),
        networks=_networks_of(key[api_keys.c.networks]),
        rate_limit=_limit_of(key[api_keys.c.rate_requests], key[api_keys.c.rate_seconds]),
        created_at=key[api_keys.c.created_at],
        created_by=key[api_keys.c.created_by],
        expires_at=key[api_keys.c.expires_at],
        last_used_at=key[api_keys.c.last_used_at],
        revoked_at=key[api_keys.c.revoked_at],
        person_id=key[api_keys.c.person_id],
        old_secret=_old_secret_of(key),
    )


def infos_of(rows: Iterable[RowMapping], envelope: Envelope) -> list[ApiKeyInfo]:
    """
    Read keys and open their owners' names, each name once.
    """
    names: dict[str | None, str] = {}
    infos = []
    for row in rows:
        person_id = row[api_keys.c.person_id]
        if person_id not in names:
            names[person_id] = name_of(row, envelope)
        infos.append(info_of(row, names[person_id]))
    return infos


def live_admin_keys(connection: Connection, at: datetime) -> list[ApiKeyInfo]:
    """
    Read the keys that can administer the server at a moment, without their owners' names.
    """
    wanted = select_keys().where(api_keys.c.scope == Scope.ADMIN.value)
    found = (info_of(row, ERASED) for row in connection.execute(wanted).mappings())
    return [info for info in found if is_live_admin(info, at)]


def _old_secret_of(key: RowMapping) -> OldSecret | None:
    if key[api_keys.c.old_digest] is None:
        return None
    return OldSecret(
        api_key=ApiKeyDigest(key[api_keys.c.old_digest]),
        pepper_id=key[api_keys.c.old_pepper_id],
        expires_at=key[api_keys.c.old_expires_at],
    )


def _networks_of(text: str | None) -> tuple[Network, ...]:
    return () if text is None else parse_networks(json.loads(text))


def _limit_of(requests: int | None, seconds: int | None) -> RateLimit | None:
    if requests is None or seconds is None:
        return None
    return RateLimit(requests=requests, seconds=seconds)
