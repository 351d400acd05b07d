"""
A body cut at its markers.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.use_cases.prompt_use_cases import parse_marker_options, split_body
from tests.strategies import TEXTS


@pytest.mark.parametrize(
    ("line", "word", "rest"),
    [
        ("<!-- @user -->", "user", ""),
        ("<!--@user-->", "user", ""),
        ("<!-- @ASSISTANT -->", "assistant", ""),
        ("  <!-- @user -->\t", "user", ""),
        ("<!--\t@user\t-->", "user", ""),
        ("<!-- @resource a.md uri=x:y -->", "resource", "a.md uri=x:y"),
        ("<!-- @image  a.png  -->", "image", "a.png"),
        ("<!-- @nonsense -->", "nonsense", ""),
        ("<!-- @user assistant -->", "user", "assistant"),
        ("<!-- @user --->", "user", "-"),
        ("<!-- @user2 -->", "user", "2"),
    ],
)
def test_markers(line: str, word: str, rest: str) -> None:
    """
    A marker alone on its line is one, however it is spaced.
    """
    before, after = split_body(f"one\n{line}\ntwo", first_line=5)
    assert (before.text, before.line, before.marker) == ("one", 5, None)
    assert after.marker is not None
    assert (after.marker.word, after.marker.rest, after.marker.line) == (word, rest, 6)
    assert (after.text, after.line) == ("two", 7)


@pytest.mark.parametrize(
    "line",
    [
        "text <!-- @assistant -->",
        "<!-- @assistant --> text",
        "- <!-- @assistant -->",
        "> <!-- @assistant -->",
        "<!-- assistant -->",
        "<!-- @ -->",
        "<!-- @1user -->",
        "<!- @user -->",
        "<!-- @user --",
        "<!-- @user",
        "@user -->",
        "`<!-- @user -->`",
        "\u00a0<!-- @user -->",
        "\ufeff<!-- @user -->",
        "<!-- @user -->\u200b",
        "<! -- @user -->",
        "# Assistant:",
        "<!--",
    ],
)
def test_texts(line: str) -> None:
    """
    What only looks like a marker, or stands inside a line, is text.
    """
    (block,) = split_body(f"one\n{line}\ntwo")
    assert block.text == f"one\n{line}\ntwo"


@pytest.mark.parametrize(
    ("body", "texts", "lines"),
    [
        ("", [""], []),
        ("\n\n\n", [""], []),
        ("a", ["a"], [1]),
        ("\n\na\n\n", ["a"], [3]),
        ("a\n<!-- @user -->\nb", ["a", "b"], [1, 3]),
        ("a\n\n<!-- @user -->\n\nb\n", ["a", "b"], [1, 5]),
        ("<!-- @user -->\nb", ["", "b"], [2]),
        ("<!-- @user -->\n<!-- @user -->", ["", "", ""], []),
        ("  a  \n \n  b \n", ["  a  \n \n  b "], [1]),
        ("\t\n \na\n\n\nb", ["a\n\n\nb"], [3]),
    ],
)
def test_blank_lines(body: str, texts: list[str], lines: list[int]) -> None:
    """
    Blank lines at the ends of a block go, all others and all spaces stay; lines are counted on.
    """
    blocks = split_body(body)
    assert [block.text for block in blocks] == texts
    assert [block.line for block in blocks if block.text] == lines


@given(texts=st.lists(TEXTS.map(lambda text: "x" + text.replace("\n", " ") + "x"), min_size=1))
def test_round_trip(texts: list[str]) -> None:
    """
    Texts put between markers come out as they were.
    """
    body = "\n<!-- @user -->\n".join(texts)
    assert [block.text for block in split_body(body)] == texts


PIECES = st.sampled_from(["<!--", " ", "@", "user", "-->", "\n", "x", "<!-- @user -->"])


@given(body=st.lists(PIECES | TEXTS).map("".join))
def test_any_body(body: str) -> None:
    """
    Any text can be split, and there is one block more than there are markers.
    """
    blocks = split_body(body)
    assert blocks[0].marker is None
    assert all(block.marker is not None for block in blocks[1:])
    assert all(block.text in body for block in blocks)


@pytest.mark.parametrize("filler", [" ", "a", "\t", "- ", "-->x", "<!--", "@"])
def test_long_lines(filler: str) -> None:
    """
    A line of 100 kB that nearly is a marker takes no time to speak of.
    """
    line = "<!-- @user" + filler * (100_000 // len(filler)) + "x"
    assert len(split_body(line)) == 1


@pytest.mark.parametrize(
    ("rest", "path", "options"),
    [
        ("", "", {}),
        ("a.md", "a.md", {}),
        ("a.md uri=x:y type=text/plain", "a.md", {"uri": "x:y", "type": "text/plain"}),
        ("  a.md   uri=x:y=z ", "a.md", {"uri": "x:y=z"}),
        ("uri=x", "uri=x", {}),
        ("a uri=1 uri=2", "a", {"uri": "2"}),
    ],
)
def test_options(rest: str, path: str, options: dict[str, str]) -> None:
    """
    A marker takes a path and then `key=value`.
    """
    assert parse_marker_options(rest) == (path, options)


@pytest.mark.parametrize("word", ["uri", "=x", "uri=", "=", "\u201curi\u201d"])
def test_bad_options(word: str) -> None:
    """
    Any other word after the path is refused by name.
    """
    with pytest.raises(ValueError, match=f"'{word}' is not of the form key=value"):
        parse_marker_options(f"a.md {word}")
