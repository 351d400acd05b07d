"""
What `fastmcp run fastmcp.json` finds: a server without prompts, which hands over to `ctxfy serve`.

FastMCP's own runner would serve without our gate. So nothing is registered here, and whatever
would serve either becomes the real server or refuses.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Never, override

from fastmcp import FastMCP

from ctxfy.app.config import read_layers
from ctxfy.app.fastmcp_file import DEPLOYMENT_SETTINGS
from ctxfy.app.setting_sources import Origin
from ctxfy.core.exceptions import ConfigurationError


class GuardedServer(FastMCP[Any]):
    """
    A FastMCP server that runs as ctxfy, or not at all.
    """

    @override
    async def run_async(
        self,
        transport: str | None = None,
        show_banner: bool | None = None,
        *,
        host: str | None = None,
        port: int | None = None,
        path: str | None = None,
        log_level: str | None = None,
        **_: object,
    ) -> None:
        """
        Become `ctxfy serve`: this process is replaced, with its signals, output and environment.

        Raises:
            ConfigurationError: It was asked for what ctxfy does not do.
        """
        if transport not in {"http", "streamable-http"}:
            raise ConfigurationError(
                "ctxfy serves over HTTP alone: set deployment.transport to 'http'."
            )
        if path not in {None, "/mcp", "/mcp/"}:
            raise ConfigurationError("ctxfy speaks MCP at /mcp alone: leave deployment.path out.")
        file = _config_file(sys.argv[1:])
        given = {"--host": host, "--port": port, "--log-level": log_level}
        os.execv(  # noqa: S606 # nosec B606
            sys.executable,
            # Our own interpreter and module; -P: no file of this folder may be taken for a module.
            [sys.executable, "-P", "-m", "ctxfy", "serve", *_options(given, file)],
        )

    @override
    def http_app(self, *_: object, **__: object) -> Never:
        """
        Refuse: an application of FastMCP's has no gate.
        """
        raise ConfigurationError(
            "FastMCP alone would serve without keys; "
            "run 'uvicorn --factory ctxfy.app.main:create_app'."
        )


def _options(given: Mapping[str, object], file: Path | None) -> list[str]:
    """
    Keep what was said on FastMCP's command line; what is in the file must not become stronger.
    """
    in_file = {
        f"--{deployed.replace('_', '-')}": layer.values[section][name]
        for layer in read_layers(file=file)
        if layer.origin is Origin.CONFIG_FILE
        for deployed, (section, name) in DEPLOYMENT_SETTINGS.items()
        if (section, name) in layer.places
    }
    options = {
        name: value
        for name, value in given.items()
        if value is not None and value != in_file.get(name)
    } | ({} if file is None else {"--config": file})
    return [word for name, value in options.items() for word in (name, str(value))]


def _config_file(arguments: list[str]) -> Path | None:
    """
    Find the file among the arguments of `fastmcp run`.
    """
    files = (Path(word) for word in arguments if word.endswith(".json"))
    return next((file for file in files if file.is_file()), None)


server = GuardedServer("ctxfy")
