"""
What a prompt's page shows: the declaration of the prompt, in words and as a form.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ctxfy.adapters.api_docs.call_examples import call_examples, example_values
from ctxfy.adapters.api_docs.prompt_operations import example_arguments
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Privacy,
    PromptArgument,
    PromptTemplate,
)
from ctxfy.core.use_cases.validation_use_cases import plural, thaw


LONG_TEXT = 200
"""
Characters from which on a text gets a field of several lines.
"""

type View = dict[str, Any]


def prompt_view(template: PromptTemplate, versions: Sequence[PromptTemplate], address: str) -> View:
    """
    Lay a prompt out for its page.

    Args:
        template: The version that is shown.
        versions: All that the reader may use, highest first.
        address: Where the server is found.
    """
    is_served = template.version == versions[0].version
    examples = dict(example_arguments(template))
    first = next(iter(examples.values()), {})
    shown = example_values(template, first)
    return {
        "name": template.name,
        "title": template.title or template.name,
        "description": template.description,
        "version": template.version,
        "is_served": is_served,
        "owner": template.owner,
        "model": template.model or "",
        "tags": template.tags,
        "scope": template.scope,
        "arguments": [argument_view(item) for item in template.arguments],
        "rules": _prompt_rules(template),
        "examples": [
            {"name": name, "arguments": _json(given), "shown": _json(given, indent=2)}
            for name, given in examples.items()
        ],
        "versions": [
            {"version": item.version, "changes": item.changes, "is_shown": item is template}
            for item in versions
        ],
        "calls": call_examples(template, address, shown, is_served=is_served),
        "digest": template.digest,
        "source": template.source,
    }


def argument_view(argument: PromptArgument) -> View:
    """
    Lay an argument out: as a row of a table, and as a field of a form.
    """
    default = "" if argument.default is None else shown_value(thaw(argument.default))
    example = "" if argument.example is None else shown_value(thaw(argument.example))
    return {
        "name": argument.name,
        "description": argument.description,
        "type": type_words(argument),
        "required": argument.required,
        "default": default,
        "choices": argument.choices,
        "complete": argument.complete,
        "rules": argument_rules(argument),
        "privacy": "" if argument.privacy is Privacy.NONE else argument.privacy,
        "example": example,
        "placeholder": default or (f"such as {example}" if example else ""),
        "schema": "" if argument.schema is None else _json(thaw(argument.schema), indent=2),
        "kind": argument.type,
        "item_type": argument.items or "",
        "field": field_of(argument),
    }


def field_of(argument: PromptArgument) -> str:
    """
    Say by what kind of field a value is asked for.
    """
    if argument.type in _FIELDS and not argument.choices:
        return _FIELDS[argument.type]
    if argument.choices:
        return "several" if argument.type is ArgumentType.LIST else "choice"
    if argument.privacy is Privacy.SECRET:
        return "secret"
    # Only a field of one line can offer values.
    is_short = argument.max_length is not None and argument.max_length <= LONG_TEXT
    return "line" if argument.complete or is_short else "lines"


def type_words(argument: PromptArgument) -> str:
    """
    Name the type of an argument.
    """
    match argument.type:
        case ArgumentType.ENUM:
            return "one of the choices"
        case ArgumentType.LIST:
            return f"list of {argument.items or ArgumentType.STRING}"
        case ArgumentType.ANY:
            return "JSON, as its schema says"
        case ArgumentType.OBJECT:
            return "object (JSON)"
        case _:
            return str(argument.type)


def argument_rules(argument: PromptArgument) -> list[str]:
    """
    Say what a value must satisfy beside its type and its choices.
    """
    unit = "item" if argument.type is ArgumentType.LIST else "character"
    rules = [
        _bounds(argument.min_length, argument.max_length, unit),
        _limits(argument.minimum, argument.maximum),
        f"matches {argument.pattern}" if argument.pattern else "",
    ]
    return [rule for rule in rules if rule]


def shown_value(value: object) -> str:
    """
    Write a value for a reader: a text as it is, anything else as JSON.
    """
    return value if isinstance(value, str) else _json(value)


def _bounds(least: int | None, most: int | None, unit: str) -> str:
    match least or None, most:
        case None, None:
            return ""
        case int(few), None:
            return f"at least {plural(few, unit)}"
        case None, int(many):
            return f"at most {many:,} {unit}{'' if many == 1 else 's'}"
        case few, many:
            return f"{few} to {many:,} {unit}s"


def _limits(least: float | None, most: float | None) -> str:
    match least, most:
        case None, None:
            return ""
        case few, None:
            return f"{few:g} or more"
        case None, many:
            return f"{many:g} or less"
        case few, many:
            return f"from {few:g} to {many:g}"


def _prompt_rules(template: PromptTemplate) -> list[str]:
    rules = [
        "Every mistake in the arguments is named at once; an argument that is not declared is one.",
        f"What comes out is at most {template.max_output_bytes:,} bytes.",
    ]
    if template.count_by:
        rules.append(f"Executions are counted by {', '.join(template.count_by)}.")
    if any(item.privacy is not Privacy.NONE for item in template.arguments):
        rules.append("Values of arguments are never stored or logged.")
    if template.is_function:
        rules.append("A function of the server makes the messages.")
    return rules


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


_FIELDS: Mapping[ArgumentType, str] = {
    ArgumentType.BOOLEAN: "boolean",
    ArgumentType.INTEGER: "number",
    ArgumentType.NUMBER: "number",
    ArgumentType.LIST: "lines",
    ArgumentType.OBJECT: "lines",
    ArgumentType.ANY: "lines",
}
