"""
What callers are told about limits, in the headers RateLimit-Policy and RateLimit.

These are structured fields (RFC 9651) as draft-ietf-httpapi-ratelimit-headers-11 has them.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from starlette.types import Message, Send

from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import LimitPolicy, Quota
from ctxfy.core.use_cases.limit_use_cases import wait_of


POLICY = "RateLimit-Policy"
REMAINING = "RateLimit"
EXPOSED_HEADERS = b"ratelimit, ratelimit-policy"

_FIELD = b"ratelimit"
_POLICY_FIELD = b"ratelimit-policy"

# Requests are the unit if none is named.
_UNITS: Mapping[LimitPolicy, str] = {LimitPolicy.BYTES: ';qu="content-bytes"'}


def quota_headers(quotas: Sequence[Quota]) -> dict[str, str]:
    """
    Write the two headers, of at least one quota.
    """
    return {
        POLICY: ", ".join([_policy(quota.policy, quota.limit) for quota in quotas]),
        REMAINING: ", ".join([_remaining(quota) for quota in quotas]),
    }


def concurrency_headers(limit: int) -> dict[str, str]:
    """
    Write the policy of a key that has as many requests open as it may.
    """
    name = f'"{LimitPolicy.CONCURRENCY}"'
    return {POLICY: f'{name};q={limit};qu="concurrent-requests"', REMAINING: f"{name};r=0;t=1"}


def with_quotas(send: Send, quotas: Sequence[Quota]) -> Send:
    """
    Put the headers on an answer that has none yet.
    """
    if not quotas:
        return send

    async def send_with_quotas(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = message.get("headers", ())
            if _FIELD not in [name for name, _ in headers]:
                message = {**message, "headers": [*headers, *_fields(quotas)]}
        await send(message)

    return send_with_quotas


def _fields(quotas: Sequence[Quota]) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
    told = quota_headers(quotas)
    return (_POLICY_FIELD, told[POLICY].encode()), (_FIELD, told[REMAINING].encode())


def _remaining(quota: Quota) -> str:
    return f'"{quota.policy}";r={quota.decision.remaining};t={wait_of(quota)}'


@lru_cache(maxsize=1024)
def _policy(policy: LimitPolicy, limit: RateLimit) -> str:
    return f'"{policy}";q={limit.requests}{_UNITS.get(policy, "")};w={limit.seconds}'
