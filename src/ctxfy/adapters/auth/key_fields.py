"""
Keys as JSON data, for REST and the command line alike. No digest ever is among it.
"""

from datetime import datetime

from ctxfy.core.models.auth_models import ApiKeyInfo, Principal, RateLimit
from ctxfy.core.use_cases.auth_use_cases import show_rate


def plain_key(info: ApiKeyInfo) -> dict[str, object]:
    """
    Lay a key out as JSON data, without its digest.
    """
    return {
        "key_id": info.key_id,
        "user_id": info.user_id,
        "name": info.name,
        "scope": str(info.scope),
        "status": str(info.status),
        "prompts": list(info.prompts),
        "rate_limit": _rate(info.rate_limit),
        "created_at": plain_moment(info.created_at),
        "expires_at": plain_moment(info.expires_at),
        "last_used_at": plain_moment(info.last_used_at),
        "revoked_at": plain_moment(info.revoked_at),
    }


def plain_principal(principal: Principal) -> dict[str, object]:
    """
    Lay a caller out as JSON data, for that caller.
    """
    return {
        "key_id": principal.key_id,
        "user_id": principal.user_id,
        "name": principal.name,
        "scope": str(principal.scope),
        "prompts": list(principal.prompts),
        "rate_limit": _rate(principal.rate_limit),
        "expires_at": plain_moment(principal.expires_at),
    }


def plain_moment(moment: datetime | None) -> str | None:
    """
    Write a moment in UTC to the second, or None if there is none.
    """
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _rate(limit: RateLimit | None) -> str | None:
    return None if limit is None else show_rate(limit)
