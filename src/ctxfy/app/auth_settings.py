"""
The section `auth`.
"""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from ctxfy.app.setting_section import Section
from ctxfy.app.static_key_settings import StaticKey, read_static_keys


MAX_SECRET_ID = 9999


class AuthSettings(Section):
    """
    Keys and the secrets behind them.
    """

    bootstrap_key: SecretStr | None = Field(
        default=None, description="The first admin key, instead of one made and printed."
    )
    bootstrap_user: str = Field(default="admin", description="Who the first admin key belongs to.")
    pepper: SecretStr | None = Field(
        default=None, description="Base64 of 32 or more bytes; keys the digests of API keys."
    )
    pepper_id: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SECRET_ID,
        description="What the pepper is called in the database; default: 1. A new one needs"
        " another number.",
    )
    other_peppers: SecretStr | None = Field(
        default=None,
        description="Peppers that keys may still be under, or soon: NUMBER:BASE64, commas or lines"
        " between.",
    )
    master_key: SecretStr | None = Field(
        default=None, description="Base64 of 32 bytes; wraps the keys of people's data."
    )
    master_key_id: int | None = Field(
        default=None,
        ge=1,
        le=MAX_SECRET_ID,
        description="What the master key is called in the database; default: 1. A new one needs"
        " another number.",
    )
    other_master_keys: SecretStr | None = Field(
        default=None,
        description="Master keys that people may still be under, or soon: NUMBER:BASE64, commas or"
        " lines between.",
    )
    key_file: Path | None = Field(
        default=None,
        description="Holds both if they are not set; made beside the database if missing.",
    )
    max_stale: int = Field(
        default=300,
        ge=0,
        description="Seconds that known keys are served for reads with the store away.",
    )
    static_keys: tuple[StaticKey, ...] = Field(
        default=(),
        description="Keys that are kept here, by digest, and not in the database: a list in JSON;"
        " 'ctxfy keys digest' writes what belongs in it.",
    )
    expiry_warning_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="Days before its end from which the log warns of a key, once a day.",
    )
    usage_days: int = Field(
        default=90,
        ge=1,
        le=3660,
        description="Days for which it is kept what each key was used for.",
    )
    session_idle_minutes: int = Field(
        default=30,
        ge=1,
        le=7 * 24 * 60,
        description="Minutes without a request after which a browser session ends.",
    )
    session_hours: int = Field(
        default=12,
        ge=1,
        le=30 * 24,
        description="Hours after which a browser session ends, used or not.",
    )

    @field_validator("static_keys", mode="before")
    @classmethod
    def _read_static_keys(cls, value: object) -> object:
        return read_static_keys(value)
