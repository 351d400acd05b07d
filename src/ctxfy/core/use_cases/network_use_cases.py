"""
The judgement about networks of keys: where a key may be shown, and what it may hand on.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from ctxfy.core.exceptions import InvalidKeyRequestError, ScopeNotGrantableError
from ctxfy.core.models.address_models import Address, Network
from ctxfy.core.models.auth_models import ApiKeyInfo, DenialReason, Denied, Principal
from ctxfy.core.use_cases.address_use_cases import is_in


MAX_NETWORKS = 20
NETWORK_PATTERN = r"^[0-9A-Fa-f:.]{2,45}(/[0-9]{1,3})?$"

_NETWORK = re.compile(NETWORK_PATTERN)
_MAPPED = IPv6Network("::ffff:0:0/96")


def parse_network(text: str) -> Network:
    """
    Read a network such as `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.

    IPv4 written as IPv6 (`::ffff:10.0.0.0/104`) is IPv4, as it is when a request comes.

    Raises:
        InvalidKeyRequestError: It is none, or has bits set beyond its prefix.
    """
    try:
        network = ip_network(text) if _NETWORK.fullmatch(text) else None
    except ValueError:
        network = None
    if network is None:
        raise InvalidKeyRequestError(
            f"'{text}' is no network; write for example 10.0.0.0/8, with zeros behind the prefix."
        )
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = int(network.network_address) & 0xFFFFFFFF
        return IPv4Network((mapped, network.prefixlen - _MAPPED.prefixlen))
    return network


def check_networks(networks: Sequence[Network]) -> None:
    """
    Refuse more networks than a key may have.

    Raises:
        InvalidKeyRequestError: There are.
    """
    if len(networks) > MAX_NETWORKS:
        raise InvalidKeyRequestError(f"A key has at most {MAX_NETWORKS} networks.")


def decide_network(networks: Sequence[Network], address: Address | None) -> Denied | None:
    """
    Decide whether a key may be shown from an address; None is yes.

    Args:
        networks: Those of the key; none are no bounds.
        address: Of the client; None if it has none, which is in no network.
    """
    if not networks or (address is not None and is_in(address, networks)):
        return None
    return Denied(
        reason=DenialReason.NETWORK,
        sentence="This key may not be used from this network.",
    )


def check_networks_grantable(networks: Sequence[Network], issuer: Principal) -> None:
    """
    Refuse a key that could be used from where the key that asks for it cannot.

    Raises:
        ScopeNotGrantableError: A network reaches beyond those of the issuer, or there is none.
    """
    if not _are_within(networks, issuer.networks):
        raise ScopeNotGrantableError(
            "A key that is bound to networks can only create keys for networks within them."
        )


def check_rotatable_by(info: ApiKeyInfo, issuer: Principal) -> None:
    """
    Refuse a new secret of a key that reaches further than the key that asks for it.

    Raises:
        ScopeNotGrantableError: It may be used from where the issuer may not.
    """
    if not _are_within(info.networks, issuer.networks):
        raise ScopeNotGrantableError(
            "A key that is bound to networks can only rotate keys for networks within them."
        )


def _are_within(inner: Sequence[Network], outer: Sequence[Network]) -> bool:
    if not outer:
        return True
    return bool(inner) and all(any(_is_within(one, other) for other in outer) for one in inner)


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)
