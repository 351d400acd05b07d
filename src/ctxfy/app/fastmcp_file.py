"""
`fastmcp.json`: FastMCP's official file, with our settings under `"ctxfy"`.

What FastMCP would take from it and ctxfy does not is refused, never silently left out: a server
must not run otherwise than its file says.
"""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ctxfy.app.setting_sources import (
    Layer,
    Origin,
    Sections,
    SettingName,
    layer_of,
    variable_name,
)
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.use_cases.monitoring_use_cases import redact_text


MAX_FILE_BYTES = 1_000_000
OUR_PART = "ctxfy"

# What `deployment` says in FastMCP's words, as our settings.
DEPLOYMENT_SETTINGS: Mapping[str, SettingName] = {
    "host": ("server", "host"),
    "port": ("server", "port"),
    "log_level": ("logging", "level"),
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SourcePart(_Part):
    """
    Where `fastmcp run` finds the server; ctxfy itself does not need it.
    """

    type: Literal["filesystem"] = "filesystem"
    path: str = Field(description="The Python file with the server.")
    entrypoint: str | None = Field(default=None, description="Its name in that file.")


class EnvironmentPart(_Part):
    """
    The Python environment that `fastmcp run` makes with uv; ctxfy itself does not need it.
    """

    type: Literal["uv"] = "uv"
    python: str | None = Field(default=None, description="The version of Python.")
    dependencies: list[str] | None = Field(default=None, description="Packages to install.")
    requirements: str | None = Field(default=None, description="A file of requirements.")
    project: str | None = Field(default=None, description="A folder with a pyproject.toml.")
    editable: list[str] | None = Field(default=None, description="Folders installed editable.")


class DeploymentPart(_Part):
    """
    How the server is reached.
    """

    transport: Literal["http", "streamable-http"] | None = Field(
        default=None, description="ctxfy serves over HTTP alone."
    )
    host: str | None = Field(default=None, description="The setting server.host.")
    port: int | None = Field(
        default=None, ge=0, le=65535, description="The setting server.port; 0 picks one."
    )
    path: Literal["/mcp", "/mcp/"] | None = Field(
        default=None, description="ctxfy speaks MCP at /mcp alone."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] | None = Field(
        default=None, description="The setting logging.level."
    )


class FastMcpFile(_Part):
    """
    The file as a whole, but for what is in our part.
    """

    schema_url: str | None = Field(default=None, alias="$schema", description="For editors.")
    source: SourcePart | None = None
    environment: EnvironmentPart | None = None
    deployment: DeploymentPart = DeploymentPart()
    ctxfy: dict[str, dict[str, Any]] = Field(default={}, description="The settings, by section.")


# Fields of FastMCP's that would change how the server runs, with what to do instead.
REFUSED: Mapping[str, str] = {
    "cwd": "start ctxfy in that folder",
    "env": f"put settings under '{OUR_PART}', and secrets into files or the environment",
    "args": f"put settings under '{OUR_PART}'",
}


def read_fastmcp_file(path: Path, sections: Sections, *, is_asked_for: bool) -> Layer | None:
    """
    Read the settings of a file; None if nobody asked for it and it is another server's.

    Each section is validated by itself, so its validators must not need values of other sources.

    Raises:
        ConfigurationError: With the file, the place in it, and the nearest right name.
    """
    content = _parse(path)
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path} must hold a JSON object.")
    if not is_asked_for and OUR_PART not in content:
        return None
    deployment = content.get("deployment")
    for name, remedy in REFUSED.items():
        if isinstance(deployment, dict) and deployment.get(name):
            raise ConfigurationError(f"{path}: deployment.{name} is not taken by ctxfy; {remedy}.")
    file = _validate(path, FastMcpFile, content, place=())
    found = {
        (section, name): (value, f"{path}: {OUR_PART}.{section}.{name}")
        for section, values in file.ctxfy.items()
        for name, value in _section(path, section, values, sections).items()
    }
    for name, setting in DEPLOYMENT_SETTINGS.items():
        value = getattr(file.deployment, name)
        if value is None:
            continue
        if setting in found:
            raise ConfigurationError(
                f"{path}: {OUR_PART}.{'.'.join(setting)} and deployment.{name} are the same "
                "setting; keep one of them."
            )
        found[setting] = (value, f"{path}: deployment.{name}")
    return layer_of(Origin.CONFIG_FILE, found)


def _parse(path: Path) -> object:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
        if len(raw) > MAX_FILE_BYTES:
            raise ConfigurationError(f"{path} is larger than {MAX_FILE_BYTES} bytes.")
        return json.loads(
            raw.decode(), object_pairs_hook=_no_key_twice, parse_constant=_no_constant
        )
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text in UTF-8"
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno} is not JSON ({error.msg.lower()})"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise ConfigurationError(f"{path} cannot be read: {reason}.")


def _no_key_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key '{twice}' comes twice in one object"
        raise ValueError(message)
    return result


def _no_constant(word: str) -> object:
    message = f"{word} is no JSON"
    raise ValueError(message)


def _section(
    path: Path, section: str, values: Mapping[str, object], sections: Sections
) -> Mapping[str, object]:
    """
    Check one section of our part.
    """
    if section not in sections:
        raise _unknown(path, (OUR_PART, section), sections)
    model = sections[section]
    for name, value in values.items():
        if name not in model.model_fields:
            raise _unknown(path, (OUR_PART, section, name), model.model_fields)
        _refuse_secret(path, model, section, name, value)
        if isinstance(value, str) and _takes_words(model, name):
            raise ConfigurationError(
                f"{path}: {OUR_PART}.{section}.{name} must be a list of texts."
            )
    _validate(path, model, values, place=(OUR_PART, section))
    return values


def _refuse_secret(
    path: Path, model: type[BaseModel], section: str, name: str, value: object
) -> None:
    is_secret = SecretStr.__name__ in str(model.model_fields[name].annotation)
    if is_secret or (isinstance(value, str) and redact_text(value) != value):
        variable = variable_name(section, name)
        raise ConfigurationError(
            f"{path}: {OUR_PART}.{section}.{name} holds a secret, and this file is one for git; "
            f"set {variable}, or put it into /run/secrets/{variable.lower()}."
        )


def _takes_words(model: type[BaseModel], name: str) -> bool:
    return str(model.model_fields[name].annotation) == "Words"


def _validate[T: BaseModel](
    path: Path, model: type[T], content: object, *, place: Sequence[str]
) -> T:
    try:
        # As JSON: only there does a strict model take a text for a path, and a list for a tuple.
        return model.model_validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = (*place, *(str(part) for part in first["loc"]))
        if first["type"] == "extra_forbidden":
            raise _unknown(path, where, _names_at(where)) from error
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise ConfigurationError(
            f"{path}: {'.'.join(where)}: {message[:1].lower()}{message[1:]}."
        ) from error


def _names_at(where: Sequence[str]) -> Sequence[str]:
    parts: Mapping[str, type[BaseModel]] = {
        "source": SourcePart,
        "environment": EnvironmentPart,
        "deployment": DeploymentPart,
    }
    model = FastMcpFile if len(where) == 1 else parts[where[0]]
    return [field.alias or name for name, field in model.model_fields.items()]


def _unknown(
    path: Path, where: Sequence[str], known: Sequence[str] | Mapping[str, object]
) -> Exception:
    near = get_close_matches(where[-1], list(known), n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}."
    return ConfigurationError(f"{path}: {'.'.join(where)} is not known; {hint}")
