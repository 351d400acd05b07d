"""
JSON Web Tokens of another issuer, shown in place of a key (RFC 7519, RFC 9068).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ctxfy.core.models.auth_models import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """
    Which tokens are taken, and what they are good for here.

    Attributes:
        issuer: What `iss` must be, to the letter.
        audiences: What `aud` must name one of.
        algorithms: Those that are taken; each works with a public key.
        user_claim: The claim that names the user.
        scope_claim: The claim that lists what the token may do.
        scopes: Which entries of that list are which scope here. What is in none counts for nothing.
        prompts_claim: The claim that lists globs over prompts; None: a token sees all of them.
        leeway: How far the clocks may be apart.
        max_age: How long after `iat` a token is taken at most.
        blocked_users: Whose tokens are refused, whatever they say.
    """

    issuer: str
    audiences: tuple[str, ...]
    algorithms: tuple[str, ...]
    scopes: Mapping[Scope, tuple[str, ...]]
    user_claim: str = "sub"
    scope_claim: str = "scope"
    prompts_claim: str | None = None
    leeway: timedelta = timedelta(seconds=30)
    max_age: timedelta = timedelta(days=1)
    blocked_users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHeader:
    """
    What the header of a token says about how to verify it.

    It may also name places to fetch keys from (`jku`, `x5u`) or bring its own (`jwk`, `x5c`): those
    are never looked at.
    """

    algorithm: str
    key_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """
    What a valid token is good for here.
    """

    user_id: str
    scope: Scope
    prompts: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChallenge:
    """
    What clients are told who come without a token that will do (RFC 9728, section 5.1).

    Attributes:
        metadata_url: Where they read who issues tokens for this server.
        scopes: What to ask the issuer for, for each scope here.
    """

    metadata_url: str
    scopes: Mapping[Scope, tuple[str, ...]]
