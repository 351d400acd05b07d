"""
YAML that remembers its lines and guesses nothing.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import pytest
from hypothesis import given

from ctxfy.adapters.mcp_prompts.yaml_source import YamlError, read_yaml
from tests.strategies import TEXTS


@pytest.mark.parametrize("word", ["no", "on", "yes", "off", "y", "n", "NO", "2026-11-22", "1_000", "0x1F", "1:30", ".nan", ".inf", "0o7", "=", "<<"])  # fmt: skip
def test_words_stay_text(word: str) -> None:
    """
    What YAML 1.1 would take for a boolean, a date or an odd number stays text.
    """
    assert read_yaml(f"a: {word}").data == {"a": word}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("null", None), ("~", None), ("", None), ("3", 3), ("-4", -4), ("2.10", 2.1), ("1e3", 1000.0), (".5", 0.5), ("[1, a]", [1, "a"]), ("{b: 1}", {"b": 1}), ("'3'", "3"), ("|\n  x\n  y", "x\ny")],
)  # fmt: skip
def test_values(text: str, value: object) -> None:
    """
    Values of the core schema are read as such.
    """
    assert read_yaml(f"a: {text}").data == {"a": value}


@pytest.mark.parametrize(
    "key", ["name", "title", "version", "tags", "enum", "pattern", "equals", "uri", "type", "model"]
)
@pytest.mark.parametrize("text", ["2.10", "1.0", "true", "007", "1e3", "0.50"])
def test_text_keys(key: str, text: str) -> None:
    """
    Where only text makes sense, a number stays as it was typed.
    """
    assert read_yaml(f"{key}: {text}").data == {key: text}
    assert read_yaml(f"{key}: [{text}]").data == {key: [text]}


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\n\tb: 2", 3, "indent with spaces"),
        ("a: 1\nb: [1, 2", 3, "this is not valid YAML: "),
        (
            "a: b: c",
            2,
            "; the line above lacks a colon after its key, or a text holds ': ' and needs quotes",
        ),
        (
            "a: @b",
            2,
            "indent with spaces, not tabs, and put texts that begin with @, ` or % into quotes",
        ),
        ("a: 1\nb\nc: 2", 4, "this is not valid YAML: "),
        ("a: 1\nb: 2\na: 3", 4, "the key 'a' stands here twice"),
        ("x: {a: 1, 'a': 2}", 2, "the key 'a' stands here twice"),
        ("a: &x 1\nb: *x", 2, "YAML aliases (*name) are not allowed here; repeat the value"),
        ("a: &x [1]\nb: *x", 2, "YAML aliases (*name) are not allowed here; repeat the value"),
        ("{a: 1}: b", 2, "a key must be a plain word; put { and [ between quotes"),
        ("a: {{ b }}", 2, "a key must be a plain word; put { and [ between quotes"),
        ("a: !!int x", 2, "the tag or number 'x' is not allowed here"),
        ("a: !!binary aGk=", 2, "the tag or number 'aGk=' is not allowed here"),
        ("a: !!python/name:os.system x", 2, "the tag or number 'x' is not allowed here"),
        ("a: " + "9" * 5000, 2, "the tag or number '" + "9" * 40 + "' is not allowed here"),
        ("a: " + "[" * 30 + "]" * 30, 2, "this is nested more than 20 levels deep"),
        ("a: 1\n---\nb: 2", 3, "this is not valid YAML: "),
        ("a: \x01", 2, "this is not valid YAML: a character is not allowed"),
        ("a: 'b", 2, "this is not valid YAML: "),
    ],
)
def test_mistakes(text: str, line: int, message: str) -> None:
    """
    Each mistake is told with its line, counted from the start of the file, and its remedy.
    """
    with pytest.raises(YamlError) as caught:
        read_yaml(text, first_line=2)
    assert message in caught.value.message
    assert caught.value.line == line or "not valid YAML" in caught.value.message


def test_lines() -> None:
    """
    The line of every value is known, and of what is missing the line of what is around it.
    """
    source = read_yaml("a: 1\nb:\n  c: x\n  d:\n    - 1\n    - e: |\n        t\n", first_line=2)
    places = [("a",), ("b", "c"), ("b", "d", 1), ("b", "d", 1, "e"), ("b", "nope"), ("nope",)]
    assert [source.line_of(place) for place in places] == [2, 4, 7, 7, 3, 2]
    assert source.text_line_of(("b", "d", 1, "e")) == 8
    assert source.text_line_of(("b", "c")) == 4
    assert source.text_line_of(("nope",)) == 2


def test_empty() -> None:
    """
    No text is no data.
    """
    assert read_yaml("").data is None


@given(text=TEXTS)
def test_any_text(text: str) -> None:
    """
    Any text is read or refused with a line of it.
    """
    mistake: YamlError | None = None
    try:
        read_yaml(text)
    except YamlError as error:
        mistake = error
    assert mistake is None or (mistake.line >= 1 and mistake.message)
