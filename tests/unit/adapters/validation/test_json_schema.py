"""
The published JSON Schema of a prompt's arguments, and whether it tells the truth.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument
from tests.strategies import JSON_VALUES
from tests.unit.adapters.validation.validation_kit import (
    KINDS,
    VALIDATOR,
    make_argument,
    template_of,
)


JSON_SCHEMA: Any = import_module("jsonschema").Draft202012Validator  # it has no types


@pytest.mark.parametrize("kind", KINDS)
def test_schema_is_a_schema(kind: str) -> None:
    """
    The published schema is valid JSON Schema, plain JSON, closed, and without names of our own.
    """
    schema = VALIDATOR.json_schema(template_of(make_argument(kind, required=True)))
    JSON_SCHEMA.check_schema(json.loads(json.dumps(schema)))
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["a"]
    assert "a0" not in json.dumps(schema)


def _agreeing(kind: str) -> st.SearchStrategy[object]:
    # Text is read as other types too, and "" or null as absent: there they mean different things.
    mine: st.SearchStrategy[object] = st.text("xyz", min_size=1, max_size=3)
    if kind in {"string", "enum"}:
        return mine | st.integers() | st.booleans() | st.lists(mine, max_size=2)
    plain = st.integers(-9, 9) | st.floats(-9, 9) | st.booleans()
    if kind.startswith("list"):
        items = mine if kind == "list[string]" else plain
        return (
            st.lists(items, max_size=4) | plain | st.dictionaries(mine.map(str), plain, max_size=1)
        )
    return (
        plain
        | st.lists(plain, max_size=2)
        | st.dictionaries(mine.map(str), JSON_VALUES, max_size=2)
    )


@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_schema_agrees(data: st.DataObject, kind: str) -> None:
    """
    What the published schema allows is taken, and what it forbids is refused.
    """
    raw = {"a": data.draw(_agreeing(kind))}
    template = template_of(make_argument(kind))
    allowed = JSON_SCHEMA(dict(VALIDATOR.json_schema(template))).is_valid(raw)
    assert VALIDATOR.validate(template, raw).result.is_valid == allowed


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        (PromptArgument(name="a", max_length=3, min_length=1, pattern="^x"), {"type": "string", "maxLength": 3, "minLength": 1, "pattern": "^x"}),
        (PromptArgument(name="a", type=ArgumentType.INTEGER, minimum=1, maximum=5, default=3), {"type": "integer", "minimum": 1, "maximum": 5, "default": 3}),
        (PromptArgument(name="a", type=ArgumentType.ENUM, choices=("x", "y"), description="Help"), {"type": "string", "enum": ["x", "y"], "description": "Help"}),
        (PromptArgument(name="a", type=ArgumentType.LIST, items=ArgumentType.STRING, max_length=2, default=("x",)), {"type": "array", "items": {"type": "string"}, "maxItems": 2, "default": ["x"]}),
        (PromptArgument(name="a", type=ArgumentType.OBJECT), {"type": "object", "additionalProperties": True}),
        (PromptArgument(name="a", type=ArgumentType.BOOLEAN, default=False), {"type": "boolean", "default": False}),
    ],
)  # fmt: skip
def test_schema(argument: PromptArgument, part: dict[str, object]) -> None:
    """
    Limits, choices, defaults and help are in the schema.
    """
    schema = VALIDATOR.json_schema(template_of(argument))
    assert schema["properties"] == {"a": part}


BOUNDED = (
    (
        PromptArgument(name="a", type=ArgumentType.INTEGER, minimum=-2, maximum=3),
        st.integers(-9, 9),
    ),
    (PromptArgument(name="a", type=ArgumentType.NUMBER, minimum=-2.5, maximum=3), st.floats(-9, 9)),
    (PromptArgument(name="a", min_length=2, max_length=4), st.text("xyz", min_size=1, max_size=6)),
    (PromptArgument(name="a", pattern="^x+y$"), st.text("xy", min_size=1, max_size=4)),
    (
        PromptArgument(
            name="a", type=ArgumentType.LIST, choices=("x", "y"), min_length=1, max_length=2
        ),
        st.lists(st.sampled_from("xyz"), max_size=4),
    ),
)


@given(data=st.data())
@pytest.mark.parametrize(
    ("argument", "values"), BOUNDED, ids=["integer", "number", "length", "pattern", "list"]
)
def test_schema_agrees_about_limits(
    argument: PromptArgument, values: st.SearchStrategy[object], data: st.DataObject
) -> None:
    """
    Limits, patterns and choices mean the same in the schema and to the validator.
    """
    raw = {"a": data.draw(values)}
    template = template_of(argument)
    allowed = JSON_SCHEMA(dict(VALIDATOR.json_schema(template))).is_valid(raw)
    assert VALIDATOR.validate(template, raw).result.is_valid == allowed
