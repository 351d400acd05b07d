"""
The judgement about JSON Web Tokens: everything but the signature, which needs a library.

Deny first: what is not of the form expected, not said, or said twice, is refused (RFC 8725).
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from ctxfy.core.models.auth_models import DenialReason, Denied, Scope
from ctxfy.core.models.token_models import TokenGrant, TokenHeader, TokenRules
from ctxfy.core.use_cases.auth_use_cases import (
    GLOB_PATTERN,
    MAX_PROMPT_GLOBS,
    MAX_USER_ID_LENGTH,
)


ASYMMETRIC_ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
    "ES256", "ES384", "ES512", "Ed25519",
)  # fmt: skip
"""
All that can be set. Never `none`, and none that verifies with a secret: a public key is no secret.
"""
MAX_HEADER_LENGTH = 2048
MAX_KEY_NAME_LENGTH = 200
MAX_LIST_LENGTH = 100

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_GLOB = re.compile(GLOB_PATTERN)
_FARTHEST = 2**40  # seconds; further than any clock goes
_KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


def looks_like_token(text: str) -> bool:
    """
    Whether a credential has the form of a signed token: three parts with dots between.
    """
    parts = text.split(".")
    return len(parts) == 3 and all(_SEGMENT.fullmatch(part) for part in parts)  # noqa: PLR2004 - RFC 7515


def key_kind(algorithm: str) -> str:
    """
    Name the kind of key (`kty`) that an algorithm works with.
    """
    return _KINDS[algorithm[:2]]


def read_token_header(token: str, rules: TokenRules) -> TokenHeader | Denied:
    """
    Read how a token wants to be verified, and refuse what we would not verify.
    """
    segment = token.partition(".")[0]
    if len(segment) > MAX_HEADER_LENGTH or (header := _read_segment(segment)) is None:
        return not_valid()
    algorithm, name, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if algorithm not in rules.algorithms or "crit" in header:
        return not_valid()
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        return not_valid()
    if name is not None and not (isinstance(name, str) and len(name) <= MAX_KEY_NAME_LENGTH):
        return not_valid()
    return TokenHeader(algorithm=algorithm, key_name=name)


def not_valid() -> Denied:
    """
    Refuse a token of which nothing is proved: why is told to nobody.
    """
    return _denied("The token is not valid here.")


def read_claims(payload: bytes) -> Mapping[str, Any] | None:
    """
    Read the claims of a token whose signature is right; None if they are not one plain object.

    A name that comes twice is none of ours to choose from (RFC 7519, section 4).
    """
    try:
        claims = json.loads(payload, object_pairs_hook=_without_doubles, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def decide_token(
    claims: Mapping[str, Any], rules: TokenRules, now: datetime
) -> TokenGrant | Denied:
    """
    Decide what a token is good for whose signature is right.
    """
    if claims.get("iss") != rules.issuer:
        return _denied("The token is of another issuer.")
    if not set(_texts(claims.get("aud"), blanks=False)) & set(rules.audiences):
        return _denied("The token is for another audience.")
    expires_at = _decide_times(claims, rules, now)
    if isinstance(expires_at, Denied):
        return expires_at
    user_id = claims.get(rules.user_claim)
    if not isinstance(user_id, str) or not _is_user(user_id):
        return _denied("The token names no user.")
    if user_id in rules.blocked_users:
        return Denied(reason=DenialReason.REVOKED, sentence="The tokens of this user are refused.")
    return _decide_grant(claims, rules, user_id, expires_at)


def _decide_grant(
    claims: Mapping[str, Any], rules: TokenRules, user_id: str, expires_at: datetime
) -> TokenGrant | Denied:
    said = set(_texts(claims.get(rules.scope_claim)))
    scopes = [scope for scope, words in rules.scopes.items() if said.intersection(words)]
    if not scopes:
        return Denied(
            reason=DenialReason.SCOPE, sentence="The token holds no scope of this server."
        )
    prompts: Sequence[str] = ("*",)
    if rules.prompts_claim is not None:
        prompts = _texts(claims.get(rules.prompts_claim))
        if not 1 <= len(prompts) <= MAX_PROMPT_GLOBS or not all(map(_GLOB.fullmatch, prompts)):
            return Denied(
                reason=DenialReason.NARROWED, sentence="The token names no prompts of this server."
            )
    return TokenGrant(
        user_id=user_id,
        scope=max(scopes, key=lambda scope: scope.rank),
        prompts=tuple(prompts),
        expires_at=expires_at,
    )


def _decide_times(claims: Mapping[str, Any], rules: TokenRules, now: datetime) -> datetime | Denied:
    expires, issued = _moment(claims.get("exp")), _moment(claims.get("iat"))
    begins = _moment(claims.get("nbf", 0))
    if expires is None or issued is None or begins is None:
        return _denied("The token does not say from when to when it is good ('iat', 'exp').")
    at, leeway = now.timestamp(), rules.leeway.total_seconds()
    if max(begins, issued) > at + leeway:
        return _denied("The token is not good yet.")
    end = min(expires, issued + rules.max_age.total_seconds())
    if at >= end + leeway:
        return Denied(reason=DenialReason.EXPIRED, sentence="The token has expired.")
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=end)


def _denied(sentence: str) -> Denied:
    return Denied(reason=DenialReason.TOKEN, sentence=sentence)


def _read_segment(segment: str) -> Mapping[str, Any] | None:
    try:
        return read_claims(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _texts(value: object, *, blanks: bool = True) -> Sequence[str]:
    """
    Read a list of texts, written as one or as words with blanks between; empty if it is none.
    """
    if isinstance(value, str):
        value = value.split() if blanks else [value]
    if not isinstance(value, list) or len(value) > MAX_LIST_LENGTH:
        return ()
    return value if all(isinstance(item, str) for item in value) else ()


def _moment(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _FARTHEST else None


def _is_user(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_USER_ID_LENGTH and text.isprintable()


def protected_resource(
    resource: str, rules: TokenRules, *, name: str
) -> dict[str, str | list[str]]:
    """
    Tell clients who issues tokens for this server (RFC 9728, section 2).
    """
    return {
        "resource": resource,
        "resource_name": name,
        "authorization_servers": [rules.issuer],
        "scopes_supported": sorted({word for words in rules.scopes.values() for word in words}),
        "bearer_methods_supported": ["header"],
    }


def scopes_to_ask_for(scopes: Mapping[Scope, tuple[str, ...]], required: Scope) -> tuple[str, ...]:
    """
    Say what to ask the issuer for, to be let in where a scope is required; the least of them.
    """
    ranked = sorted(scopes, key=lambda scope: scope.rank)
    return next((scopes[each] for each in ranked if each.covers(required) and scopes[each]), ())
