"""
The rules about arguments that need no library.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, Value
from ctxfy.core.models.validation_models import ErrorCode, ValidationError


MAX_SCHEMA_TEXT = 500
"""
Characters of a JSON Schema in a sentence; the whole is published with the prompt.
"""


def freeze(value: object) -> Value:
    """
    Turn plain JSON data into an immutable value: lists into tuples, dicts into read-only views.

    Raises:
        TypeError: If the value is no JSON data.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return MappingProxyType({str(name): freeze(item) for name, item in value.items()})
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return tuple(freeze(item) for item in value)
    message = f"{type(value).__name__} is no JSON data"
    raise TypeError(message)


def thaw(value: Value) -> object:
    """
    Turn an immutable value back into plain JSON data, for encoders and schemas.
    """
    if isinstance(value, Mapping):
        return {name: thaw(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


def given_arguments(
    arguments: Sequence[PromptArgument], raw: Mapping[str, object]
) -> dict[str, object]:
    """
    Keep what counts as given: for an optional argument, null and the empty text are absent.

    Clients with a form send every field, the untouched ones empty.
    """
    optional = {argument.name for argument in arguments if not argument.required}
    return {
        name: value
        for name, value in raw.items()
        if not (name in optional and (value is None or value == ""))
    }


def in_order(
    arguments: Sequence[PromptArgument], errors: Iterable[ValidationError]
) -> tuple[ValidationError, ...]:
    """
    Put mistakes in the order of the declared arguments, unknown ones last.
    """
    order = {argument.name: index for index, argument in enumerate(arguments)}
    return tuple(sorted(errors, key=lambda error: order.get(error.field, len(order))))


def absent_value(argument: PromptArgument) -> Value:
    """
    What a template sees of an optional argument that was not given.
    """
    if argument.default is not None:
        return argument.default
    match argument.type:
        case ArgumentType.LIST:
            return ()
        case ArgumentType.OBJECT:
            return MappingProxyType({})
        case _:
            return ""


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """
    Ask back for the nearest known word, if there is one near.
    """
    near = get_close_matches(word, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else None


def unknown_argument(name: str, known: Iterable[str]) -> ValidationError:
    """
    Say that there is no such argument, and which one was probably meant.
    """
    names = list(known)
    if question := did_you_mean(shorten(name), names):
        hint = question[0].upper() + question[1:]
    else:
        hint = f"It takes: {', '.join(names)}." if names else "It takes none."
    return ValidationError(
        field=shorten(name),
        message=f"There is no argument '{shorten(name)}'. {hint}",
        code=ErrorCode.UNKNOWN,
    )


def explain_mistake(argument: PromptArgument, code: ErrorCode) -> str:
    """
    Say what is wrong with an argument and how to mend it, without showing the value.
    """
    unit = "items" if argument.type is ArgumentType.LIST else "characters"
    match code:
        case ErrorCode.MISSING:
            verdict = "is required"
        case ErrorCode.INVALID_CHOICE:
            verdict = f"must be one of: {', '.join(argument.choices)}"
        case ErrorCode.TOO_LONG:
            verdict = f"has more than {argument.max_length} {unit}"
        case ErrorCode.TOO_SHORT:
            verdict = f"has fewer than {argument.min_length} {unit}"
        case ErrorCode.PATTERN:
            verdict = f"must match the pattern {argument.pattern}"
        case ErrorCode.OUT_OF_RANGE:
            verdict = f"must be {_range_text(argument)}"
        case ErrorCode.INVALID_TEXT:
            verdict = "is not valid text: it holds half a character (surrogate)"
        case _ if argument.schema:
            verdict = f"must be as its JSON Schema says: {_schema_text(argument)}"
        case _:
            verdict = f"must be {_KIND_TEXTS[argument.type]}"
    return f"Argument '{argument.name}' {verdict}."


def limits_of(argument: PromptArgument) -> tuple[str, ...]:
    """
    Say in words how large a value may be: its range, and how many characters or items it has.
    """
    unit = "item" if argument.type is ArgumentType.LIST else "character"
    least, most = argument.min_length, argument.max_length
    limits: list[str] = []
    if argument.minimum is not None or argument.maximum is not None:
        limits.append(_range_text(argument))
    if least is not None and most is not None:
        limits.append(f"{least} to {plural(most, unit)}")
    elif least is not None:
        limits.append(f"at least {plural(least, unit)}")
    elif most is not None:
        limits.append(f"at most {plural(most, unit)}")
    return tuple(limits)


def _range_text(argument: PromptArgument) -> str:
    low, high = argument.minimum, argument.maximum
    if low is None:
        return f"at most {_figure(high)}"
    if high is None:
        return f"at least {_figure(low)}"
    return f"from {_figure(low)} to {_figure(high)}"


def _figure(number: float | None) -> str:
    # Not `:g`, which makes 1234567 into 1.23457e+06.
    return str(int(number)) if number is not None and number == int(number) else str(number)


def plural(count: int, noun: str) -> str:
    """
    Count things in English: `1 prompt`, `2 prompts`.
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def shorten(text: str, limit: int = 64) -> str:
    """
    Make a name that came from outside fit to be shown: printable and short.
    """
    # Cut first: what is thrown away need not be looked at.
    printable = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: limit + 1]
    )
    return (
        printable if len(printable) <= limit else printable[: limit - 1] + "\N{HORIZONTAL ELLIPSIS}"
    )


def split_list(text: str) -> list[object]:
    """
    Read a list from text: a JSON list, or items between commas.

    Raises:
        ValueError: If the text begins like a JSON list and is none.
    """
    stripped = text.strip()
    if stripped.startswith("["):
        parsed: list[object] = json.loads(stripped)  # JSON that begins with [ is a list or none
        return parsed
    return [item.strip() for item in stripped.split(",") if item.strip()]


def type_name(argument: PromptArgument) -> str:
    """
    Write an argument's type as its author would.
    """
    if argument.type is ArgumentType.LIST:
        return f"list[{argument.items or ArgumentType.STRING}]"
    return str(argument.type)


def describe_argument(argument: PromptArgument) -> str:
    """
    Write the description that a client shows, with all that MCP has no field for.

    MCP arguments carry no schema: type, choices, limits, default and an example go in here.
    """
    facts: list[str] = []
    if argument.choices:
        kind = "one or more of" if argument.type is ArgumentType.LIST else "one of"
        facts.append(f"{kind}: {', '.join(argument.choices)}")
    elif argument.schema:
        facts.append(f"as this JSON Schema says: {_schema_text(argument)}")
    elif argument.type is not ArgumentType.STRING:
        facts.append(_TYPE_HINTS.get(argument.type, str(argument.type)))
    if argument.minimum is not None or argument.maximum is not None:
        facts.append(_range_text(argument))
    if argument.default not in (None, "", ()):
        facts.append(f"default: {show_value(argument.default)}")
    if argument.example is not None:
        facts.append(f"example: {show_value(argument.example)}")
    text = argument.description.strip()
    hint = "; ".join(facts)
    if not hint:
        return text
    return f"{text} ({hint})" if text else hint


def _schema_text(argument: PromptArgument) -> str:
    return shorten(json.dumps(thaw(argument.schema), ensure_ascii=False), MAX_SCHEMA_TEXT)


def show_value(value: Value) -> str:
    """
    Write a value as a person would type it into a form.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, tuple) and all(
        isinstance(item, str) and "," not in item for item in value
    ):
        return ", ".join(str(item) for item in value)
    return json.dumps(thaw(value), ensure_ascii=False)


_KIND_TEXTS: Mapping[ArgumentType, str] = {
    ArgumentType.STRING: "a text",
    ArgumentType.ENUM: "a text",
    ArgumentType.INTEGER: "a whole number, such as 3",
    ArgumentType.NUMBER: "a finite number, such as 2.5",
    ArgumentType.BOOLEAN: "true or false",
    ArgumentType.LIST: 'a list: items between commas, or JSON such as ["a", "b"]',
    ArgumentType.OBJECT: 'a JSON object, such as {"key": "value"}',
    ArgumentType.ANY: "text or JSON",
}

_TYPE_HINTS: Mapping[ArgumentType, str] = {
    ArgumentType.INTEGER: "a whole number",
    ArgumentType.NUMBER: "a number",
    ArgumentType.BOOLEAN: "true or false",
    ArgumentType.LIST: "a list: items between commas, or JSON",
    ArgumentType.OBJECT: "a JSON object",
    ArgumentType.ANY: "text or JSON",
}
