"""
The section `limits`.
"""

from pydantic import Field, SecretStr, field_validator

from ctxfy.app.setting_section import Section
from ctxfy.core.exceptions import InvalidKeyRequestError
from ctxfy.core.use_cases.auth_use_cases import parse_rate


class LimitsSettings(Section):
    """
    How often callers may come, and what one request may bring.
    """

    key_rate: str = Field(default="600/minute", description="For keys without a rate of their own.")
    user_rate: str | None = Field(
        default=None, description="For all keys of one user together, such as 2000/minute."
    )
    failure_rate: str = Field(
        default="20/minute",
        description="Credentials that are not known here, by address; valid keys never suffer.",
    )
    key_bytes_per_minute: int | None = Field(
        default=None, ge=1, description="Bodies sent with one key, bytes a minute."
    )
    requests_at_once: int = Field(
        default=2000, ge=1, description="Requests that one process serves at the same time."
    )
    key_requests_at_once: int | None = Field(
        default=None, ge=1, description="Requests of one key at the same time, per process."
    )
    url: SecretStr | None = Field(
        default=None,
        description="Where rates are shared between servers: valkey://HOST:6379/0, valkeys:// "
        "for TLS, or redis:// and rediss://. Not set: each server counts by itself.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        description="How many servers share the traffic, each with all its workers; each keeps an "
        "equal part of the rates while what they share is away.",
    )
    headers: int = Field(default=100, ge=1, description="Header fields of one request.")
    header_bytes: int = Field(
        default=32 * 1024, ge=1024, description="All header fields of one request, bytes."
    )
    header_value_bytes: int = Field(
        default=16 * 1024, ge=256, description="Value of one header field, bytes."
    )
    address_bytes: int = Field(
        default=8 * 1024, ge=256, description="Path and query of one request, bytes."
    )
    argument_count: int = Field(default=100, ge=1, description="Arguments of one call.")
    argument_bytes: int = Field(default=1_000_000, ge=1, description="Largest argument, bytes.")
    arguments_bytes: int = Field(default=2_000_000, ge=1, description="All arguments, bytes.")

    @field_validator("key_rate", "user_rate", "failure_rate")
    @classmethod
    def _is_rate(cls, value: str | None) -> str | None:
        try:
            is_empty = value is not None and parse_rate(value).requests < 1
        except InvalidKeyRequestError as error:
            # pydantic keeps a ValueError's sentence, and lets other errors through.
            raise ValueError(str(error).rstrip(".")) from error
        if is_empty:
            raise ValueError("a rate lets at least one request through")
        return value

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: SecretStr | None) -> SecretStr | None:
        schemes = ("valkey", "valkeys", "redis", "rediss")
        if value is not None and value.get_secret_value().partition("://")[0] not in schemes:
            raise ValueError(f"its scheme must be one of {', '.join(schemes)}")
        return value
