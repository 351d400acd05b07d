"""
The public address, taken apart.
"""

import pytest

from ctxfy.app.public_address import public_address


@pytest.mark.parametrize(
    ("url", "host", "origin", "prefix"),
    [
        ("https://prompts.example.com", "prompts.example.com", "https://prompts.example.com", ""),
        (
            "https://Prompts.Example.com:443/",
            "prompts.example.com",
            "https://prompts.example.com",
            "",
        ),
        ("https://example.com:8443/team/", "example.com", "https://example.com:8443", "/team"),
        ("http://example.com:80/a/b", "example.com", "http://example.com", "/a/b"),
        ("http://[::1]:8000", "[::1]", "http://[::1]:8000", ""),
    ],
)
def test_an_address_is_a_host_an_origin_and_a_prefix(
    url: str, host: str, origin: str, prefix: str
) -> None:
    """
    As browsers write an origin: lower case, a standard port left out.
    """
    public = public_address(url)
    assert public is not None
    assert (public.host, public.origin, public.prefix) == (host, origin, prefix)


def test_without_one_there_is_none() -> None:
    """
    Nothing is made up.
    """
    assert public_address(None) is None
