"""
Settings: the only place that reads the environment.

Precedence: command line, environment (`CTXFY_SECTION__NAME`), secret files in `/run/secrets`
(`ctxfy_section__name`), `fastmcp.json`, defaults. Only names with `__` are settings: a Kubernetes
Service called ctxfy injects `CTXFY_PORT` and its like into every pod. `CTXFY_CONFIG` is none: it
says where `fastmcp.json` is.
"""

import os
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, override

from pydantic import (
    BaseModel,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ctxfy.adapters.monitoring.log_levels import FLOORS
from ctxfy.app.audit_settings import AuditSettings
from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.fastmcp_file import read_fastmcp_file
from ctxfy.app.jwt_settings import JwtSettings
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.monitoring_settings import MonitoringSettings
from ctxfy.app.privacy_settings import PrivacySettings
from ctxfy.app.public_address import public_address
from ctxfy.app.setting_section import Section, Words
from ctxfy.app.setting_sources import (
    Layer,
    command_line_layer,
    environment_layer,
    secret_files_layer,
    settings_in,
    variable_name,
)
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.app.tls_settings import TlsSettings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.address_use_cases import parse_networks
from ctxfy.core.use_cases.log_level_use_cases import check_levels, parse_levels


SECRETS_DIR = "/run/secrets"
CONFIG_VARIABLE = "CTXFY_CONFIG"
CONFIG_FILE = "fastmcp.json"
API_KEY_VARIABLE = "CTXFY_API_KEY"


class ServerSettings(Section):
    """
    Where the server listens and whom it answers.
    """

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks one.")
    allowed_hosts: Words = Field(
        default=(), description="Host names answered for, beside loopback; globs; commas between."
    )
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#\s]+[^?#\s]*$",
        description="Where clients and browsers find the server, if a proxy stands before it, such"
        " as https://prompts.example.com.",
    )
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1024, description="Largest request body, bytes."
    )
    trusted_proxies: Words = Field(
        default=(),
        description="Networks of proxies whose X-Forwarded-For or Forwarded is believed, such as "
        "10.0.0.0/8; commas between.",
    )
    express_lane: bool = Field(
        default=True,
        description="Whether ctxfy answers the usual requests over MCP by itself, and much faster;"
        " false leaves all of them to FastMCP, whose answers are the same.",
    )
    connections: int = Field(
        default=4000, ge=16, description="Connections that one process keeps at the same time."
    )
    header_timeout_seconds: float = Field(
        default=5.0, gt=0, le=600, description="How long the head of a request may take to come."
    )
    body_timeout_seconds: float = Field(
        default=7.0,
        gt=0,
        le=600,
        description="How long its body may take, beside the time it needs at the least rate.",
    )
    send_timeout_seconds: float = Field(
        default=7.0,
        gt=0,
        le=600,
        description="How long an answer may wait for its client, likewise.",
    )
    min_bytes_per_second: int = Field(
        default=10_000, ge=1, description="The least rate of a long body or answer."
    )
    keep_alive_seconds: float = Field(
        default=5.0,
        gt=0,
        le=3600,
        description="How long a connection is kept for a next request; longer than a proxy in front"
        " keeps it.",
    )
    drain_seconds: int = Field(
        default=0,
        ge=0,
        le=300,
        description="How long to go on serving after SIGTERM while /health/ready says no, so that "
        "balancers notice.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that serve together on this machine, at most one per processor.",
    )
    shutdown_seconds: int = Field(
        default=5, ge=1, le=300, description="How long open requests may take at shutdown."
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, value: str | None) -> str | None:
        public_address(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value


class CorsSettings(Section):
    """
    Which web pages may call the server from a browser.
    """

    origins: Words = Field(
        default=(), description="Such as https://app.example.com; * is all; commas between."
    )


class LoggingSettings(Section):
    """
    What is written about what happens.
    """

    format: Literal["json", "console", "auto"] = Field(
        default="auto", description="json, console (readable), or auto: console on a terminal."
    )
    level: LogLevel = Field(default=LogLevel.INFO, description="Least level written.")
    levels: dict[str, LogLevel] = Field(
        default={},
        description="Least level of single loggers, such as ctxfy.audit=debug, uvicorn=warning; in"
        " fastmcp.json an object.",
    )
    shape: Literal["ctxfy", "ecs", "datadog"] = Field(
        default="ctxfy",
        description="Names of the fields of a JSON line: ctxfy's, those of the Elastic Common"
        " Schema, or Datadog's.",
    )
    user_id: Literal["pseudonym", "clear"] = Field(
        default="pseudonym", description="How people are named in logs."
    )
    file: Path | None = Field(
        default=None, description="Where the log is written, instead of standard output."
    )
    file_mb: int = Field(
        default=100, ge=1, le=100_000, description="How large that file may grow, megabytes."
    )
    file_count: int = Field(
        default=5, ge=1, le=1000, description="How many full ones are kept, FILE.1 and so on."
    )

    @field_validator("level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("levels", mode="before")
    @classmethod
    def _by_logger(cls, value: object) -> object:
        levels = parse_levels(value) if isinstance(value, str) else value
        return check_levels(levels, FLOORS) if isinstance(levels, dict) else levels


class LlmSettings(Section):
    """
    The language model that prompts are for. The server calls none; prompt functions may.
    """

    default_model: str | None = Field(
        default=None, description="Named in logs and metrics for prompts that name no model."
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="How long one call of a prompt function may take."
    )


class PromptsSettings(Section):
    """
    Where prompts come from.
    """

    folder: Path = Field(default=Path("prompts"), description="The folder of prompt files.")
    modules: Words = Field(
        default=(),
        description="Python modules with prompts: names, or paths of files .py; commas between.",
    )
    watch: bool = Field(
        default=True, description="Whether a change of the folder is served without a restart."
    )
    check_seconds: int = Field(
        default=60, ge=1, description="How long the tests of all prompts may take together."
    )
    check_memory_mb: int | None = Field(
        default=None,
        ge=64,
        description="How much memory those tests may take, megabytes; default: 512, and no more"
        " than half of the container's.",
    )


class DocsSettings(Section):
    """
    The pages under /docs and the description at /openapi.json.
    """

    enabled: bool = Field(default=True, description="Whether they are there.")
    title: str = Field(default="ctxfy", min_length=1, max_length=200, description="Their title.")


class Settings(BaseSettings):
    """
    Everything that can be set.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
    )

    server: ServerSettings = ServerSettings()
    cors: CorsSettings = CorsSettings()
    logging: LoggingSettings = LoggingSettings()
    auth: AuthSettings = AuthSettings()
    jwt: JwtSettings = JwtSettings()
    limits: LimitsSettings = LimitsSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    llm: LlmSettings = LlmSettings()
    prompts: PromptsSettings = PromptsSettings()
    storage: StorageSettings = StorageSettings()
    tls: TlsSettings = TlsSettings()
    docs: DocsSettings = DocsSettings()
    audit: AuditSettings = AuditSettings()
    privacy: PrivacySettings = PrivacySettings()

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """
        Read nothing by itself: the library's sources take in more than settings.

        They would take `CTXFY_SERVER` for a whole section, in JSON. `load_settings` has ours.
        """
        del dotenv_settings, env_settings, file_secret_settings
        return (init_settings,)


def load_settings(
    command_line: Mapping[str, Mapping[str, object]] | None = None, *, file: Path | None = None
) -> Settings:
    """
    Read the settings once.

    Args:
        command_line: By section and name; what was not given is left out.
        file: The `fastmcp.json` to read, instead of the one that is looked for.

    Raises:
        ConfigurationError: A name is unknown, or a value cannot be; with the nearest right name.
    """
    return settings_from(read_layers(command_line, file=file))


def read_layers(
    command_line: Mapping[str, Mapping[str, object]] | None = None, *, file: Path | None = None
) -> tuple[Layer, ...]:
    """
    Read every source, the strongest first; values are still as they were written.

    Raises:
        ConfigurationError: A name is unknown, or a source cannot be read.
    """
    sections = setting_sections()
    return (
        command_line_layer(command_line or {}),
        environment_layer(os.environ, sections),
        secret_files_layer(Path(SECRETS_DIR), sections),
        *_config_file_layers(file),
    )


def _config_file_layers(file: Path | None) -> tuple[Layer, ...]:
    named = file or Path(os.environ.get(CONFIG_VARIABLE) or CONFIG_FILE)
    is_asked_for = file is not None or bool(os.environ.get(CONFIG_VARIABLE))
    if not is_asked_for and not named.exists():
        return ()
    layer = read_fastmcp_file(named, setting_sections(), is_asked_for=is_asked_for)
    return () if layer is None else (layer,)


def settings_from(layers: Sequence[Layer]) -> Settings:
    """
    Put the layers together, the strongest first.

    Raises:
        ConfigurationError: A value cannot be used.
    """
    sources = tuple(
        InitSettingsSource(Settings, init_kwargs=dict(layer.values)) for layer in layers
    )
    try:
        return Settings(_build_sources=(sources, {}))  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] - of BaseSettings; the checkers see fields alone
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from error


def api_key() -> str | None:
    """
    The key with which a command calls a server. No setting of the server, hence no `__`.
    """
    return os.environ.get(API_KEY_VARIABLE, "").strip() or None


def decode_secret(name: str, secret: SecretStr) -> bytes:
    """
    Read a secret that is written in base64.

    Raises:
        ConfigurationError: It is no base64.
    """
    try:
        return b64decode(secret.get_secret_value().strip(), validate=True)
    except (Base64Error, ValueError) as error:
        raise ConfigurationError(
            f"{name} is not base64; make one with 'openssl rand -base64 32'."
        ) from error


def setting_sections() -> dict[str, type[BaseModel]]:
    """
    List the sections of the settings by name.
    """
    return {
        name: field.annotation
        for name, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }


def setting_names() -> tuple[str, ...]:
    """
    List the environment variables of all settings.
    """
    return tuple(variable_name(*setting) for setting in settings_in(setting_sections()))


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    section, *rest = (str(part) for part in first["loc"])
    name = rest[0] if rest else ""
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    return f"The setting {variable_name(section, name)} cannot be used: {message}."
