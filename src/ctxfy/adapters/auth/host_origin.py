"""
Host and Origin: who the request says it talks to, and which page sent it.

Guards against DNS rebinding and foreign pages, as the MCP specification demands (2025-11-25 and
2026-07-28, Streamable HTTP, Security Warning).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from urllib.parse import urlsplit

from ctxfy.core.exceptions import ForeignHostError, ForeignOriginError


LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

# Nothing that could make a part of it pass for the whole: no user before it, no path behind it.
_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^\s\[\]:/?#@\\]+))(?::([0-9]{0,5}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOriginPolicy:
    """
    Which hosts this server answers for, and which origins may call it from a browser.

    Attributes:
        hosts: Names or globs (`*.example.com`), with or without a port; loopback always counts.
        origins: Such as `https://app.example.com`; `*` is every origin.
        public_origin: What browsers call our own pages, where a proxy hides it from the `Host`.
    """

    hosts: Sequence[str] = ()
    origins: Sequence[str] = field(default=())
    public_origin: str | None = None

    def check(self, host: str | None, origin: str | None, scheme: str, *, any_host: bool) -> None:
        """
        Refuse a foreign Host or Origin.

        Raises:
            ForeignHostError: The Host header is missing or names a host that is not ours.
            ForeignOriginError: The Origin is neither ours nor allowed.
        """
        if not any_host and not self._is_our_host(host):
            raise ForeignHostError(
                "This server does not answer for the host named in the request; "
                "its operator can allow it with CTXFY_SERVER__ALLOWED_HOSTS."
            )
        if origin is not None and not self._is_known_origin(origin, host, scheme):
            raise ForeignOriginError(
                "Pages of this origin may not call this server; "
                "its operator can allow it with CTXFY_CORS__ORIGINS."
            )

    def allows_cors(self, origin: str | None) -> bool:
        """
        Whether a page of that origin may read the answers.
        """
        return origin is not None and ("*" in self.origins or origin.lower() in self.origins)

    def is_own_page(self, host: str | None, origin: str | None, scheme: str) -> bool:
        """
        Whether the page that sent the request is of this very server, as its browser calls it.
        """
        if origin is None:
            return False
        if self.public_origin is not None and origin.lower() == self.public_origin:
            return True
        if host is None:
            return False
        # A proxy may have taken TLS off: then the page's scheme is https and ours is not.
        return origin.lower() in {f"{scheme}://{host}".lower(), f"https://{host}".lower()}

    def _is_our_host(self, host: str | None) -> bool:
        if host is None:
            return False
        return _is_one_of(host, tuple(self.hosts))

    def _is_known_origin(self, origin: str, host: str | None, scheme: str) -> bool:
        if self.allows_cors(origin) or self.is_own_page(host, origin, scheme):
            return True
        # A page served on this machine may talk to a server on this machine, whatever the ports.
        return _host_of_origin(origin) in LOOPBACK and host_name(host or "") in LOOPBACK


def host_name(host: str) -> str:
    """
    Take the port off a Host header, and the brackets off an IPv6 address; empty if it is malformed.
    """
    return _split_host(host)[0]


@lru_cache(maxsize=256)
def _is_one_of(host: str, patterns: tuple[str, ...]) -> bool:
    name, port = _split_host(host)
    if not name:
        return False
    return name in LOOPBACK or any(
        fnmatchcase(name, names) and fnmatchcase(port, ports)
        for names, ports in map(_split_pattern, patterns)
    )


@lru_cache(maxsize=256)
def _split_host(host: str) -> tuple[str, str]:
    match = _HOST.fullmatch(host.lower())
    return (match[1] or match[2], match[3] or "") if match else ("", "")


@lru_cache(maxsize=256)
def _split_pattern(pattern: str) -> tuple[str, str]:
    """
    Split an allowed host into globs for the name and the port; without a port, any will do.
    """
    pattern = pattern.lower()
    address, bracket, rest = pattern.removeprefix("[").partition("]")
    if pattern.startswith("[") and bracket and ":" in address:
        return address, rest.removeprefix(":") or "*"
    name, _, port = pattern.partition(":")
    return (name, port or "*") if pattern.count(":") <= 1 else (pattern, "*")


def _host_of_origin(origin: str) -> str:
    try:
        return host_name(urlsplit(origin).netloc)
    except ValueError:  # such as a bracket that is never closed
        return ""
