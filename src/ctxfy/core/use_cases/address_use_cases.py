"""
The judgement about addresses: who sent a request that came through proxies.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

from ctxfy.core.models.address_models import Address, Network


MAX_HOPS = 16
IPV6_PREFIX = 64
KEPT_IPV4_PREFIX = 24
KEPT_IPV6_PREFIX = 48

_PLACE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?|([0-9.]+)(?::[0-9]{1,5})?")
_FOR = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^";\s]*))\s*(?:;|$)', re.IGNORECASE)


def parse_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """
    Read networks such as `10.0.0.0/8`; an address alone is a network of one.

    Raises:
        ValueError: One is none; the text says which.
    """
    return tuple(ip_network(text) for text in texts)


def client_of(
    peer: str, forwarded_for: str, forwarded: str, trusted: Sequence[Network]
) -> Address | None:
    """
    Find who sent a request: the nearest address that is no trusted proxy's.

    A client can send these headers too, and a proxy that keeps one of them may let the other pass.
    So if both came and tell different stories, neither is believed.

    Args:
        peer: Who opened the connection; it may be no address at all.
        forwarded_for: X-Forwarded-For, its lines joined by commas; empty if there is none.
        forwarded: Forwarded (RFC 7239), likewise.
        trusted: Networks of proxies whose headers are believed.
    """
    nearest = _address(peer)
    if nearest is None or not trusted or not is_in(nearest, trusted):
        return nearest
    told = {
        _follow(nearest, hops, trusted)
        for hops in (_hops(forwarded_for), [_for_of(hop) for hop in _hops(forwarded)])
        if hops
    }
    return told.pop() if len(told) == 1 else nearest


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """
    Whether one of the networks holds the address.
    """
    return any(address in network for network in networks)


def subject_of(address: Address | None) -> str:
    """
    Name what is counted for an address: an IPv4 address, or an IPv6 network of 64 bits.

    Whoever has one address of such a network has them all.
    """
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, IPV6_PREFIX), strict=False))
    return "unknown" if address is None else str(address)


@lru_cache(maxsize=1024)
def network_of(address: Address | None) -> str:
    """
    Keep of an address the network it is in, for the audit trail: /24 of IPv4, /48 of IPv6.
    """
    if address is None:
        return ""
    prefix = KEPT_IPV6_PREFIX if isinstance(address, IPv6Address) else KEPT_IPV4_PREFIX
    return str(ip_network(f"{address}/{prefix}", strict=False))


def _follow(nearest: Address, hops: Sequence[str], trusted: Sequence[Network]) -> Address:
    """
    Go from proxy to proxy, the nearest first, as long as each is trusted and names an address.
    """
    for hop in reversed(hops[-MAX_HOPS:]):
        named = _address(hop)
        if named is None:
            return nearest
        nearest = named
        if not is_in(named, trusted):
            return nearest
    return nearest


def _hops(header: str) -> list[str]:
    # Commas cut, quoted or not: an open quote that a client sent must not swallow what a proxy
    # wrote behind it.
    return [hop.strip() for hop in header.rsplit(",", MAX_HOPS)] if header else []


def _for_of(hop: str) -> str:
    match = _FOR.search(hop)
    return "" if match is None else (match[1] or match[2] or "")


@lru_cache(maxsize=1024)  # the same few peers come with every request
def _address(text: str) -> Address | None:
    match = _PLACE.fullmatch(text)
    try:
        # A zone, as in fe80::1%eth0, is of no meaning to anybody but this machine.
        address = ip_address(text.partition("%")[0] if match is None else match[1] or match[2])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
