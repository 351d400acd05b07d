"""
A prompt becomes an operation of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openapi_schema_validator import OAS30Validator

from ctxfy.adapters.api_docs.prompt_operations import (
    PromptOperations,
    PromptPart,
    example_arguments,
    slugs_of,
)
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    PromptArgument,
    PromptExample,
    PromptTemplate,
)
from tests.builders import make_template


type Json = dict[str, Any]

ANY_PROMPT: Json = {
    "operationId": "execute_prompt",
    "tags": ["prompts"],
    "description": "Needs a key.",
    "parameters": [{"name": "name", "in": "path"}],
    "security": [{"bearer": []}],
    "responses": {
        "200": {
            "description": "The rendering.",
            "content": {"application/json": {"schema": {"$ref": "#/x"}}},
        },
        "422": {"description": "Wrong."},
    },
}
ARGUMENTS = (
    PromptArgument(name="who", required=True, max_length=5, pattern="^A", example="Ada"),
    PromptArgument(name="tone", type=ArgumentType.ENUM, choices=("warm", "cool"), default="warm"),
    PromptArgument(name="times", type=ArgumentType.INTEGER, minimum=1, maximum=9),
)


def part_of(
    template: PromptTemplate, answer: Mapping[str, object] | None = None, slug: str = "greet"
) -> PromptPart:
    """
    Describe a prompt of which every rendering is `answer`.
    """
    return PromptOperations(ANY_PROMPT, SchemaValidator(), lambda _template, _given: answer).part(
        template, slug
    )


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True), unique=True))
def test_every_prompt_has_a_slug_of_its_own(names: list[str]) -> None:
    """
    Small letters, digits and `_`, whatever the names are.
    """
    slugs = slugs_of(names)
    assert slugs.keys() == set(names)
    assert len(set(slugs.values())) == len(names)
    assert all(re.fullmatch("[a-z0-9_]+", slug) for slug in slugs.values())


def test_slugs_are_told_apart_by_numbers() -> None:
    """
    In the order in which the names come.
    """
    assert slugs_of(["a-b", "a.b", "A_B", "a_b_2"]) == {
        "a-b": "a_b",
        "a.b": "a_b_2",
        "A_B": "a_b_3",
        "a_b_2": "a_b_2_2",
    }


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"who": "Ada"}, True),
        ({"who": "Ada", "tone": "cool", "times": 9}, True),
        ({}, False),
        ({"who": "Bob"}, False),
        ({"who": "Adelaide"}, False),
        ({"who": "Ada", "tone": "hot"}, False),
        ({"who": "Ada", "times": 10}, False),
        ({"who": "Ada", "colour": "red"}, False),
    ],
    ids=str,
)
def test_the_schema_is_what_the_validator_enforces(arguments: Json, fits: bool) -> None:
    """
    Types, choices, lengths, patterns and bounds; and no argument that is not declared.
    """
    template = make_template(arguments=ARGUMENTS)
    schema = part_of(template).schemas["GreetArguments"]
    assert OAS30Validator(schema).is_valid(arguments) is fits
    assert SchemaValidator().validate(template, arguments).result.is_valid is fits


def test_the_body_keeps_to_the_version_its_arguments_are_of() -> None:
    """
    Which may be left out; the arguments may not, if one of them is required.
    """
    body = part_of(make_template(arguments=ARGUMENTS, version="2.0")).schemas["GreetBody"]
    assert body["required"] == ["arguments"]
    assert body["properties"]["version"]["enum"] == ["2.0", None]
    assert "required" not in part_of(make_template(arguments=())).schemas["GreetBody"]


def test_the_author_s_examples_are_shown_with_what_comes_of_the_first() -> None:
    """
    By their names, in their order.
    """
    examples = (
        PromptExample(name="a friend", arguments={"who": "Ada"}),
        PromptExample(name="", arguments={"who": "Al", "times": 2}),
    )
    template = replace(make_template(arguments=ARGUMENTS), examples=examples)
    part = part_of(template, {"result": "Hello"})
    media = part.operation["requestBody"]["content"]["application/json"]
    answer = part.operation["responses"]["200"]["content"]["application/json"]
    assert media["examples"] == {
        "a friend": {"value": {"arguments": {"who": "Ada"}}},
        "example 2": {"value": {"arguments": {"who": "Al", "times": 2}}},
    }
    assert answer["example"] == {"result": "Hello"}
    assert part.example == ({"who": "Ada"}, {"result": "Hello"})


def test_without_examples_those_of_the_arguments_make_one() -> None:
    """
    Unless a required argument has none.
    """
    template = make_template(arguments=ARGUMENTS)
    assert dict(example_arguments(template)) == {"example": {"who": "Ada"}}
    bare = make_template(arguments=(PromptArgument(name="who", required=True),))
    assert dict(example_arguments(bare)) == {}
    part = part_of(bare, {"result": "never asked for"})
    assert part.example is None
    assert "examples" not in part.operation["requestBody"]["content"]["application/json"]


def test_what_cannot_be_rendered_has_no_answer() -> None:
    """
    The examples of the request stay.
    """
    part = part_of(make_template(arguments=ARGUMENTS), None)
    assert part.example is None
    assert "example" not in part.operation["responses"]["200"]["content"]["application/json"]
    assert "examples" in part.operation["requestBody"]["content"]["application/json"]


def test_an_operation_shares_the_keys_and_refusals_of_any_prompt() -> None:
    """
    By reference, so that two hundred prompts do not repeat them; its path has no parameter.
    """
    template = replace(make_template(arguments=ARGUMENTS), title="Greet", owner="ops", tags=("x",))
    operations = PromptOperations(ANY_PROMPT, SchemaValidator(), lambda _template, _given: None)
    operation = operations.part(template, "greet").operation
    assert operation["operationId"] == "execute_greet"
    assert operation["summary"] == "Greet"
    assert "owned by ops" in operation["description"]
    assert "- `who` (required)" in operation["description"]
    assert operation["security"] == ANY_PROMPT["security"]
    assert operation["responses"]["422"] == {"$ref": "#/components/responses/Execution422"}
    assert operations.shared_responses() == {"Execution422": {"description": "Wrong."}}
    assert "parameters" not in operation
