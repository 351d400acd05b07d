"""
JSON Schema 2020-12, as pydantic writes it, into the Schema Object of OpenAPI 3.0.3.

The one rule: the result accepts exactly what the source accepts. What 3.0 has no words for is
refused, never left out.
"""

from collections.abc import Callable, Mapping
from typing import Any


type Schema = Mapping[str, Any]
type Converted = dict[str, Any]

COMPONENTS = "#/components/schemas/"

_KEPT = frozenset(
    {
        "type", "enum", "format", "title", "description", "default", "deprecated", "readOnly",
        "writeOnly", "multipleOf", "minimum", "maximum", "minLength", "maxLength", "pattern",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    }
)  # fmt: skip
# What says nothing about which values are right.
_DROPPED = frozenset(
    {"$schema", "$id", "$comment", "$defs", "contentMediaType", "contentEncoding"}
)  # fmt: skip
_NULL = {"type": "null"}


class UnsupportedSchemaError(ValueError):
    """
    A schema says something that OpenAPI 3.0 cannot.
    """


def convert(schema: Schema | bool) -> Converted:  # noqa: FBT001 - true and false are schemas too
    """
    Convert one schema. References into `$defs` lead to the components of the document.

    Raises:
        UnsupportedSchemaError: It uses a keyword that 3.0 has no equal of.
    """
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    if set(schema) == {"$ref"}:
        return {"$ref": _target(schema["$ref"])}
    schema = _with_one_type(schema)
    if schema.get("enum") == []:
        return {"not": {}}
    converted = {key: value for key, value in schema.items() if key in _KEPT}
    if schema.get("type") == "array":
        converted["items"] = {}  # 3.0 wants to hear of them
    for key, value in schema.items():
        if key in _SPECIAL:
            _SPECIAL[key](converted, value)
        elif key not in _KEPT | _DROPPED:
            message = f"OpenAPI 3.0 has no '{key}'"
            raise UnsupportedSchemaError(message)
    return converted


def convert_definitions(definitions: Mapping[str, Schema]) -> Converted:
    """
    Convert what stands under `$defs`, to stand under `components/schemas`.
    """
    return {name: convert(schema) for name, schema in definitions.items()}


def _with_one_type(schema: Schema) -> Schema:
    """
    Say several types, and null, in the words of 3.0.
    """
    types = schema.get("type")
    if types == "null":
        types = ["null"]
    if not isinstance(types, list):
        return schema
    rest = {key: value for key, value in schema.items() if key != "type"}
    others = [item for item in types if item != "null"]
    nullable = {"nullable": True} if len(others) < len(types) else {}
    if not others:
        # There is no type null: what is nullable and has no other value says the same.
        return {**_also(rest, {"enum": [None]}), "type": "string", **nullable}
    if len(others) == 1:
        return {**rest, "type": others[0], **nullable}
    return _also(rest, {"anyOf": [{"type": item, **nullable} for item in others]})


def _also(schema: Schema, condition: Schema) -> Converted:
    """
    Add a condition, beside the schema's own of that kind.
    """
    if not schema.keys() & condition.keys():
        return {**schema, **condition}
    return {**schema, "allOf": [*schema.get("allOf", []), condition]}


def _reference(converted: Converted, value: str) -> None:
    # What stands beside a $ref is not read in 3.0, so it stands in one of several conditions.
    converted["allOf"] = [*converted.get("allOf", []), {"$ref": _target(value)}]


def _target(reference: str) -> str:
    return COMPONENTS + reference.rpartition("/")[2]


def _all_of(converted: Converted, value: list[Schema]) -> None:
    converted["allOf"] = [*converted.get("allOf", []), *map(convert, value)]


def _any_of(converted: Converted, value: list[Schema]) -> None:
    others = [item for item in value if item != _NULL]
    only = convert(others[0]) if len(others) == 1 else {}
    # A plain type or null: by far the most frequent, and what generators of clients understand.
    if len(others) < len(value) and _is_plain(only) and not converted.keys() & only.keys() - _NOTES:
        if "enum" in only:
            only["enum"] = [*only["enum"], None]
        converted.update({**only, **converted, "nullable": True})
    else:
        _alternatives("anyOf")(converted, value)


def _is_plain(converted: Converted) -> bool:
    return "type" in converted and not converted.keys() & {"allOf", "anyOf", "oneOf", "not"}


def _alternatives(key: str) -> Callable[[Converted, list[Schema]], None]:
    def set_alternatives(converted: Converted, value: list[Schema]) -> None:
        converted[key] = [convert(item) for item in value]

    return set_alternatives


def _const(converted: Converted, value: object) -> None:
    if "enum" in converted:
        converted["allOf"] = [*converted.get("allOf", []), {"enum": [value]}]
    else:
        converted["enum"] = [value]


def _exclusive(bound: str, stricter: Callable[[float, float], float]) -> Callable[..., None]:
    def set_exclusive(converted: Converted, value: float) -> None:
        given = converted.get(bound)
        if given is None or stricter(given, value) == value:
            converted[bound] = value
            converted[f"exclusive{bound.capitalize()}"] = True

    return set_exclusive


def _examples(converted: Converted, value: list[object]) -> None:
    if value:
        converted.setdefault("example", value[0])


def _discriminator(converted: Converted, value: Schema) -> None:
    mapping = {name: _target(place) for name, place in value.get("mapping", {}).items()}
    converted["discriminator"] = {**value, **({"mapping": mapping} if mapping else {})}


def _set(key: str, change: Callable[[Any], object]) -> Callable[[Converted, Any], None]:
    def set_changed(converted: Converted, value: Any) -> None:  # noqa: ANN401 - JSON
        converted[key] = change(value)

    return set_changed


def _required(converted: Converted, value: list[str]) -> None:
    if value:  # an empty list is no list to 3.0
        converted["required"] = value


_NOTES = frozenset({"title", "description", "default", "example"})
_SPECIAL: Mapping[str, Callable[[Converted, Any], None]] = {
    "$ref": _reference,
    "nullable": _set("nullable", bool),
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _alternatives("oneOf"),
    "not": _set("not", convert),
    "items": _set("items", convert),
    "properties": _set("properties", convert_definitions),
    "additionalProperties": _set(
        "additionalProperties", lambda value: value if isinstance(value, bool) else convert(value)
    ),
    "required": _required,
    "const": _const,
    "exclusiveMinimum": _exclusive("minimum", max),
    "exclusiveMaximum": _exclusive("maximum", min),
    "example": _set("example", lambda value: value),
    "examples": _examples,
    "discriminator": _discriminator,
}
