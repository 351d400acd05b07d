"""
Addresses as people type them.
"""

import pytest

from ctxfy.app.addresses import base_address, mcp_address
from ctxfy.core.exceptions import ConfigurationError


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/mcp"),
        ("https://prompts.example.com/", "https://prompts.example.com/mcp"),
        ("https://example.com/ctxfy/mcp/", "https://example.com/ctxfy/mcp"),
        ("http://[::1]:8000/mcp", "http://[::1]:8000/mcp"),
    ],
)
def test_an_address_is_completed(given: str, meant: str) -> None:
    """
    Without a path it is the one where MCP is spoken.
    """
    assert mcp_address(given) == meant
    assert base_address(meant) == meant.removesuffix("/mcp")


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "ftp://x",
        "http://",
        "http://x:port",
        "http://[::1",
        "/mcp",
        "http://user:secret@x",
        "http://x/mcp?key=secret",
        "http://x/#secret",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    """
    In a sentence without what might be a secret in it.
    """
    with pytest.raises(ConfigurationError) as caught:
        mcp_address(given)
    assert "address of" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_without_an_address_the_settings_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The same that the first start shows.
    """
    monkeypatch.setenv("CTXFY_SERVER__PORT", "9000")
    assert mcp_address(None) == "http://127.0.0.1:9000/mcp"
