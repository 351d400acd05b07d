"""
Fields become one line.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.monitoring.log_lines import console_line, json_line


KEY = "ctxfy_abcdefghijkl_" + "s" * 49
BASE: Mapping[str, object] = {
    "timestamp": "2026-11-22T12:00:00.123Z",
    "level": "INFO",
    "message": "it_happened",
    "request_id": None,
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@dataclass
class Holder:
    """
    A value that JSON libraries like to write out.
    """

    secret: str


class Unprintable:
    """
    A value without text.
    """

    def __str__(self) -> str:
        raise RuntimeError


@given(st.dictionaries(st.text(), values))
def test_any_fields_become_one_line_of_json(fields: dict[str, object]) -> None:
    """
    Whatever is logged, a line is one line and parses.
    """
    line = json_line(fields)
    assert "\n" not in line
    assert "\r" not in line
    assert isinstance(json.loads(line), dict)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("line\nbreak", "line\nbreak"),
        (2**80, str(2**80)),
        ("\ud800", "\\ud800"),
        (Decimal("1.5"), "1.5"),
        (PurePosixPath("a/b"), "a/b"),
        (b"bytes", "b'bytes'"),
        (float("nan"), None),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (Unprintable(), "<Unprintable without text>"),
        ({1: "a"}, {"1": "a"}),
    ],
    ids=lambda value: type(value).__name__ + str(len(repr(value))),
)
def test_strange_values_are_written_as_text(value: object, written: object) -> None:
    """
    What JSON does not know is written as text, and nothing raises.
    """
    assert json.loads(json_line({**BASE, "value": value}))["value"] == written


def test_a_ring_is_written_somehow() -> None:
    """
    A structure that contains itself does not stop the line; numbers beside it stay numbers.
    """
    ring: list[object] = []
    ring.append(ring)
    line = json.loads(json_line({**BASE, "ring": ring, "status_code": 200, "huge": 2**99}))
    assert line["ring"] == "[[...]]"
    assert line["status_code"] == 200


@pytest.mark.parametrize(
    "value",
    [Holder(KEY), KEY.encode(), PurePosixPath(KEY), [{KEY}], Exception(KEY)],
    ids=["dataclass", "bytes", "path", "set", "exception"],
)
def test_no_secret_hides_in_a_value_of_another_type(value: object) -> None:
    """
    What is made text on the way out is searched for secrets then.
    """
    assert "ssss" not in json_line({**BASE, "value": value, "huge": None})
    assert "ssss" not in json_line({**BASE, "value": value, "huge": 2**99})
    assert "ssss" not in console_line({**BASE, "value": value}, coloured=False)


def test_a_console_line_is_short_and_readable() -> None:
    """
    Time, level, message, and the fields that say something.
    """
    line = console_line({**BASE, "status_code": 200, "note": "two words"}, coloured=False)
    assert line == "12:00:00.123Z INFO     it_happened  status_code=200  note='two words'"


def test_colours_are_for_terminals() -> None:
    """
    With colours the level stands out; without, there is no escape sequence at all.
    """
    fields = {**BASE, "level": "ERROR"}
    assert "\x1b[31mERROR" in console_line(fields, coloured=True)
    assert "\x1b" not in console_line(fields, coloured=False)


@given(st.text(), st.text())
def test_a_value_cannot_forge_a_console_line(message: str, value: str) -> None:
    """
    Line breaks and escape sequences in what is logged are shown, never obeyed.
    """
    line = console_line({**BASE, "message": message, "value": value}, coloured=False)
    assert line.isprintable()


def test_an_exception_spans_lines_on_the_console() -> None:
    """
    At a desk an error reads from the top: what, where, and why.
    """
    cause: dict[str, object] = {"type": "KeyError", "message": "'k'", "frames": [], "cause": None}
    error = {
        "type": "ValueError",
        "message": "no\nway",
        "frames": [{"file": "ctxfy/x.py", "line": 3, "function": "f"}],
        "cause": cause,
        "exceptions": [cause],
    }
    lines = console_line({**BASE, "exception": error}, coloured=False).split("\n")
    assert lines[1:] == [
        "    ValueError: no\\nway",
        "      ctxfy/x.py:3 in f",
        "    with KeyError: 'k'",
        "    caused by KeyError: 'k'",
    ]
