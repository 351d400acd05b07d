"""
Lines under the names of other systems.
"""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxfy.adapters.monitoring.log_exceptions import describe_exception
from ctxfy.adapters.monitoring.log_lines import json_line
from ctxfy.adapters.monitoring.log_pipeline import LineFormatter, OurRecord
from ctxfy.adapters.monitoring.log_schema import FIELDS
from ctxfy.adapters.monitoring.log_shapes import (
    SHAPES,
    LogShape,
    Service,
    json_form,
    name_in,
    reshape,
)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SERVICE = Service("prompts", "1.2.3")
OTHER_SHAPES: tuple[LogShape, ...] = ("ecs", "datadog")

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def line_of(shape: LogShape, **fields: object) -> dict[str, object]:
    """
    Write one line.
    """
    formatter = LineFormatter(json_form(shape, SERVICE), lambda: NOON)
    found: dict[str, object] = json.loads(formatter.format(OurRecord(30, "done", fields)))
    return found


def test_our_own_shape_takes_no_way_round() -> None:
    """
    It is the very function that wrote lines before there were others.
    """
    assert json_form("ctxfy", SERVICE) is json_line


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_no_two_fields_have_one_name(shape: LogShape) -> None:
    """
    Nor that of what stands on every line, nor that of an exception's parts.
    """
    chosen = SHAPES[shape]
    names = [name_in(chosen, field.name) for part in FIELDS.values() for field in part]
    names += [*chosen.error, *chosen.constants(SERVICE)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_no_name_is_an_object_for_one_field_and_a_value_for_another(shape: LogShape) -> None:
    """
    A store makes objects of dots, and refuses a line in which `a` and `a.b` are both values.
    """
    chosen = SHAPES[shape]
    names = [name_in(chosen, field.name) for part in FIELDS.values() for field in part]
    names += [*chosen.error, *chosen.constants(SERVICE), name_in(chosen, "extra.prompt")]
    assert not [(a, b) for a in names for b in names if b.startswith(f"{a}.")]


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_what_is_null_is_left_out(shape: LogShape) -> None:
    """
    So are times that are no numbers.
    """
    line = line_of(shape, prompt=None, latency_ms=float("inf"), remedy="wait")
    assert None not in [value for name, value in line.items() if "duration" not in name]
    assert "ctxfy.prompt" not in line
    assert line["ctxfy.remedy"] == "wait"


def test_a_time_is_written_in_nanoseconds_and_a_level_small() -> None:
    """
    As both systems have them.
    """
    line = line_of("ecs", latency_ms=2.809)
    assert (line["event.duration"], line["log.level"]) == (2_809_000, "warning")
    line = line_of("datadog", latency_ms=2.809)
    assert (line["duration"], line["status"]) == (2_809_000, "warning")


def test_datadog_counts_traces_in_decimal_of_64_bits() -> None:
    """
    The lower half of a trace's id; what is no id stays what it is.
    """
    line = line_of("datadog", trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="own")
    assert line["dd.trace_id"] == str(0xA3CE929D0E0E4736)
    assert line["dd.span_id"] == "own"


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_an_exception_is_type_message_and_one_text(shape: LogShape) -> None:
    """
    With its causes, as people read it.
    """
    error = ValueError("first")
    error.__cause__ = KeyError("second")
    kind, message, stack = SHAPES[shape].error
    found = reshape({"exception": describe_exception(error)}, SHAPES[shape])
    assert (found[kind], found[message]) == ("ValueError", "first")
    assert found[stack] == "ValueError: first\ncaused by KeyError: 'second'"


@pytest.mark.parametrize("shape", OTHER_SHAPES)
@settings(max_examples=30)
@given(fields=st.dictionaries(st.text(min_size=1), anything, max_size=4))
def test_whatever_is_logged_becomes_one_line(shape: LogShape, fields: dict[str, object]) -> None:
    """
    With its level, its time and who wrote it, whatever somebody's fields are called.
    """
    line = line_of(shape, **{**fields, "exc_info": None, "latency_ms": float("nan")})
    assert line["message"] == "done"
    constants = SHAPES[shape].constants(SERVICE)
    assert {**line, **constants} == line


@pytest.mark.parametrize("shape", OTHER_SHAPES)
def test_secrets_are_hidden_under_other_names_too(shape: LogShape) -> None:
    """
    In a field, in the message and in an exception.
    """
    formatter = LineFormatter(json_form(shape, SERVICE), lambda: NOON)
    fields: dict[str, object] = {
        "password": "hunter2",
        "reason": "Bearer hunter2hunter2",
        "exc_info": ValueError("token=hunter2"),
    }
    line = formatter.format(OurRecord(40, "api_key=hunter2", fields))
    assert "hunter2" not in line
    assert line.count("[redacted]") == 5
