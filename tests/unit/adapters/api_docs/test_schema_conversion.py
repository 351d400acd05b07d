"""
What JSON Schema 2020-12 accepts, its form in OpenAPI 3.0 accepts, and nothing else.
"""

from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # only basedpyright has stubs for it
from openapi_schema_validator import OAS30Validator
from pydantic import Field, TypeAdapter

from ctxfy.adapters.api_docs.schema_conversion import (
    UnsupportedSchemaError,
    convert,
    convert_definitions,
)


type Json = dict[str, Any]

WORDS = st.sampled_from(["", "a", "b", "ab", "abc"])
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, -1.5, 2.5])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"]
SIZES = st.integers(0, 2)
KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, unique=True),
    "enum": st.lists(SCALARS, max_size=3, unique_by=repr),
    "const": SCALARS,
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "exclusiveMinimum": NUMBERS,
    "exclusiveMaximum": NUMBERS,
    "multipleOf": st.sampled_from([1, 2, 0.5]),
    "minLength": SIZES,
    "maxLength": SIZES,
    "pattern": st.sampled_from(["^a", "b$"]),
    "minItems": SIZES,
    "maxItems": SIZES,
    "uniqueItems": st.booleans(),
    "minProperties": SIZES,
    "maxProperties": SIZES,
    "required": st.lists(WORDS, max_size=2, unique=True),
    "title": st.just("A title"),
    "default": SCALARS,
    "examples": st.lists(SCALARS, max_size=2),
    "$ref": st.sampled_from(["#/$defs/Text", "#/$defs/MaybeText"]),
}
DEFINITIONS: Json = {
    "Text": {"type": "string", "maxLength": 2},
    "MaybeText": {"anyOf": [{"$ref": "#/$defs/Text"}, {"type": "null"}]},
}


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner | st.just({"type": "null"}), min_size=1, max_size=3)
    combined = {
        "anyOf": several,
        "oneOf": several,
        "allOf": several,
        "not": inner,
        "items": inner,
        "additionalProperties": inner,
        "properties": st.dictionaries(WORDS, inner, max_size=2),
    }
    return _schemas({**KEYWORDS, **combined})


@st.composite
def _schemas(draw: st.DrawFn, keywords: dict[str, st.SearchStrategy[Any]]) -> Json:
    # A few keywords each: a schema of twenty accepts nothing.
    chosen = draw(st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True))
    return {key: draw(keywords[key]) for key in chosen}


SCHEMAS = st.recursive(st.booleans() | _schemas(KEYWORDS), _nested, max_leaves=5)


def accepts(schema: Json | bool, value: Any) -> bool:  # noqa: ANN401 - JSON
    """
    Ask JSON Schema 2020-12.
    """
    whole = {"allOf": [schema], "$defs": DEFINITIONS}
    return bool(Draft202012Validator(whole).is_valid(value))


def accepts_converted(converted: Json, value: Any) -> bool:  # noqa: ANN401 - JSON
    """
    Ask OpenAPI 3.0.
    """
    components = {"schemas": convert_definitions(DEFINITIONS)}
    return bool(OAS30Validator({**converted, "components": components}).is_valid(value))


@given(SCHEMAS, st.lists(VALUES, min_size=5, max_size=12))
def test_the_same_values_are_accepted(schema: Json | bool, values: list[Any]) -> None:
    """
    For any schema that can be converted, and any value.
    """
    converted = convert(schema)
    for value in values:
        assert accepts_converted(converted, value) == accepts(schema, value), value


@given(SCHEMAS)
def test_nothing_is_left_of_what_3_0_does_not_know(schema: Json | bool) -> None:
    """
    No const, no several types, no type null, no $defs, no numbers as exclusive bounds.
    """
    for found in _all_schemas(convert(schema)):
        assert not found.keys() & {"const", "$defs", "examples", "prefixItems"}
        assert isinstance(found.get("type", "string"), str)
        assert found.get("type") != "null"
        assert isinstance(found.get("exclusiveMinimum", True), bool)
        assert isinstance(found.get("exclusiveMaximum", True), bool)
        assert found.get("type") != "array" or "items" in found
        assert "$ref" not in found or set(found) == {"$ref"}


def _all_schemas(schema: Json) -> list[Json]:
    inner = [
        *(item for key in ("anyOf", "oneOf", "allOf") for item in schema.get(key, [])),
        *(schema[key] for key in ("not", "items") if key in schema),
        *schema.get("properties", {}).values(),
    ]
    rest = schema.get("additionalProperties")
    inner += [rest] if isinstance(rest, dict) else []
    return [schema, *(found for item in inner for found in _all_schemas(item))]


@pytest.mark.parametrize(
    "schema",
    [
        {"prefixItems": [{"type": "string"}]},
        {"patternProperties": {"^a": {}}},
        {"if": {}, "then": {}},
        {"contains": {}},
        {"properties": {"a": {"propertyNames": {"maxLength": 2}}}},
        {"unevaluatedProperties": False},
    ],
    ids=str,
)
def test_what_3_0_cannot_say_is_refused(schema: Json) -> None:
    """
    A keyword without an equal is no schema of another meaning.
    """
    with pytest.raises(UnsupportedSchemaError):
        convert(schema)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str | None, {"type": "string", "nullable": True}),
        (Literal["a", "b"] | None, {"type": "string", "enum": ["a", "b", None], "nullable": True}),
        (Literal["a"], {"type": "string", "enum": ["a"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (
            Annotated[int, Field(gt=0, le=9)],
            {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "maximum": 9},
        ),
        (Annotated[str, Field(examples=["x", "y"])], {"type": "string", "example": "x"}),
    ],
    ids=str,
)
def test_what_pydantic_writes_reads_as_a_person_would_write_it(kind: Any, expected: Json) -> None:  # noqa: ANN401 - a type form
    """
    The frequent forms come out plain, as generators of clients understand them.
    """
    assert convert(TypeAdapter(kind).json_schema()) == expected


class Cat(TypedDict):
    """
    One kind.
    """

    kind: Literal["cat"]


class Dog(TypedDict):
    """
    Another.
    """

    kind: Literal["dog"]
    name: NotRequired[Annotated[Cat | None, Field(description="Its friend.")]]


def test_references_lead_to_the_components() -> None:
    """
    Those of discriminators too, and what stands beside a reference is not lost.
    """
    pets = TypeAdapter(list[Annotated[Cat | Dog, Field(discriminator="kind")]]).json_schema()
    converted = convert(pets)
    place = "#/components/schemas/"
    assert converted["items"]["discriminator"]["mapping"] == {
        "cat": f"{place}Cat",
        "dog": f"{place}Dog",
    }
    assert convert({"$ref": "#/$defs/Cat", "description": "x"}) == {
        "allOf": [{"$ref": f"{place}Cat"}],
        "description": "x",
    }
    assert set(convert_definitions(pets["$defs"])) == {"Cat", "Dog"}
