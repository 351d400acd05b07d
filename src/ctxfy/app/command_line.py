"""
What the commands have in common: options that mean the same everywhere, and how they write JSON.
"""

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ctxfy.app.config import Settings, load_settings


type Json = Annotated[bool, Parameter(name="--json", negative="", help="Write JSON.")]
type Folder = Annotated[
    Path | None, Parameter(help="The folder of prompts; default: the setting, else ./prompts.")
]


def chosen_settings(
    prompts: Path | None = None, *, host: str | None = None, port: int | None = None
) -> Settings:
    """
    Read the settings, with what the command line gave on top.

    Raises:
        ConfigurationError: A name is unknown, or a value cannot be.
    """
    server = {"host": host, "port": port}
    return load_settings(
        {
            "server": {name: value for name, value in server.items() if value is not None},
            "prompts": {} if prompts is None else {"folder": prompts, "modules": ()},
        }
    )


def write_json(value: object) -> None:
    """
    Write a value to standard output, for programs.
    """
    print(json.dumps(value, ensure_ascii=False, indent=2))
