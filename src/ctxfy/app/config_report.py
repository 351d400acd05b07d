"""
What the settings are in effect, and where each of them comes from; and the schema of the file.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr

from ctxfy.app.config import Settings, setting_sections
from ctxfy.app.fastmcp_file import OUR_PART, FastMcpFile
from ctxfy.app.setting_sources import Layer, Origin, SettingName, settings_in, variable_name
from ctxfy.core.use_cases.monitoring_use_cases import REDACTED, redact_text


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting:
    """
    One setting as the server would have it.

    Attributes:
        value: JSON data; a secret is not in it.
        place: Where in its source it stands; empty for a default.
    """

    name: str
    variable: str
    value: object
    origin: Origin
    place: str


def effective_settings(settings: Settings, layers: Sequence[Layer]) -> Iterator[EffectiveSetting]:
    """
    Tell every setting, and which layer gave it.
    """
    shown = settings.model_dump(mode="json")
    for section, name in settings_in(setting_sections()):
        origin, place = _source_of((section, name), layers)
        yield EffectiveSetting(
            name=f"{section}.{name}",
            variable=variable_name(section, name),
            value=_masked(getattr(getattr(settings, section), name), shown[section][name]),
            origin=origin,
            place=place,
        )


def _source_of(setting: SettingName, layers: Sequence[Layer]) -> tuple[Origin, str]:
    for layer in layers:
        if setting in layer.places:
            return layer.origin, layer.places[setting]
    return Origin.DEFAULT, ""


def _masked(value: object, shown: object) -> object:
    if isinstance(value, SecretStr):
        return REDACTED
    # An address may hold a password.
    return redact_text(shown) if isinstance(shown, str) else shown


def fastmcp_schema() -> dict[str, Any]:
    """
    Make the JSON Schema of `fastmcp.json`, with our part and without its secrets.
    """
    schema = FastMcpFile.model_json_schema()
    definitions: dict[str, Any] = schema["$defs"]
    for name, model in setting_sections().items():
        definitions[model.__name__] = _section_schema(model, definitions)
        definitions[model.__name__]["title"] = name
    schema["properties"][OUR_PART] = {
        "description": schema["properties"][OUR_PART]["description"],
        "type": "object",
        "additionalProperties": False,
        "properties": {
            name: {"$ref": f"#/$defs/{model.__name__}"}
            for name, model in setting_sections().items()
        },
    }
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fastmcp.json with the settings of ctxfy",
        "description": "FastMCP's file of a server; what ctxfy would not heed is not allowed.",
    }
    return head | {key: schema[key] for key in schema if key not in head}


def _section_schema(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions |= schema.pop("$defs", {})
    schema["properties"] = {
        name: item for name, item in schema["properties"].items() if not _is_secret(item)
    }
    return schema


def _is_secret(item: Mapping[str, Any]) -> bool:
    return any(each.get("writeOnly") for each in (item, *item.get("anyOf", ())))
