"""
The types of prompt arguments as pydantic annotations.

MCP sends every value as text and REST sends JSON, so each type takes both. A wrong value raises
ValueError here, which pydantic reports as one mistake among others.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, Strict
from pydantic_core import PydanticCustomError

from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument
from ctxfy.core.use_cases.validation_use_cases import split_list


_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_TOO_LARGE = 2**63
_MAX_DEPTH = 100
_BOOLEANS = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(
    ("false", "no", "off", "0"), False
)


def annotation_of(argument: PromptArgument) -> Any:  # noqa: ANN401 - an annotation has no type of its own
    """
    Make the annotation that checks one argument.
    """
    if argument.type is not ArgumentType.LIST:
        return _scalar(argument.type, argument)
    item: Any = _scalar(argument.items or ArgumentType.STRING, argument, inside_list=True)
    sizes = Field(min_length=argument.min_length, max_length=argument.max_length)
    items = list[item]
    return Annotated[items, sizes, BeforeValidator(_list)]


def _scalar(kind: ArgumentType, argument: PromptArgument, *, inside_list: bool = False) -> Any:  # noqa: ANN401 - as above
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple
    if kind in _NUMBERS:
        bounds = Field(ge=argument.minimum, le=argument.maximum)
        plain, read = _NUMBERS[kind]
        # The bounds first: behind the validator the schema would call them ge and le.
        return Annotated[plain, bounds, BeforeValidator(read)]
    if argument.choices:
        return Literal[argument.choices]
    # The lengths of a list argument are those of the list, not of its items.
    if inside_list:
        return Annotated[str, Strict()]
    sizes = _text_field(argument.min_length, argument.max_length, argument.pattern)
    return Annotated[str, Strict(), sizes]


def _text_field(min_length: int | None, max_length: int | None, pattern: str | None) -> Any:  # noqa: ANN401 - pydantic's FieldInfo is typed Any
    return Field(min_length=min_length, max_length=max_length, pattern=pattern)


def _integer(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        number = int(value)  # to JSON Schema, 3.0 is an integer
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        number = int(_matched(value, _INTEGER))
    if abs(number) >= _TOO_LARGE:
        raise ValueError
    return number


def _number(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError as error:
            raise ValueError from error
    else:
        number = float(_matched(value, _NUMBER))
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and (word := value.strip().lower()) in _BOOLEANS:
        return _BOOLEANS[word]
    raise ValueError


def _object(value: object) -> object:
    if isinstance(value, str):
        value = _parsed(value)
    if not isinstance(value, dict):
        raise ValueError  # noqa: TRY004 - pydantic reports ValueError, and lets TypeError through
    _check_json(value)
    return value


def _any(value: object) -> object:
    _check_json(value)
    return value


def _list(value: object) -> object:
    if isinstance(value, str):
        try:
            value = split_list(value)
        except RecursionError as error:
            raise ValueError from error
    if not isinstance(value, list):
        raise ValueError  # noqa: TRY004 - as above
    _check_json(value)
    return value


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError from error


def _check_json(value: object, depth: int = 0) -> None:
    """
    Refuse what JSON can smuggle in: halves of characters, numbers without an end, deep nesting.
    """
    if depth > _MAX_DEPTH:
        raise ValueError
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise PydanticCustomError("invalid_text", "half a character") from error
        case float() if not math.isfinite(value):
            raise ValueError
        case dict():
            for name, item in value.items():
                _check_json(name, depth + 1)
                _check_json(item, depth + 1)
        case list():
            for item in value:
                _check_json(item, depth + 1)
        case _:
            pass


def _matched(value: object, pattern: re.Pattern[str]) -> str:
    if isinstance(value, str) and pattern.fullmatch(value.strip()):
        return value.strip()
    raise ValueError


def _refuse(_constant: str) -> object:
    raise ValueError


_SIMPLE: Mapping[ArgumentType, Any] = {
    ArgumentType.BOOLEAN: Annotated[bool, BeforeValidator(_boolean)],
    ArgumentType.OBJECT: Annotated[dict[str, JsonValue], BeforeValidator(_object)],
    ArgumentType.ANY: Annotated[Any, BeforeValidator(_any)],
}
_NUMBERS: Mapping[ArgumentType, tuple[Any, Any]] = {
    ArgumentType.INTEGER: (int, _integer),
    ArgumentType.NUMBER: (float, _number),
}
