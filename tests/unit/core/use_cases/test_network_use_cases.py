"""
Where a key may be used, and what it may hand on.
"""

from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.exceptions import InvalidKeyRequestError, ScopeNotGrantableError
from ctxfy.core.models.address_models import Network
from ctxfy.core.models.auth_models import DenialReason
from ctxfy.core.use_cases.network_use_cases import (
    MAX_NETWORKS,
    check_networks,
    check_networks_grantable,
    check_rotatable_by,
    decide_network,
    parse_network,
)
from tests.builders import make_key_info, make_principal


NETWORKS = st.one_of(
    st.builds(
        lambda number, prefix: IPv4Network((number, prefix), strict=False),
        st.integers(0, 2**32 - 1),
        st.integers(0, 32),
    ),
    st.builds(
        lambda number, prefix: IPv6Network((number, prefix), strict=False),
        st.integers(2**96, 2**128 - 1),  # beyond those that stand for IPv4
        st.integers(0, 128),
    ),
)


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(parse_network(text) for text in texts)


@given(network=NETWORKS)
def test_a_network_is_read_as_it_is_written(network: Network) -> None:
    """
    Both families, at every prefix.
    """
    assert parse_network(str(network)) == network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.1.2.3", "10.1.2.3/32"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.1.2.3/32"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::/0", "::/0"),
    ],
)
def test_one_network_has_one_form(text: str, network: str) -> None:
    """
    IPv4 that is written as IPv6 is IPv4, as which its addresses come.
    """
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "*",
        "localhost",
        "10.0.0.5/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/8/8",
        "10.0.0/8",
        "010.0.0.0/8",
        "1",
        "0x7f000001",
        "fe80::1%eth0",
        "fe80::%eth0/64",
        "2001:db8::1/32",
        "::/129",
        "\u0661\u0660.0.0.0/8",
        "10.0.0.0/8\n",
    ],
    ids=repr,
)
def test_what_is_no_network_is_refused(text: str) -> None:
    """
    Also one with bits set beyond its prefix: it may not be what its writer meant.
    """
    with pytest.raises(InvalidKeyRequestError, match="is no network"):
        parse_network(text)


def test_a_key_has_so_many_networks() -> None:
    """
    As many as may be, and not one more.
    """
    one = parse_network("10.0.0.0/8")
    check_networks([one] * MAX_NETWORKS)
    with pytest.raises(InvalidKeyRequestError, match=f"at most {MAX_NETWORKS}"):
        check_networks([one] * (MAX_NETWORKS + 1))


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.0.0.0", True),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("9.255.255.255", False),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("::1", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
    ],
)
def test_a_bound_key_is_good_in_its_networks(address: str, allowed: bool) -> None:
    """
    In any of them; a network of one family holds no address of the other.
    """
    networks = _networks("10.0.0.0/8", "2001:db8::/32", "192.0.2.7")
    denied = decide_network(networks, ip_address(address))
    assert (denied is None) == allowed
    if denied is not None:
        assert denied.reason is DenialReason.NETWORK


def test_without_an_address_a_bound_key_is_good_nowhere() -> None:
    """
    Nobody can tell where it comes from; a key without bounds is good all the same.
    """
    assert decide_network(_networks("0.0.0.0/0", "::/0"), None) is not None
    assert decide_network((), None) is None


@given(outer=NETWORKS, data=st.data())
def test_no_key_hands_on_more_than_it_has(outer: Network, data: st.DataObject) -> None:
    """
    Whatever is granted: each address that the new key may come from, the old one may.
    """
    inner = data.draw(NETWORKS)
    issuer = make_principal(networks=(outer,))
    try:
        check_networks_grantable((inner,), issuer)
    except ScopeNotGrantableError:
        assert inner[0] not in outer or inner[-1] not in outer
    else:
        for address in (inner[0], inner[-1]):
            assert decide_network((outer,), address) is None


@pytest.mark.parametrize(
    ("wanted", "granted"),
    [
        ((), False),
        (("10.0.0.0/8",), True),
        (("10.9.0.0/16", "2001:db8::1"), True),
        (("10.0.0.0/7",), False),
        (("10.9.0.0/16", "192.0.2.0/24"), False),
        (("::/0",), False),
        (("0.0.0.0/0",), False),
    ],
)
def test_bounds_are_handed_on(wanted: tuple[str, ...], granted: bool) -> None:
    """
    All of what is wished for must lie within; to wish for no bounds is to wish for everything.
    """
    issuer = make_principal(networks=_networks("10.0.0.0/8", "2001:db8::/32"))
    info = make_key_info(networks=_networks(*wanted))
    outcomes = []
    with suppress(ScopeNotGrantableError):
        check_networks_grantable(info.networks, issuer)
        outcomes.append("granted")
    with suppress(ScopeNotGrantableError):
        check_rotatable_by(info, issuer)
        outcomes.append("granted")
    assert outcomes == (["granted"] * 2 if granted else [])


@pytest.mark.parametrize("wanted", [(), ("0.0.0.0/0",)])
def test_a_key_without_bounds_hands_on_any(wanted: tuple[str, ...]) -> None:
    """
    As before there were any.
    """
    check_networks_grantable(_networks(*wanted), make_principal())
    check_rotatable_by(make_key_info(networks=_networks(*wanted)), make_principal())
    assert make_principal().networks == ()
