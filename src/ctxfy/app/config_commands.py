"""
`ctxfy config`: what is set, by whom, and what could be.
"""

import json
from typing import Annotated

from cyclopts import App, Parameter

from ctxfy.app.command_line import Config, Folder, Json, write_json
from ctxfy.app.config import read_layers, settings_from
from ctxfy.app.config_report import EffectiveSetting, effective_settings, fastmcp_schema
from ctxfy.app.setting_sources import Origin, given_options


app = App(name="config", help="Show the settings in effect, and what can be set.")


@app.command
def show(
    *,
    host: Annotated[str | None, Parameter(help="As for serve.")] = None,
    port: Annotated[int | None, Parameter(help="As for serve.")] = None,
    prompts: Folder = None,
    log_level: Annotated[str | None, Parameter(help="As for serve.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """
    Show every setting as `ctxfy serve` would have it, and where it comes from. Secrets are masked.
    """
    options = given_options(prompts, host=host, port=port, log_level=log_level)
    layers = read_layers(options, file=config)
    found = list(effective_settings(settings_from(layers), layers))
    if as_json:
        write_json(
            [
                {
                    "name": item.name,
                    "variable": item.variable,
                    "value": item.value,
                    "source": str(item.origin),
                    "place": item.place or None,
                }
                for item in found
            ]
        )
        return
    width = max(len(item.name) for item in found)
    for item in found:
        print(f"{item.name:{width}}  {_text(item.value)}  [{_origin(item)}]")


@app.command
def schema() -> None:
    """
    Write the JSON Schema of fastmcp.json, for editors.
    """
    write_json(fastmcp_schema())


def _text(value: object) -> str:
    return "not set" if value is None else json.dumps(value, ensure_ascii=False)


def _origin(item: EffectiveSetting) -> str:
    if item.origin in {Origin.DEFAULT, Origin.COMMAND_LINE}:
        return str(item.origin)
    if item.origin is Origin.CONFIG_FILE:
        return item.place
    return f"{item.origin}: {item.place}"
