"""
Settings: the only place that reads the environment.

Precedence: command line, environment (`CTXFY_SECTION__NAME`), secret files in `/run/secrets`
(`ctxfy_section__name`), defaults. Only names with `__` are settings: a Kubernetes Service called
ctxfy injects `CTXFY_PORT` and its like into every pod.
"""

import os
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, override
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from ctxfy.core.exceptions import ConfigurationError, InvalidKeyRequestError
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.address_use_cases import parse_networks
from ctxfy.core.use_cases.auth_use_cases import parse_rate


PREFIX = "CTXFY_"
DELIMITER = "__"
SECRETS_DIR = "/run/secrets"
API_KEY_VARIABLE = "CTXFY_API_KEY"

# To the last @, should the password hold one that ought to be %40: no part of it may stay behind.
_PASSWORD = re.compile(r"(?P<before>postgres(?:ql)?://[^:/@]*):(?P<password>.*)(?P<after>@.*)")

type Words = Annotated[tuple[str, ...], NoDecode]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _split_words(cls, value: object, info: Any) -> object:  # noqa: ANN401 - pydantic's ValidationInfo
        annotation = str(cls.model_fields[info.field_name].annotation)
        if isinstance(value, str) and annotation == "Words":
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value


class ServerSettings(_Section):
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
        description="Where clients find the server, if not where its description lies.",
    )
    max_body_bytes: int = Field(
        default=4 * 1024 * 1024, ge=1024, description="Largest request body, bytes."
    )
    trusted_proxies: Words = Field(
        default=(),
        description="Networks of proxies whose X-Forwarded-For or Forwarded is believed, such as "
        "10.0.0.0/8; commas between.",
    )
    shutdown_seconds: int = Field(
        default=5, ge=1, le=300, description="How long open requests may take at shutdown."
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        parse_networks(value)
        return value


class CorsSettings(_Section):
    """
    Which web pages may call the server from a browser.
    """

    origins: Words = Field(
        default=(), description="Such as https://app.example.com; * is all; commas between."
    )


class LoggingSettings(_Section):
    """
    What is written about what happens.
    """

    format: Literal["json", "console", "auto"] = Field(
        default="auto", description="json, console (readable), or auto: console on a terminal."
    )
    level: LogLevel = Field(default=LogLevel.INFO, description="Least level written.")
    user_id: Literal["pseudonym", "clear"] = Field(
        default="pseudonym", description="How people are named in logs."
    )

    @field_validator("level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value


class AuthSettings(_Section):
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
    master_key: SecretStr | None = Field(
        default=None, description="Base64 of 32 bytes; wraps the keys of people's data."
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


class LimitsSettings(_Section):
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
        description="Where rates are shared between processes: valkey://HOST:6379/0, valkeys:// "
        "for TLS, or redis:// and rediss://. Not set: each process counts by itself.",
    )
    replicas: int = Field(
        default=1,
        ge=1,
        description="How many processes share the traffic; each keeps an equal part of the rates "
        "while what they share is away.",
    )
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


class MonitoringSettings(_Section):
    """
    What operators' tools may see.
    """

    public_metrics: bool = Field(default=False, description="Whether /metrics needs no key.")


class LlmSettings(_Section):
    """
    The language model that prompts are for. The server calls none; prompt functions may.
    """

    default_model: str | None = Field(
        default=None, description="Named in logs and metrics for prompts that name no model."
    )
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="How long one call of a prompt function may take."
    )


class PromptsSettings(_Section):
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
    check_memory_mb: int = Field(
        default=512, ge=64, description="How much memory those tests may take, megabytes."
    )


class StorageSettings(_Section):
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
    pool_size: int = Field(
        default=5, ge=1, le=100, description="PostgreSQL: connections of one process, at most."
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


class DocsSettings(_Section):
    """
    The explorer at /docs and the description at /openapi.json.
    """

    enabled: bool = Field(default=True, description="Whether they are there.")
    title: str = Field(default="ctxfy", min_length=1, max_length=200, description="Their title.")


class AuditSettings(_Section):
    """
    What is remembered of who did what.
    """

    durability: Literal["strict", "relaxed"] = Field(
        default="strict",
        description="strict answers once the event is on the disk; relaxed before, and may lose"
        " the last tenth of a second.",
    )
    retention_days: int = Field(
        default=90, ge=0, le=36500, description="How long events are kept, days; 0 is for ever."
    )
    chain: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$",
        description="Name of this process's chain of events; default: main on SQLite, where all"
        " processes share one, else the name of the machine.",
    )
    spool_file: Path | None = Field(
        default=None,
        description="Where events wait while the database is away; default: beside SQLite's file,"
        " or the key file, else var/ctxfy.spool.",
    )
    spool_mb: int = Field(
        default=64, ge=1, le=10_000, description="How large that file may grow, megabytes."
    )


class Settings(BaseSettings):
    """
    Everything that can be set.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=DELIMITER,
        extra="forbid",
        frozen=True,
    )

    server: ServerSettings = ServerSettings()
    cors: CorsSettings = CorsSettings()
    logging: LoggingSettings = LoggingSettings()
    auth: AuthSettings = AuthSettings()
    limits: LimitsSettings = LimitsSettings()
    monitoring: MonitoringSettings = MonitoringSettings()
    llm: LlmSettings = LlmSettings()
    prompts: PromptsSettings = PromptsSettings()
    storage: StorageSettings = StorageSettings()
    docs: DocsSettings = DocsSettings()
    audit: AuditSettings = AuditSettings()

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
        Order the sources, the strongest first; there is no .env file.
        """
        del dotenv_settings, env_settings, file_secret_settings  # they take in more than settings
        files = _secret_files(Path(SECRETS_DIR))
        _refuse_unknown(os.environ, "in the environment")
        _refuse_unknown(files, f"in {SECRETS_DIR}")
        # An empty variable is how shells and Compose unset one; an empty secret is a mistake.
        given = {name: value for name, value in os.environ.items() if value}
        return init_settings, _Named(settings_cls, given), _Named(settings_cls, files)


class _Named(EnvSettingsSource):
    """
    Takes settings from names with values, and only from names that are a setting's.

    The library's own sources would take `CTXFY_SERVER` for the whole section, in JSON.
    """

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, str]) -> None:
        self._given = values
        super().__init__(settings_cls)

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        known = setting_names()
        return {name.lower(): text for name, text in self._given.items() if name.upper() in known}


def _secret_files(folder: Path) -> dict[str, str]:
    """
    Read the files whose names are those of settings. Others may lie there for other programs.

    Raises:
        ConfigurationError: One cannot be read.
    """
    try:
        files = [file for file in sorted(folder.iterdir()) if _is_ours(file.name)]
    except OSError:
        return {}
    return {file.name: _read_secret(file) for file in files}


def _read_secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text"
    raise ConfigurationError(f"The secret file '{file}' cannot be read: {reason}.")


def load_settings(command_line: Mapping[str, Mapping[str, object]] | None = None) -> Settings:
    """
    Read the settings once.

    Args:
        command_line: By section and name; what was not given is left out.

    Raises:
        ConfigurationError: A name is unknown, or a value cannot be; with the nearest right name.
    """
    try:
        return Settings(**{name: dict(values) for name, values in (command_line or {}).items()})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - sections come as dicts
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


def variable_name(section: str, name: str) -> str:
    """
    Name the environment variable of a setting.
    """
    return f"{PREFIX}{section}{DELIMITER}{name}".upper()


def setting_names() -> tuple[str, ...]:
    """
    List the environment variables of all settings.
    """
    return tuple(
        variable_name(section, name)
        for section, field in Settings.model_fields.items()
        for name in _fields_of(field.annotation)
    )


def _fields_of(section: object) -> Mapping[str, object]:
    return (
        section.model_fields if isinstance(section, type) and issubclass(section, BaseModel) else {}
    )


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX) and DELIMITER in name


def _refuse_unknown(names: Iterable[str], place: str) -> None:
    known = setting_names()
    for name in sorted(names):
        if _is_ours(name) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise ConfigurationError(f"There is no setting {name} ({place}){hint}")


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    section, *rest = (str(part) for part in first["loc"])
    name = rest[0] if rest else ""
    message = first["msg"][:1].lower() + first["msg"][1:]
    return f"The setting {variable_name(section, name)} cannot be used: {message}."
