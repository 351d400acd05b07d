"""
The head of a request: what is taken, what is refused, and that nothing else can come of it.
"""

from urllib.parse import quote_from_bytes, unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ctxfy.core.exceptions import (
    AddressTooLongError,
    HeadersTooLargeError,
    MalformedRequestError,
)
from ctxfy.core.models.request_models import RequestBounds
from ctxfy.core.use_cases.request_use_cases import check_address, check_headers


BOUNDS = RequestBounds(headers=3, header_bytes=40, header_value_bytes=20, address_bytes=30)
WIDE = RequestBounds()


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"a", b"b" * 20)],
        [(b"a", b""), (b"b", b""), (b"c", b"")],
        [(b"abcd", b"e" * 16), (b"fghi", b"j" * 16)],
        [(b"tab", b"a\tb")],
        [(b"latin", b"caf\xe9 \xa0")],
    ],
)
def test_headers_within_the_bounds_pass(headers: list[tuple[bytes, bytes]]) -> None:
    """
    Up to each limit itself, and whatever bytes a value may hold (RFC 9110, section 5.5).
    """
    assert check_headers(headers, BOUNDS) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ([(b"a", b"")] * 4, "The request has more than 3 header fields."),
        ([(b"a", b"b" * 21)], "A header field is larger than 20 bytes."),
        (
            [(b"abcd", b"e" * 16), (b"fghij", b"k" * 16)],
            "The header fields together are larger than 40 bytes.",
        ),
        ([(b"n" * 41, b"")], "The header fields together are larger than 40 bytes."),
    ],
)
def test_headers_beyond_a_bound_are_refused(
    headers: list[tuple[bytes, bytes]], sentence: str
) -> None:
    """
    The sentence says which one.
    """
    with pytest.raises(HeadersTooLargeError) as caught:
        check_headers(headers, BOUNDS)
    assert str(caught.value) == sentence


@given(st.binary(max_size=20))
def test_no_control_character_comes_through_in_a_header(value: bytes) -> None:
    """
    But the tab: so nothing that is echoed or written down can break its line.
    """
    harmful = any((byte < 0x20 and byte != 0x09) or byte == 0x7F for byte in value)
    try:
        check_headers([(b"x", b"fine"), (b"x", value)], WIDE)
        refused = False
    except MalformedRequestError:
        refused = True
    assert refused == harmful


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/mcp",
        b"/mcp/",
        b"/prompts/code-review_v2.1/execute",
        b"/.well-known/oauth-protected-resource/mcp",
        b"/prompts/...",
        b"/prompts/..a",
        b"/privacy/users/ann%40example.com",
        b"/privacy/users/%E2%98%83%20%D7%90",
        b"/a;b=c/d:e@f!$&'()*+,=~",
        b"/%2e%2e%2e",
        b"/%252e%252e/%2500",
    ],
)
def test_an_address_that_means_one_thing_passes(path: bytes) -> None:
    """
    Dots inside names, any script, and a percent sign that is itself encoded.
    """
    assert check_address(path, b"", WIDE) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (b"", "The path does not begin with '/'."),
        (b"*", "The path does not begin with '/'."),
        (b"http://evil.example/mcp", "The path does not begin with '/'."),
        (b"//mcp", "The path has two slashes in a row."),
        (b"/prompts//x", "The path has two slashes in a row."),
        (b"/prompts//", "The path has two slashes in a row."),
        (b"/.", "The path has a segment of dots."),
        (b"/docs/../mcp", "The path has a segment of dots."),
        (b"/docs/%2e%2E/mcp", "The path has a segment of dots."),
        (b"/docs/.%2e", "The path has a segment of dots."),
        (b"/docs/./mcp", "The path has a segment of dots."),
        (b"/docs\\mcp", "The path has a backslash, or a slash that is encoded."),
        (b"/docs%5cmcp", "The path has a backslash, or a slash that is encoded."),
        (b"/docs%2Fmcp", "The path has a backslash, or a slash that is encoded."),
        (b"/..%2fmcp", "The path has a backslash, or a slash that is encoded."),
        (b"/mcp%00", "The path holds a control character."),
        (b"/mcp\x00", "The path holds a control character."),
        (b"/mcp\n", "The path holds a control character."),
        (b"/mcp%0d%0aX-A:b", "The path holds a control character."),
        (b"/mcp%7F", "The path holds a control character."),
        (b"/mcp%C2%85", "The path holds a control character."),
        (b"/mcp%E2%80%A8", "The path holds a control character."),
        (b"/mcp%ff", "The path is not UTF-8, percent-encoded."),
        (b"/mcp%c0%af", "The path is not UTF-8, percent-encoded."),
        (b"/mcp%ed%a0%80", "The path is not UTF-8, percent-encoded."),
        (b"/mcp\xc3\xa9", "The path is not UTF-8, percent-encoded."),
        (b"/mcp%", "The path has a '%' without two hexadecimal digits."),
        (b"/mcp%2", "The path has a '%' without two hexadecimal digits."),
        (b"/mcp%zz", "The path has a '%' without two hexadecimal digits."),
        (b"/mcp%u002e", "The path has a '%' without two hexadecimal digits."),
    ],
)
def test_an_address_that_others_might_read_otherwise_is_refused(path: bytes, sentence: str) -> None:
    """
    Encoded or not; the sentence says what it is.
    """
    with pytest.raises(MalformedRequestError) as caught:
        check_address(path, b"", WIDE)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "query",
    [b"", b"limit=10&cursor=a%2Fb", b"q=caf%C3%A9+x", b"q=%F0%9F%A6%8A", b"a=/../?//", b"q=[x]"],
)
def test_a_query_may_hold_any_text(query: bytes) -> None:
    """
    Dots and slashes have no meaning there.
    """
    assert check_address(b"/prompts", query, WIDE) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("query", [b"q=%00", b"q=%0a", b"q=%ff", b"q=%", b"q=%C2%9B", b"q=\xff"])
def test_a_query_is_text_without_control_characters(query: bytes) -> None:
    """
    No database is asked for what it could not have kept.
    """
    with pytest.raises(MalformedRequestError, match=r"^The query "):
        check_address(b"/prompts", query, WIDE)


def test_an_address_has_a_length() -> None:
    """
    Of path and query together; the limit itself passes.
    """
    check_address(b"/" + b"a" * 19, b"b" * 10, BOUNDS)
    with pytest.raises(AddressTooLongError) as caught:
        check_address(b"/" + b"a" * 19, b"b" * 11, BOUNDS)
    assert str(caught.value) == "The address is longer than the 30 bytes allowed here."


@given(st.binary(max_size=40))
@example(b"/a/%2e%2e/b")
@example(b"/%E2%80%AE")
def test_what_passes_is_read_alike_by_everybody(path: bytes) -> None:
    """
    Decoded once, it is UTF-8 with the same segments as before, none empty but the last, none a dot.
    """
    for written in (path, b"/" + quote_from_bytes(path).encode()):
        try:
            check_address(written, b"", WIDE)
        except MalformedRequestError:
            continue
        text = unquote_to_bytes(written).decode()
        segments = text.split("/")
        assert len(segments) == written.count(b"/") + 1
        assert segments[0] == ""
        assert not {"", ".", ".."} & set(segments[1:-1])
        assert segments[-1] not in {".", ".."}
        assert not any(ord(char) < 0x20 or char in "\x7f\\\u2028" for char in text)
