"""
The section `jwt`.
"""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from ctxfy.app.setting_section import Section, Words
from ctxfy.core.use_cases.token_use_cases import ASYMMETRIC_ALGORITHMS


_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_ADDRESS = r"^https?://[^/?#\s]+[^#\s]*$"


class JwtSettings(Section):
    """
    JSON Web Tokens of another issuer in place of keys. Without an issuer there are none.
    """

    issuer: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="Whose tokens are taken, exactly as it stands in 'iss'. Not set: nobody's.",
    )
    audience: Words = Field(
        default=(),
        description="What 'aud' must name one of; default: the address of /mcp below"
        " CTXFY_SERVER__PUBLIC_URL.",
    )
    jwks_url: str | None = Field(
        default=None,
        pattern=_ADDRESS,
        description="Where the issuer publishes its keys; https, or http on this machine.",
    )
    jwks_file: Path | None = Field(
        default=None, description="A file with the issuer's keys, in place of an address."
    )
    algorithms: Words = Field(
        default=("RS256", "ES256"),
        min_length=1,
        description="Signatures that are taken; each works with a public key.",
    )
    user_claim: str = Field(
        default="sub",
        min_length=1,
        description="The claim that names the user; one that users cannot choose themselves.",
    )
    scope_claim: str = Field(
        default="scope", min_length=1, description="The claim that lists what a token may do."
    )
    read_scopes: Words = Field(
        default=("ctxfy:read",), description="What in that claim is scope read here."
    )
    write_scopes: Words = Field(
        default=("ctxfy:write",), description="What in that claim is scope write here."
    )
    admin_scopes: Words = Field(
        default=(), description="What in that claim is scope admin here; default: nothing is."
    )
    prompts_claim: str | None = Field(
        default=None,
        min_length=1,
        description="The claim that lists globs over the prompts a token sees; a token without it"
        " is refused then. Not set: all prompts.",
    )
    blocked_users: Words = Field(
        default=(), description="Users whose tokens are refused, however long they are good."
    )
    max_bytes: int = Field(default=8192, ge=256, le=65_536, description="Largest token, bytes.")
    leeway_seconds: int = Field(
        default=30, ge=0, le=300, description="How far the issuer's clock may be apart from ours."
    )
    max_age_seconds: int = Field(
        default=86_400, ge=60, description="How long after it was issued a token is taken at most."
    )
    fetch_seconds: float = Field(
        default=5.0, gt=0, le=60, description="How long reading the issuer's keys may take."
    )
    refresh_seconds: float = Field(
        default=30.0,
        gt=0,
        description="The least time between two readings, however many tokens name keys that are"
        " not known.",
    )
    lifetime_seconds: float = Field(
        default=600.0, gt=0, description="After which keys are read anew, wanted or not."
    )
    max_stale_seconds: float = Field(
        default=86_400.0,
        gt=0,
        description="How old the keys may become while the issuer is away; then no token is taken.",
    )

    @field_validator("algorithms")
    @classmethod
    def _are_asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not set(value) <= set(ASYMMETRIC_ALGORITHMS):
            raise ValueError(f"each must be one of {', '.join(ASYMMETRIC_ALGORITHMS)}")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _is_not_in_clear(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https:")
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ValueError("keys that came in clear prove nothing; it must be TLS")
        return value
