"""
The schema of a line, against lines of anything.
"""

import json
from datetime import UTC, datetime

import jsonschema  # type: ignore[import-untyped]  # only basedpyright has stubs for it
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.monitoring.log_lines import json_line
from ctxfy.adapters.monitoring.log_pipeline import LineFormatter, OurRecord
from ctxfy.adapters.monitoring.log_schema import FIELDS, line_schema
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
VALIDATOR = jsonschema.Draft202012Validator(line_schema())
EVERY, *OTHERS = FIELDS.values()

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


def test_it_is_a_schema_of_the_required_fields() -> None:
    """
    The schema is one, and what it requires is what the core lays out, in that order.
    """
    jsonschema.Draft202012Validator.check_schema(line_schema())
    assert tuple(field.name for field in EVERY) == REQUIRED_LOG_FIELDS


@given(
    st.text(st.characters()),
    st.dictionaries(st.sampled_from([*REQUIRED_LOG_FIELDS, "exception"]), anything),
)
def test_whatever_is_logged_becomes_a_line_of_the_schema(
    message: str, fields: dict[str, object]
) -> None:
    """
    A value of the wrong type never stands in a field that every line has.
    """
    record = OurRecord(20, message, fields)
    line = json.loads(LineFormatter(json_line, lambda: NOON).format(record))
    VALIDATOR.validate(line)
    assert line["logger"] == "ctxfy"


@pytest.mark.parametrize("name", [field.name for part in OTHERS for field in part])
def test_a_field_of_ours_has_its_type(name: str) -> None:
    """
    On a line of ctxfy a list is refused wherever a word or a number is told of, elsewhere not.
    """
    record = OurRecord(20, "x", {name: []})
    line = json.loads(LineFormatter(json_line, lambda: NOON).format(record))
    assert not VALIDATOR.is_valid(line)
    assert VALIDATOR.is_valid(line | {"logger": "plugin"})
