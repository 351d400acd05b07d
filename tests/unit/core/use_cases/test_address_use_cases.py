"""
Addresses: who sent a request, and what is counted for it.
"""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.use_cases.address_use_cases import (
    client_of,
    network_of,
    parse_networks,
    subject_of,
)


PROXIES = parse_networks(["10.0.0.0/8", "fd00::/8", "192.0.2.1"])
ANYTHING = st.one_of(
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["10.0.0.9", "203.0.113.5", "for=", '"', ",", ";", "[2001:db8::1]", " "]),
        max_size=30,
    ).map("".join),
)


def client(peer: str, x: str = "", forwarded: str = "") -> str:
    """
    Find a client behind the proxies above.
    """
    return str(client_of(peer, x, forwarded, PROXIES))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "found"),
    [
        # nobody in between, or nobody who is trusted
        ("203.0.113.5", "", "203.0.113.5"),
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),
        ("10.0.0.1", "", "10.0.0.1"),
        # the nearest that is no proxy of ours, whatever the client said before
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "198.51.100.1,203.0.113.5,10.0.0.2", "203.0.113.5"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("192.0.2.1", "203.0.113.5", "203.0.113.5"),
        ("192.0.2.2", "203.0.113.5", "192.0.2.2"),
        # what is no address ends the way
        ("10.0.0.1", "203.0.113.5, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, , 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "999.1.1.1", "10.0.0.1"),
        # with ports, and IPv6
        ("10.0.0.1", "203.0.113.5:4711", "203.0.113.5"),
        ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("fe80::1%eth0", "", "fe80::1"),
        # no address at all, such as a Unix socket
        ("", "203.0.113.5", "None"),
        ("testclient", "203.0.113.5", "None"),
    ],
)
def test_the_client_is_the_nearest_that_is_not_trusted(
    peer: str, forwarded_for: str, found: str
) -> None:
    """
    X-Forwarded-For is read from the right, as far as proxies are trusted.
    """
    assert client(peer, forwarded_for) == found


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("for=203.0.113.5", "203.0.113.5"),
        ('For="[2001:db8::1]:4711";proto=https', "2001:db8::1"),
        ("proto=https;for=203.0.113.5;by=10.0.0.1", "203.0.113.5"),
        ("for=198.51.100.1, for=203.0.113.5, for=10.0.0.2", "203.0.113.5"),
        ('for="203.0.113.5:4711"', "203.0.113.5"),
        ("for=_hidden", "10.0.0.1"),
        ("for=unknown", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("for=", "10.0.0.1"),
        # a quote that a client left open swallows nothing of what the proxy wrote
        ('for="198.51.100.1, for=203.0.113.5', "203.0.113.5"),
        ('for="a;for=198.51.100.1", for=203.0.113.5', "203.0.113.5"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(forwarded: str, found: str) -> None:
    """
    Names in any case, values quoted or not, obfuscated ones left alone.
    """
    assert client("10.0.0.1", forwarded=forwarded) == found


@pytest.mark.parametrize(
    ("forwarded_for", "forwarded", "found"),
    [
        ("203.0.113.5", "for=203.0.113.5", "203.0.113.5"),
        ("203.0.113.5", "for=198.51.100.1", "10.0.0.1"),
        ("198.51.100.1", "for=203.0.113.5", "10.0.0.1"),
        ("203.0.113.5", "for=unknown", "10.0.0.1"),
    ],
)
def test_two_stories_are_not_believed(forwarded_for: str, forwarded: str, found: str) -> None:
    """
    A proxy that keeps one header lets the other pass, and a client may have written it.
    """
    assert client("10.0.0.1", forwarded_for, forwarded) == found


def test_without_trusted_proxies_no_header_counts() -> None:
    """
    Whoever opened the connection is the client.
    """
    found = client_of("10.0.0.1", "203.0.113.5", "for=203.0.113.5", ())
    assert str(found) == "10.0.0.1"


@given(said=ANYTHING)
def test_a_client_cannot_choose_its_address(said: str) -> None:
    """
    Whatever it sends before what the proxy appends, the address the proxy saw is found.
    """
    assert client("10.0.0.1", f"{said}, 203.0.113.5") == "203.0.113.5"
    assert client("10.0.0.1", forwarded=f"{said}, for=203.0.113.5") == "203.0.113.5"


@given(said=ANYTHING, other=ANYTHING)
def test_no_header_is_too_strange(said: str, other: str) -> None:
    """
    There always is an answer, and never one for an untrusted peer but its own.
    """
    assert client_of("10.0.0.1", said, other, PROXIES) is not None
    assert client("203.0.113.5", said, other) == "203.0.113.5"


def test_long_ways_are_cut() -> None:
    """
    Only the last sixteen hops are looked at, which no real way has.
    """
    hops = ", ".join(["203.0.113.5"] + ["10.0.0.2"] * 5000)
    assert client("10.0.0.1", hops) == "10.0.0.2"


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
    ],
)
def test_ipv6_is_counted_by_network(address: str, subject: str) -> None:
    """
    Whoever has one address has 2^64 of them, and is one caller all the same.
    """
    assert subject_of(ip_address(address)) == subject


def test_those_without_an_address_are_counted_together() -> None:
    """
    A name of its own keeps them apart from all others.
    """
    assert subject_of(None) == "unknown"


def test_networks_that_are_none_are_named() -> None:
    """
    A single address is one; what has bits beyond its mask is a mistake.
    """
    assert [str(each) for each in parse_networks(["10.1.2.3", "fd00::/8"])] == [
        "10.1.2.3/32",
        "fd00::/8",
    ]
    for wrong in ("10.0.0.1/8", "proxy", ""):
        with pytest.raises(ValueError, match=wrong or "''"):
            parse_networks([wrong])


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("testclient", ""),
    ],
)
def test_of_an_address_its_network_is_kept(address: str, kept: str) -> None:
    """
    What is remembered of an address leads to a network and not to a person.
    """
    assert network_of(client_of(address, "", "", ())) == kept
