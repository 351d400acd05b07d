"""
The judgement about keys: their form, what they may do, and what may be created.

A key reads `ctxfy_<id>_<secret><checksum>`: 12, 43 and 6 base62 characters. The id is public, the
secret has 256 bits, the checksum (CRC-32 of all before it) lets this parser and secret scanners
refuse typing errors without a look-up. It is no security control: anybody can compute it.
"""

import re
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from ctxfy.core.exceptions import InvalidKeyRequestError, ScopeNotGrantableError
from ctxfy.core.models.auth_models import (
    ApiKeyInfo,
    ApiKeyRequest,
    Decision,
    DenialReason,
    Denied,
    Granted,
    KeyId,
    KeyStatus,
    ParsedKey,
    Principal,
    RateLimit,
    RoutePolicy,
    Scope,
)
from ctxfy.core.use_cases.network_use_cases import check_networks, check_networks_grantable


BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_ID_LENGTH = 12
KEY_ID_PATTERN = f"^[0-9A-Za-z]{{{KEY_ID_LENGTH}}}$"
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
SECRET_BYTES = 32
KEY_LENGTH = len("ctxfy__") + KEY_ID_LENGTH + SECRET_LENGTH + CHECKSUM_LENGTH

MAX_USER_ID_LENGTH = 200
MAX_NAME_LENGTH = 200
MAX_TTL_HOURS = 24 * 366 * 10
MAX_PROMPT_GLOBS = 50

# `[0-9A-Za-z]`, not `\w`: digits of other alphabets are no part of a key.
_KEY = re.compile(r"ctxfy_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})")
RATE_PATTERN = "^[1-9][0-9]{0,8}/(second|minute|hour|day)$"
"""
What is published of rates; `parse_rate` forgives capitals and blanks too.
"""
GLOB_PATTERN = r"^[A-Za-z0-9_.*?\[\]!-]{1,128}$"

_PAIRS = tuple(high + low for high in BASE62 for low in BASE62)
_KEY_ID = re.compile(f"[0-9A-Za-z]{{{KEY_ID_LENGTH}}}")
_RATE = re.compile(r"([0-9]{1,9})/(second|minute|hour|day)")
_RATE_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_GLOB = re.compile(GLOB_PATTERN)


def encode_base62(number: int, length: int) -> str:
    """
    Write a number in base 62, filled with zeros to `length` characters.

    Raises:
        ValueError: If the number is negative or needs more characters.
    """
    if number < 0 or number >= 62**length:
        message = f"{number} does not fit into {length} base62 characters"
        raise ValueError(message)
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(reversed(digits))


def compose_key(key_id: KeyId, secret: bytes) -> str:
    """
    Write the whole key from its id and 32 random bytes.
    """
    body = f"ctxfy_{key_id}_{encode_base62(int.from_bytes(secret), SECRET_LENGTH)}"
    return body + _checksum(body)


def compose_key_id(random: bytes) -> KeyId:
    """
    Make a key id from at least 16 random bytes.
    """
    return KeyId(encode_base62(int.from_bytes(random) % 62**KEY_ID_LENGTH, KEY_ID_LENGTH))


def parse_key(text: str) -> ParsedKey | None:
    """
    Take a credential apart, or None if its form or checksum is wrong.
    """
    if len(text) != KEY_LENGTH or not (match := _KEY.fullmatch(text)):
        return None
    if _checksum(text[:-CHECKSUM_LENGTH]) != match[3]:
        return None
    return ParsedKey(key_id=KeyId(match[1]), secret=match[2])


def is_key_id(text: str) -> bool:
    """
    Whether a text has the form of a public id.
    """
    return _KEY_ID.fullmatch(text) is not None


def decide_authentication(
    info: ApiKeyInfo | None, *, digest_matches: bool, now: datetime
) -> Decision:
    """
    Decide whether a well-formed key is valid at `now`.

    An unknown id and a wrong secret look alike, so that ids cannot be tried out; that a key is
    revoked, disabled or expired is told only to whoever holds its secret.
    """
    if info is None or not digest_matches:
        return Denied(reason=DenialReason.UNKNOWN, sentence="The API key is not known here.")
    if info.status is KeyStatus.REVOKED:
        return Denied(reason=DenialReason.REVOKED, sentence="The API key was revoked.")
    if info.status is KeyStatus.DISABLED:
        return Denied(reason=DenialReason.DISABLED, sentence="The API key is disabled.")
    if is_expired(info, now):
        return Denied(reason=DenialReason.EXPIRED, sentence="The API key has expired.")
    return Granted(principal=principal_of(info))


def principal_of(info: ApiKeyInfo) -> Principal:
    """
    Keep of a key what those behind the gate need.
    """
    return Principal(
        key_id=info.key_id,
        user_id=info.user_id,
        scope=info.scope,
        prompts=info.prompts,
        networks=info.networks,
        expires_at=info.expires_at,
        name=info.name,
        rate_limit=info.rate_limit,
        person_id=info.person_id,
    )


def is_expired(info: ApiKeyInfo, now: datetime) -> bool:
    """
    Whether the key's life is over at `now`.
    """
    return info.expires_at is not None and now >= info.expires_at


def decide_authorization(policy: RoutePolicy, principal: Principal) -> Denied | None:
    """
    Decide whether a known caller may use a route; None is yes.
    """
    if policy.scope is None:
        return None
    if not principal.scope.covers(policy.scope):
        return Denied(
            reason=DenialReason.SCOPE,
            sentence=(
                f"This needs a key of scope {policy.scope}; yours has scope {principal.scope}."
            ),
        )
    if principal.is_narrowed and not policy.narrowed:
        return Denied(
            reason=DenialReason.NARROWED,
            sentence="This needs a key that is not narrowed to some prompts.",
        )
    return None


def may_use_prompt(principal: Principal, name: str, scope: Scope) -> bool:
    """
    Whether the caller may list and execute a prompt of that name and least scope.
    """
    return principal.scope.covers(scope) and matches_any(name, principal.prompts)


def matches_any(name: str, globs: Sequence[str]) -> bool:
    """
    Whether a prompt's name matches one of the globs, case-sensitively.
    """
    return "*" in globs or any(fnmatchcase(name, glob) for glob in globs)


def check_key_request(request: ApiKeyRequest) -> None:
    """
    Refuse a wish for a key that cannot be granted to anybody.

    Raises:
        InvalidKeyRequestError: With the first thing that is wrong.
    """
    if not request.user_id.strip():
        raise InvalidKeyRequestError("A key needs a user: a name that is not empty.")
    for label, text, limit in (
        ("user", request.user_id, MAX_USER_ID_LENGTH),
        ("name", request.name, MAX_NAME_LENGTH),
    ):
        if len(text) > limit:
            raise InvalidKeyRequestError(f"The {label} of a key has at most {limit} characters.")
        if not text.isprintable():
            raise InvalidKeyRequestError(f"The {label} of a key may not hold control characters.")
    if request.ttl_hours is not None and not 1 <= request.ttl_hours <= MAX_TTL_HOURS:
        raise InvalidKeyRequestError(f"A key lives from 1 to {MAX_TTL_HOURS} hours.")
    if not 1 <= len(request.prompts) <= MAX_PROMPT_GLOBS:
        raise InvalidKeyRequestError(f"A key has from 1 to {MAX_PROMPT_GLOBS} prompt globs.")
    for glob in request.prompts:
        if not _GLOB.fullmatch(glob):
            # What was written stays out: a sentence goes to whoever reads answers and logs.
            raise InvalidKeyRequestError(
                "One of the prompts is not a glob over prompt names; write for example 'review-*'."
            )
    check_networks(request.networks)
    if request.rate_limit is not None and (
        request.rate_limit.requests < 1 or request.rate_limit.seconds < 1
    ):
        raise InvalidKeyRequestError("A rate limit allows at least 1 request in at least 1 second.")


def parse_rate(text: str) -> RateLimit:
    """
    Read a rate such as `600/minute`.

    Raises:
        InvalidKeyRequestError: It is none.
    """
    match = _RATE.fullmatch(text.strip().lower())
    if match is None:
        raise InvalidKeyRequestError(
            f"'{text}' is no rate; write for example 600/minute (second, minute, hour, day)."
        )
    return RateLimit(requests=int(match[1]), seconds=_RATE_SECONDS[match[2]])


def show_rate(limit: RateLimit) -> str:
    """
    Write a rate as `parse_rate` reads it.
    """
    units = {seconds: unit for unit, seconds in _RATE_SECONDS.items()}
    return f"{limit.requests}/{units.get(limit.seconds, f'{limit.seconds}s')}"


def check_grantable(request: ApiKeyRequest, issuer: Principal) -> None:
    """
    Refuse a key that could do more than the key that asks for it.

    Raises:
        ScopeNotGrantableError: If scope, prompts or networks go beyond the issuer's.
    """
    if not issuer.scope.covers(request.scope):
        raise ScopeNotGrantableError(
            f"A key of scope {issuer.scope} cannot create one of scope {request.scope}."
        )
    if issuer.is_narrowed and not set(request.prompts) <= set(issuer.prompts):
        raise ScopeNotGrantableError(
            "A key that is narrowed to some prompts can only create keys for the same globs."
        )
    check_networks_grantable(request.networks, issuer)


def expiry_of(request: ApiKeyRequest, now: datetime) -> datetime | None:
    """
    When the key that is asked for would expire.
    """
    return None if request.ttl_hours is None else now + timedelta(hours=request.ttl_hours)


def is_live_admin(info: ApiKeyInfo, now: datetime) -> bool:
    """
    Whether the key can administer the server at `now`, all prompts included.
    """
    return (
        info.scope is Scope.ADMIN
        and info.status is KeyStatus.ACTIVE
        and not is_expired(info, now)
        and "*" in info.prompts
    )


def _checksum(body: str) -> str:
    # As `encode_base62` writes it, two digits at a time: every key that is shown needs it.
    high, low = divmod(zlib.crc32(body.encode()), 62**2)
    return _PAIRS[high // 62**2] + _PAIRS[high % 62**2] + _PAIRS[low]
