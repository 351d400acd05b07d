"""
Where settings come from: layers of raw values, each value with its place.

Nothing here reads the environment: `config` hands it over.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel

from ctxfy.core.exceptions import ConfigurationError


PREFIX = "CTXFY_"
DELIMITER = "__"

type Sections = Mapping[str, type[BaseModel]]
type SettingName = tuple[str, str]
"""
A section and a name in it.
"""


class Origin(StrEnum):
    """
    The kinds of sources, the strongest first.
    """

    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    SECRET_FILE = "secret file"  # noqa: S105 - the name of a kind
    CONFIG_FILE = "fastmcp.json"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    What one source gives: raw values by section and name, and where each of them stands.
    """

    origin: Origin
    values: Mapping[str, Mapping[str, object]] = field(repr=False)
    places: Mapping[SettingName, str]


def layer_of(origin: Origin, found: Mapping[SettingName, tuple[object, str]]) -> Layer:
    """
    Make a layer of values with their places.
    """
    values: dict[str, dict[str, object]] = {}
    for (section, name), (value, _) in found.items():
        values.setdefault(section, {})[name] = value
    places = {setting: place for setting, (_, place) in found.items()}
    return Layer(origin=origin, values=values, places=places)


def variable_name(section: str, name: str) -> str:
    """
    Name the environment variable of a setting.
    """
    return f"{PREFIX}{section}{DELIMITER}{name}".upper()


def given_options(
    prompts: Path | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    log_level: str | None = None,
    workers: int | None = None,
) -> Mapping[str, Mapping[str, object]]:
    """
    Lay out the options that were given as settings; the others are left out.
    """
    options = {
        ("server", "host"): host,
        ("server", "port"): port,
        ("server", "workers"): workers,
        ("prompts", "folder"): prompts,
        # A folder that is named is all there is: the modules of the settings are left out.
        ("prompts", "modules"): None if prompts is None else (),
        ("logging", "level"): log_level,
    }
    given = {key: (value, "") for key, value in options.items() if value is not None}
    return layer_of(Origin.COMMAND_LINE, given).values


def command_line_layer(given: Mapping[str, Mapping[str, object]]) -> Layer:
    """
    Take the options that were given, by section and name.
    """
    return layer_of(
        Origin.COMMAND_LINE,
        {
            (section, name): (value, "")
            for section, values in given.items()
            for name, value in values.items()
        },
    )


def environment_layer(variables: Mapping[str, str], sections: Sections) -> Layer:
    """
    Take the variables that are settings.

    Raises:
        ConfigurationError: One has the form of a setting and is none.
    """
    refuse_unknown(variables, "in the environment", sections)
    # An empty variable is how shells and Compose unset one.
    given = {name: value for name, value in variables.items() if value}
    return _named(Origin.ENVIRONMENT, given, sections, str)


def secret_files_layer(folder: Path, sections: Sections) -> Layer:
    """
    Take the files whose names are those of settings. Others may lie there for other programs.

    Raises:
        ConfigurationError: One cannot be read, or has the form of a setting and is none.
    """
    try:
        files = [file for file in sorted(folder.iterdir()) if _is_ours(file.name)]
    except OSError:
        files = []
    refuse_unknown([file.name for file in files], f"in {folder}", sections)
    # Unlike a variable, an empty secret is a mistake, and told where it is used.
    given = {file.name: _read_secret(file) for file in files}
    return _named(Origin.SECRET_FILE, given, sections, lambda name: str(folder / name))


def refuse_unknown(names: Iterable[str], place: str, sections: Sections) -> None:
    """
    Refuse a name that has the form of a setting and is none.

    Raises:
        ConfigurationError: With the nearest right name.
    """
    known = [variable_name(*setting) for setting in settings_in(sections)]
    for name in sorted(names):
        if _is_ours(name) and name.upper() not in known:
            near = get_close_matches(name.upper(), known, n=1, cutoff=0.5)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise ConfigurationError(f"There is no setting {name} ({place}){hint}")


def settings_in(sections: Sections) -> tuple[SettingName, ...]:
    """
    List every setting there is.
    """
    return tuple((section, name) for section in sections for name in sections[section].model_fields)


def _named(
    origin: Origin,
    given: Mapping[str, str],
    sections: Sections,
    place_of: Callable[[str], str],
) -> Layer:
    by_variable = {variable_name(*setting): setting for setting in settings_in(sections)}
    return layer_of(
        origin,
        {
            by_variable[name.upper()]: (text, place_of(name))
            for name, text in given.items()
            if name.upper() in by_variable
        },
    )


def _is_ours(name: str) -> bool:
    return name.upper().startswith(PREFIX) and DELIMITER in name


def _read_secret(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text"
    raise ConfigurationError(f"The secret file '{file}' cannot be read: {reason}.")
