"""
The address of a request, from its connection and its headers.
"""

from typing import Any

import pytest

from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.core.use_cases.address_use_cases import parse_networks


def scope(client: tuple[str, int] | None, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """
    Make as much of a request as is needed.
    """
    return {"client": client, "headers": headers}


@pytest.mark.parametrize(
    ("client", "headers", "found"),
    [
        (("203.0.113.5", 1), [], "203.0.113.5"),
        (("2001:db8:1:2:3::", 1), [], "2001:db8:1:2::/64"),
        (None, [], "unknown"),
        (("10.0.0.1", 1), [(b"x-forwarded-for", b"203.0.113.5")], "203.0.113.5"),
        (("10.0.0.1", 1), [(b"forwarded", b"for=203.0.113.5")], "203.0.113.5"),
        (("203.0.113.9", 1), [(b"x-forwarded-for", b"203.0.113.5")], "203.0.113.9"),
        (
            ("10.0.0.1", 1),
            [(b"x-forwarded-for", b"198.51.100.1"), (b"x-forwarded-for", b"203.0.113.5")],
            "203.0.113.5",
        ),
        (("10.0.0.1", 1), [(b"x-forwarded-for", b"\xff\xfe")], "10.0.0.1"),
    ],
)
def test_headers_count_from_trusted_proxies(
    client: tuple[str, int] | None, headers: list[tuple[bytes, bytes]], found: str
) -> None:
    """
    Lines of one header are one list; whoever is not trusted is the client.
    """
    addresses = ClientAddresses(parse_networks(["10.0.0.0/8"]))
    assert addresses.of(scope(client, *headers)) == found


def test_nobody_is_trusted_by_default() -> None:
    """
    A header from anywhere changes nothing.
    """
    sent = scope(("127.0.0.1", 1), (b"x-forwarded-for", b"203.0.113.5"))
    assert ClientAddresses().of(sent) == "127.0.0.1"
