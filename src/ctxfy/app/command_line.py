"""
What the commands have in common: options that mean the same everywhere, and how they write JSON.
"""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ctxfy.app.config import Settings, load_settings
from ctxfy.app.setting_sources import given_options


type Json = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON.")]
type Folder = Annotated[
    Path | None, Parameter(help="The folder of prompts; default: the setting, else ./prompts.")
]
type Config = Annotated[
    Path | None, Parameter(help="The fastmcp.json to read; default: CTXFY_CONFIG, else ./.")
]


def chosen_settings(
    prompts: Path | None = None,
    *,
    host: str | None = None,
    port: int | None = None,
    log_level: str | None = None,
    workers: int | None = None,
    config: Path | None = None,
) -> Settings:
    """
    Read the settings, with what the command line gave on top.

    Raises:
        ConfigurationError: A name is unknown, or a value cannot be.
    """
    options = given_options(prompts, host=host, port=port, log_level=log_level, workers=workers)
    return load_settings(options, file=config)


def write_json(value: object) -> None:
    """
    Write a value to standard output, for programs.
    """
    print(json.dumps(value, ensure_ascii=False, indent=2))
