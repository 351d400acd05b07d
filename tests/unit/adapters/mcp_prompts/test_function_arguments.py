"""
Parameters of functions as declared arguments.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import json
from pathlib import Path
from typing import Any

import pytest

from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument
from ctxfy.core.use_cases.validation_use_cases import thaw, type_name
from tests.unit.adapters.mcp_prompts.function_kit import functions_of


HEAD = """\
import datetime, enum
from typing import Annotated, Any, Literal
from fastmcp import Context, FastMCP
from pydantic import BaseModel, Field

mcp = FastMCP()

class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"

class Point(BaseModel):
    x: int
    y: int = 0

class Tree(BaseModel):
    leaves: "list[Tree]" = []

class Cat(BaseModel):
    kind: Literal["cat"]

class Dog(BaseModel):
    kind: Literal["dog"]

"""


def argument_of(folder: Path, parameter: str) -> PromptArgument:
    """
    Declare a function with one parameter, and take what became of it.
    """
    source = f"{HEAD}@mcp.prompt\ndef f({parameter}):\n    return 'x'\n"
    (argument,) = functions_of(folder, source)["f"].template.arguments
    return argument


@pytest.mark.parametrize(
    ("parameter", "kind", "facts"),
    [
        ("a", "string", {"required": True}),
        ("a: str", "string", {"required": True}),
        ("a: str = 'b'", "string", {"default": "b", "required": False}),
        ("a: str | None = None", "string", {"default": None, "required": False}),
        ("a: Annotated[str, Field(min_length=1, max_length=9, description='Help')]", "string", {"min_length": 1, "max_length": 9, "description": "Help"}),
        ("a: str = Field(default='b', max_length=9, examples=['c'])", "string", {"max_length": 9, "example": "c", "default": "b"}),
        ("a: int = 3", "integer", {"default": 3}),
        ("a: Annotated[int, Field(ge=1, le=5)] | None = None", "integer", {"minimum": 1, "maximum": 5}),
        ("a: float", "number", {}),
        ("a: bool = False", "boolean", {"default": False}),
        ("a: dict", "object", {}),
        ("a: dict[str, Any]", "object", {}),
        ("a: Literal['x', 'y']", "enum", {"choices": ("x", "y")}),
        ("a: Literal['x']", "enum", {"choices": ("x",)}),
        ("a: Colour = Colour.RED", "enum", {"choices": ("red", "blue"), "default": "red"}),
        ("a: list[int] = []", "list[integer]", {"default": ()}),
        ("a: Annotated[list[str], Field(max_length=3)]", "list[string]", {"max_length": 3}),
        ("a: list[Colour]", "list[string]", {"choices": ("red", "blue")}),
    ],
)  # fmt: skip
def test_what_our_types_say_exactly_is_declared_with_them(
    tmp_path: Path, parameter: str, kind: str, facts: dict[str, object]
) -> None:
    """
    Type, choices, limits, default, help and example, as if a file had declared them.
    """
    argument = argument_of(tmp_path, parameter)
    assert (type_name(argument), argument.schema) == (kind, None)
    assert {name: getattr(argument, name) for name in facts} == facts


@pytest.mark.parametrize(
    ("parameter", "schema", "right", "wrong"),
    [
        ("a: datetime.date", {"type": "string", "format": "date"}, ["2026-11-24"], ["soon", "", 1.5]),
        ("a: Annotated[int, Field(gt=0)]", {"type": "integer", "exclusiveMinimum": 0}, ["1", 1], ["0", 0, "x"]),
        ("a: Annotated[str, Field(pattern='^x')]", {"type": "string", "pattern": "^x"}, ["xy"], ["y"]),
        ("a: int = Field(default=1, multiple_of=2)", {"type": "integer", "multipleOf": 2}, ["4"], ["3"]),
        ("a: int | str", {"anyOf": [{"type": "integer"}, {"type": "string"}]}, ["1", "x", 1], []),
        ("a: Literal[1, 2]", {"type": "integer", "enum": [1, 2]}, ["1", 2], ["3"]),
        ("a: list", {"type": "array", "items": {}}, ["[1]", ["x"]], ["x"]),
        ("a: list[dict]", {"type": "array", "items": {"type": "object", "additionalProperties": True}}, ['[{"b": 1}]'], ["[1]"]),
        ("a: dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}, [{"b": 1}], [{"b": "x"}]),
        ("a: Tree", {}, ['{"leaves": [{}]}'], ["x"]),
        ("a: Any = None", {}, ["x", 1, [None]], []),
        ("a: Annotated[Cat | Dog, Field(discriminator='kind')]", None, [{"kind": "cat"}], [{"kind": "cow"}]),
        ("a: Point", None, ['{"x": 1}', {"x": 1, "y": 2}], ['{"y": 1}', "x"]),
    ],
)  # fmt: skip
def test_what_they_do_not_say_keeps_its_schema_and_the_function_judges(
    tmp_path: Path,
    parameter: str,
    schema: dict[str, Any] | None,
    right: list[Any],
    wrong: list[Any],
) -> None:
    """
    Text and JSON are read by the annotation; a wrong value is told without showing it.
    """
    source = f"{HEAD}@mcp.prompt\ndef f({parameter}):\n    return 'x'\n"
    function = functions_of(tmp_path, source)["f"]
    (argument,) = function.template.arguments
    assert argument.type is ArgumentType.ANY
    assert argument.schema is not None
    written = thaw(argument.schema)
    if schema is not None:
        assert written == schema
    assert not any(word in json.dumps(written) for word in ("$ref", "$defs", "discriminator"))
    published: Any = SchemaValidator().json_schema(function.template)["properties"]
    assert isinstance(written, dict)
    assert {key: published["a"][key] for key in written} == written
    assert [function.mistakes({"a": value}) for value in right] == [()] * len(right)
    for value in wrong:
        (mistake,) = function.mistakes({"a": value})
        assert (mistake.field, mistake.code) == ("a", "wrong_type")
        assert mistake.message.startswith("Argument 'a' must be ")


def test_what_fastmcp_fills_in_is_no_argument(tmp_path: Path) -> None:
    """
    A context is not asked of the client, also where annotations are only names.
    """
    source = f"from __future__ import annotations\n{HEAD}@mcp.prompt\n"
    source += "def f(a: datetime.date, ctx: Context, b: int = 1):\n    return 'x'\n"
    function = functions_of(tmp_path, source)["f"]
    assert [item.name for item in function.template.arguments] == ["a", "b"]
    assert function.mistakes({"a": "2026-11-24"}) == ()
    assert len(function.mistakes({"a": "soon"})) == 1
