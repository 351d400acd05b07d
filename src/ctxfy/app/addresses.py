"""
The address of a server, as people type it, made into one that MCP is spoken at.
"""

from urllib.parse import urlsplit, urlunsplit

from ctxfy.app.config import load_settings
from ctxfy.core.exceptions import ConfigurationError


MCP_PATH = "/mcp"


def mcp_address(given: str | None) -> str:
    """
    Complete an address: no path means `/mcp`; none at all is where the settings have the server.

    Raises:
        ConfigurationError: It is no address of an HTTP server, or holds a key or a question.
    """
    if given is None:
        from ctxfy.app.first_key import base_url

        return base_url(load_settings()) + MCP_PATH
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError as error:
        raise ConfigurationError(_malformed(given)) from error
    if parts.username or parts.query or parts.fragment:
        raise ConfigurationError(
            "The address of the server has a user, a '?' or a '#' in it; take that out: keys come "
            "from the environment."
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(_malformed(given))
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") or MCP_PATH, "", ""))


def base_address(mcp: str) -> str:
    """
    Take `/mcp` off an address.
    """
    return mcp.removesuffix(MCP_PATH)


def _malformed(given: str) -> str:
    return f"'{given}' is no address of a server; write for example http://127.0.0.1:8000."
