"""
What commands make of words.
"""

import io
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from ctxfy.adapters.auth.key_fields import plain_key
from ctxfy.adapters.mcp_prompts.prompt_fields import plain_content
from ctxfy.app.config import Settings
from ctxfy.app.key_options import public_id
from ctxfy.app.rendering import parse_values, show_messages
from ctxfy.app.serving import with_port
from ctxfy.core.exceptions import ConfigurationError, InvalidKeyRequestError
from ctxfy.core.models.auth_models import ApiKeyDigest, ApiKeyInfo, KeyId, RateLimit, Scope
from ctxfy.core.models.prompt_models import (
    Content,
    ImageContent,
    Message,
    ResourceContent,
    Role,
    TextContent,
)
from ctxfy.core.use_cases.auth_use_cases import compose_key, parse_rate


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("600/minute", (600, 60)),
        ("1/second", (1, 1)),
        (" 10/HOUR ", (10, 3600)),
        ("999999999/day", (999_999_999, 86_400)),
    ],
)
def test_a_rate_is_read(text: str, limit: tuple[int, int]) -> None:
    """
    A number and a unit.
    """
    assert parse_rate(text) == RateLimit(requests=limit[0], seconds=limit[1])


@pytest.mark.parametrize(
    "text",
    ["", "600", "/minute", "600/", "600 / minute", "-1/minute", "1.5/day", "600/fortnight",
     "600/minutes", "1e3/day", "٣/day", "9999999999/day", "600/minute/minute"],
)  # fmt: skip
def test_what_is_no_rate_is_refused(text: str) -> None:
    """
    With an example of one.
    """
    with pytest.raises(InvalidKeyRequestError, match="600/minute"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        ("reader000000", "reader000000"),
        (compose_key(KeyId("reader000000"), b"s" * 32), "reader000000"),
        ("ctxfy_reader000000", "reader000000"),
        ("ctxfy_", ""),
        ("ctxfy", "ctxfy"),
        ("", ""),
    ],
)
def test_the_public_id_is_found_in_what_was_pasted(pasted: str, found: str) -> None:
    """
    Who pastes a whole key by mistake means its id.
    """
    assert public_id(pasted) == found


def test_a_key_is_laid_out_without_its_digest() -> None:
    """
    Times end in Z, the rate reads as it is typed, and what is not there is null.
    """
    info = ApiKeyInfo(
        key_id=KeyId("reader000000"),
        api_key=ApiKeyDigest("d" * 64),
        user_id="ann",
        created_at=NOON,
        expires_at=NOON + timedelta(hours=1),
        scope=Scope.WRITE,
        prompts=("code-*",),
        networks=(ip_network("10.0.0.0/8"),),
        rate_limit=RateLimit(requests=5, seconds=60),
    )
    assert plain_key(info) == {
        "key_id": "reader000000",
        "user_id": "ann",
        "name": "",
        "scope": "write",
        "status": "active",
        "prompts": ["code-*"],
        "networks": ["10.0.0.0/8"],
        "rate_limit": "5/minute",
        "created_at": "2026-11-22T12:00:00Z",
        "expires_at": "2026-11-22T13:00:00Z",
        "last_used_at": None,
        "revoked_at": None,
    }


def test_values_are_read_from_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As they stand, from a file, or from standard input; the first `=` divides.
    """
    file = tmp_path / "code.py"
    file.write_text("a = 1\n")
    monkeypatch.setattr("sys.stdin", io.StringIO("typed"))
    words = ["a=b=c", "empty=", f"code=@{file}", "input=@-", "at=x@y", "a-b=1"]
    assert parse_values(words) == {
        "a": "b=c",
        "empty": "",
        "code": "a = 1\n",
        "input": "typed",
        "at": "x@y",
        "a-b": "1",
    }


@pytest.mark.parametrize("word", ["", "word", "--strict", "=value", " =value"])
def test_a_word_that_is_no_value_is_refused(word: str) -> None:
    """
    The word is quoted, and the right form named.
    """
    with pytest.raises(ConfigurationError) as caught:
        parse_values([word])
    assert str(caught.value) == f"'{word}' is not of the form key=value."


def test_a_key_given_twice_is_refused() -> None:
    """
    Of two values for one argument neither is silently dropped.
    """
    with pytest.raises(ConfigurationError, match="'a' is given twice"):
        parse_values(["a=1", "a=2"])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """
    Missing, a folder, or not text: one sentence with its name.
    """
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "missing", tmp_path, binary):
        with pytest.raises(ConfigurationError) as caught:
            parse_values([f"a=@{path}"])
        assert str(caught.value).startswith(f"The file '{path}' cannot be read")
        assert "\n" not in str(caught.value)
        assert "Errno" not in str(caught.value)


CONTENTS: list[tuple[Content, dict[str, object], str]] = [
    (TextContent(text="hi"), {"type": "text", "text": "hi"}, "hi"),
    (
        ImageContent(mime_type="image/png", data=b"\x89PNG"),
        {"type": "image", "mimeType": "image/png", "data": b64encode(b"\x89PNG").decode()},
        "(image/png, 4 bytes)",
    ),
    (
        ResourceContent(uri="ctxfy://a", mime_type="text/plain", text="body"),
        {
            "type": "resource",
            "resource": {"uri": "ctxfy://a", "mimeType": "text/plain", "text": "body"},
        },
        "(ctxfy://a, text/plain)\nbody",
    ),
    (
        ResourceContent(uri="ctxfy://a", mime_type="a/b", blob=b"\x00"),
        {"type": "resource", "resource": {"uri": "ctxfy://a", "mimeType": "a/b", "blob": "AA=="}},
        "(ctxfy://a, a/b)\n(binary)",
    ),
]


@pytest.mark.parametrize(
    ("content", "plain", "shown"), CONTENTS, ids=["text", "image", "resource", "blob"]
)
def test_content_is_laid_out(content: Content, plain: dict[str, object], shown: str) -> None:
    """
    For programs in MCP's shape, for people as text.
    """
    assert plain_content(content) == plain
    messages = [Message(role=Role.USER, content=content)] * 2
    assert show_messages(messages) == f"[user]\n{shown}\n\n[user]\n{shown}"


def test_the_port_really_taken_is_shown() -> None:
    """
    Port 0 asks for any; what was got replaces it, and the settings given stay as they were.
    """
    settings = Settings()
    assert with_port(settings, 4711).server.port == 4711
    assert settings.server.port == 8000
