"""
The section `storage`.
"""

import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import Field, SecretStr, model_validator

from ctxfy.app.setting_section import Section


# To the last @, should the password hold one that ought to be %40: no part of it may stay behind.
_PASSWORD = re.compile(r"(?P<before>postgres(?:ql)?://[^:/@]*):(?P<password>.*)(?P<after>@.*)")


class StorageSettings(Section):
    """
    Where keys are kept.
    """

    url: str = Field(
        default="sqlite:///var/ctxfy.db",
        description="sqlite:///PATH, or postgresql://USER@HOST:PORT/DATABASE.",
    )
    password: SecretStr | None = Field(
        default=None, description="For PostgreSQL; goes before one in the URL."
    )
    migrate: Literal["auto", "check"] = Field(
        default="auto", description="auto brings the tables up to date; check only looks."
    )
    lock_seconds: float = Field(
        default=5.0, gt=0, le=60, description="How long a write waits for another process."
    )
    pool_size: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="PostgreSQL: connections of one process, at most; default: 5, and fewer with"
        " less than one processor.",
    )
    pool_seconds: float = Field(
        default=0.5, gt=0, le=60, description="PostgreSQL: how long to wait for a free one."
    )
    connect_seconds: float = Field(
        default=1.0, gt=0, le=60, description="PostgreSQL: how long a new one may take."
    )
    statement_seconds: float = Field(
        default=1.0, gt=0, le=300, description="PostgreSQL: how long a statement may take."
    )
    statement_cache: int = Field(
        default=100,
        ge=0,
        le=10_000,
        description="PostgreSQL: statements kept prepared; 0 for pgbouncer.",
    )
    tls: Literal["off", "require", "verify"] = Field(
        default="off",
        description="PostgreSQL: require encrypts, verify looks at the certificate too.",
    )
    tls_ca: Path | None = Field(
        default=None,
        description="PEM file of whom verify believes; default: the system's authorities.",
    )

    @model_validator(mode="before")
    @classmethod
    def _take_password_out(cls, given: Any) -> Any:  # noqa: ANN401 - pydantic's signature
        # So that the URL can be shown anywhere.
        if not isinstance(given, dict) or not isinstance(given.get("url"), str):
            return given
        found = _PASSWORD.match(given["url"])
        if found is None:
            return given
        own = SecretStr(unquote(found["password"]))
        return {"password": own} | given | {"url": found["before"] + found["after"]}
