"""
The parameters of a prompt function as declared arguments, read from their JSON Schema.

What our own types say as exactly is declared with them, and then checked and completed like an
argument of a file. The rest has the type `ANY` and keeps its schema; the function judges it.
"""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, cast, get_type_hints

import pydantic
from fastmcp.prompts import Prompt
from fastmcp.prompts.function_prompt import FunctionPrompt
from fastmcp.utilities.json_schema import dereference_refs
from fastmcp.utilities.types import get_cached_typeadapter
from pydantic.fields import FieldInfo

from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, Value
from ctxfy.core.use_cases.validation_use_cases import freeze


type Schema = Mapping[str, Any]

# What FastMCP adds to the descriptions of parameters that are no text; ours says it its own way.
_FASTMCP_NOTE = "Provide a value matching the following JSON schema:"

_ABOUT = frozenset({"title", "description", "default", "examples"})
_SCALARS = {
    "string": ArgumentType.STRING,
    "integer": ArgumentType.INTEGER,
    "number": ArgumentType.NUMBER,
    "boolean": ArgumentType.BOOLEAN,
    "object": ArgumentType.OBJECT,
}
_BOUNDS = {
    "string": {"minLength": "min_length", "maxLength": "max_length"},
    "integer": {"minimum": "minimum", "maximum": "maximum"},
    "number": {"minimum": "minimum", "maximum": "maximum"},
}
_SIZES = {"minItems": "min_length", "maxItems": "max_length"}


def arguments_of(
    prompt: Prompt, complete: Mapping[str, tuple[str, ...]]
) -> tuple[PromptArgument, ...]:
    """
    Declare the arguments of a prompt.

    Args:
        prompt: If it is no function, all of its arguments are text.
        complete: Values to offer, by argument.
    """
    schemas = dict(_schemas(prompt))
    return tuple(
        PromptArgument(
            name=argument.name,
            description=(argument.description or "").partition(_FASTMCP_NOTE)[0].strip(),
            required=argument.required,
            complete=complete.get(argument.name, ()),
            **_declaration(schemas.get(argument.name, {"type": "string"})),
        )
        for argument in prompt.arguments or ()
    )


def resolve_annotations(prompt: Prompt) -> None:
    """
    Put types where `from __future__ import annotations` left their names.

    FastMCP does so when it describes a function, and not when it reads the arguments of a call.
    """
    if not isinstance(prompt, FunctionPrompt):
        return
    signature = inspect.signature(prompt.fn)
    if not any(isinstance(item.annotation, str) for item in signature.parameters.values()):
        return
    types = get_type_hints(prompt.fn, include_extras=True)
    parameters = [
        item.replace(annotation=types.get(name, item.annotation))
        for name, item in signature.parameters.items()
    ]
    vars(prompt.fn)["__signature__"] = signature.replace(parameters=parameters)


def adapters_of(prompt: Prompt) -> dict[str, pydantic.TypeAdapter[Any]]:
    """
    Make what reads each argument of a function, as FastMCP does when it calls it.
    """
    if not isinstance(prompt, FunctionPrompt):
        return {}
    return {
        name: pydantic.TypeAdapter(_annotation(parameter))
        for name, parameter in inspect.signature(prompt.fn).parameters.items()
        if parameter.annotation is not inspect.Parameter.empty
    }


def fits(adapter: pydantic.TypeAdapter[Any], value: object) -> bool:
    """
    Whether a value is taken: FastMCP tries a text as it is, then as JSON.
    """
    text = value if isinstance(value, str) else json.dumps(value)
    for read in (adapter.validate_python, adapter.validate_json):
        try:
            read(text)
        except (pydantic.ValidationError, ValueError, TypeError):
            continue
        return True
    return False


def _annotation(parameter: inspect.Parameter) -> Any:  # noqa: ANN401 - an annotation has no type of its own
    if isinstance(parameter.default, FieldInfo):
        return Annotated[parameter.annotation, parameter.default]
    return parameter.annotation


def _schemas(prompt: Prompt) -> Iterator[tuple[str, Schema]]:
    """
    Give the schema of each parameter, complete in itself.
    """
    if not isinstance(prompt, FunctionPrompt):
        return
    whole = get_cached_typeadapter(prompt.fn).json_schema()
    definitions = whole.get("$defs", {})
    parameters = inspect.signature(prompt.fn).parameters
    for name, schema in whole.get("properties", {}).items():
        if parameters[name].annotation is inspect.Parameter.empty:
            continue  # text, as MCP sends it
        own = dereference_refs({**schema, "$defs": definitions} if definitions else schema)
        own = _without_hints(own)
        # A type that holds itself cannot be written out; then nothing is promised.
        yield name, {} if "$ref" in json.dumps(own) else own


def _without_hints(schema: Any) -> Any:  # noqa: ANN401 - any part of a schema
    # Both would point at definitions that are written out where they are used.
    if isinstance(schema, dict):
        return {
            key: _without_hints(item)
            for key, item in schema.items()
            if not (key == "$defs" or (key == "discriminator" and isinstance(item, dict)))
        }
    return [_without_hints(item) for item in schema] if isinstance(schema, list) else schema


def _declaration(schema: Schema) -> dict[str, Any]:
    about: dict[str, Any] = {"default": freeze(schema.get("default"))}
    if examples := schema.get("examples"):
        about["example"] = freeze(examples[0])
    kind = _without_null({key: value for key, value in schema.items() if key not in _ABOUT})
    return about | (_exact(kind) or {"type": ArgumentType.ANY, "schema": _frozen(kind)})


def _without_null(schema: Schema) -> Schema:
    # `T | None` with a default: whoever means None leaves the argument out.
    branches = schema.get("anyOf", ())
    kept = [branch for branch in branches if branch != {"type": "null"}]
    if set(schema) == {"anyOf"} and len(kept) == 1 and len(branches) == 2:  # noqa: PLR2004 - a type, and None
        return {key: value for key, value in kept[0].items() if key not in _ABOUT}
    return schema


def _exact(schema: Schema) -> dict[str, Any] | None:
    """
    Say the same with our own types, or None if they cannot.
    """
    kind = schema.get("type")
    if kind == "array":
        return _joined(_with_bounds(schema, _SIZES, {"items"}), _item(schema.get("items", {})))
    if choices := _choices(schema):
        return {"type": ArgumentType.ENUM, "choices": choices}
    if kind not in _SCALARS:
        return None
    free = {"additionalProperties"} if schema.get("additionalProperties") is True else set()
    return _joined(_with_bounds(schema, _BOUNDS.get(kind, {}), free), {"type": _SCALARS[kind]})


def _joined(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if one is None or other is None else one | other


def _item(schema: Schema) -> dict[str, Any] | None:
    kept = {key: value for key, value in schema.items() if key not in _ABOUT}
    if choices := _choices(kept):
        return {"type": ArgumentType.LIST, "items": ArgumentType.STRING, "choices": choices}
    kind = kept.get("type")
    if set(kept) != {"type"} or kind not in _SCALARS or kind == "object":
        return None
    return {"type": ArgumentType.LIST, "items": _SCALARS[kind]}


def _choices(schema: Schema) -> tuple[str, ...]:
    choices = schema.get("enum") or [schema.get("const")]
    texts = tuple(choice for choice in choices if isinstance(choice, str))
    closed = set(schema) <= {"type", "enum", "const"} and len(texts) == len(choices)
    return texts if closed else ()


def _with_bounds(
    schema: Schema, names: Mapping[str, str], beside: set[str]
) -> dict[str, Any] | None:
    if set(schema) - {"type", *names, *beside}:
        return None
    return {ours: schema[theirs] for theirs, ours in names.items() if theirs in schema}


def _frozen(schema: Schema) -> Mapping[str, Value]:
    return cast("Mapping[str, Value]", freeze(schema))
