"""
`ctxfy stdio`: for clients that start a program and speak with it, and know no HTTP.
"""

import sys
from collections.abc import Callable
from typing import Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Folder, chosen_settings
from ctxfy.core.exceptions import ConfigurationError


def stdio(
    *,
    prompts: Folder = None,
    url: Annotated[
        str | None,
        Parameter(help="Do not serve a folder, but bridge to this server, with CTXFY_API_KEY."),
    ] = None,
) -> None:
    """
    Serve a folder of prompts over standard input and output, or bridge to a server.

    It is started by a client. Standard output is the protocol's; everything else goes to standard
    error.
    """
    if url is None:
        from ctxfy.app.stdio_serving import serve_stdio

        serve_stdio(chosen_settings(prompts))
        return
    if prompts is not None:
        raise ConfigurationError("'ctxfy stdio' takes --prompts or --url, not both.")
    _bridge(url)


def _bridge(url: str) -> None:
    from ctxfy.app.addresses import mcp_address
    from ctxfy.app.config import API_KEY_VARIABLE, api_key

    address, key = mcp_address(url), api_key()
    if key is None:
        raise ConfigurationError(
            f"The bridge needs a key in {API_KEY_VARIABLE}, in the environment of the client that "
            "starts it."
        )
    import anyio

    from ctxfy.adapters.monitoring.log_setup import configure_logging
    from ctxfy.adapters.remote_server.bridge import bridge
    from ctxfy.app.loading import utc_now
    from ctxfy.core.models.monitoring_models import LogLevel

    # The libraries' own words; ours are sentences.
    configure_logging(format="auto", level=LogLevel.ERROR, stream=sys.stderr, now=utc_now)
    anyio.run(bridge, address, key, _complainer())


def _complainer() -> Callable[[str], None]:
    last = ""

    def complain(sentence: str) -> None:
        nonlocal last
        if sentence != last:
            print(f"ctxfy: {sentence}", file=sys.stderr, flush=True)
        last = sentence

    return complain
