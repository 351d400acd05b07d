"""
Where people find the server, if a proxy stands before it (`server.public_url`), in parts.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit


_STANDARD_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicAddress:
    """
    The parts of an address.

    Attributes:
        host: What a proxy that passes it on sends as `Host`; without a port.
        origin: What browsers call our pages; a standard port is left out (RFC 6454, section 6.2).
        prefix: What the proxy takes off every path: empty, or such as `/prompts`.
    """

    host: str
    origin: str
    prefix: str = ""


def public_address(url: str | None) -> PublicAddress | None:
    """
    Take an address apart; None if there is none.

    Raises:
        ValueError: The address has no such port.
    """
    if url is None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    named = f"[{host}]" if ":" in host else host
    port = parts.port
    shown = "" if port in {None, _STANDARD_PORTS[parts.scheme]} else f":{port}"
    return PublicAddress(
        host=named, origin=f"{parts.scheme}://{named}{shown}", prefix=parts.path.rstrip("/")
    )
