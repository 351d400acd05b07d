"""
What is wrong with the front matter of a prompt file, in sentences for its author.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import cast

import pydantic

from ctxfy.adapters.mcp_prompts.prompt_schema import (
    ArgumentSpec,
    ExampleSpec,
    ExpectedErrorSpec,
    ExpectSpec,
    LimitsSpec,
    MessageSpec,
    MetricsSpec,
    PromptSpec,
    TestSpec,
)
from ctxfy.adapters.mcp_prompts.yaml_source import YamlPath, YamlSource
from ctxfy.core.models.catalog_models import is_version
from ctxfy.core.models.prompt_models import ArgumentType


# MiniJinja reads these words its own way, so that no tag could show such an argument.
_RESERVED = frozenset({"true", "True", "false", "False", "none", "None", "not", "self"})


def types_of(spec: ArgumentSpec) -> tuple[ArgumentType, ArgumentType | None]:
    """
    Read the type an author wrote: that of the argument, and that of its items.
    """
    written = spec.type or ("enum" if spec.enum else "string")
    if not written.startswith("list"):
        kind = ArgumentType(written)
        return (
            (ArgumentType.ENUM, None) if spec.enum and kind is ArgumentType.STRING else (kind, None)
        )
    inner = written.removeprefix("list").strip("[]") or "string"
    return ArgumentType.LIST, ArgumentType(inner)


def inconsistencies(spec: PromptSpec) -> Iterator[tuple[YamlPath, str]]:
    """
    Find what each key alone allows and all together do not: the place and a sentence.
    """
    if not is_version(spec.version):
        yield ("version",), f"'{spec.version}' is not a version; write for example 2.1.0"
    for name, argument in spec.arguments.items():
        if name in _RESERVED:
            yield ("arguments", name), f"'{name}' is a word of the template language; rename it"
        for text in _argument_mistakes(argument):
            yield ("arguments", name), f"argument '{name}': {text}"
    for index, test in enumerate(spec.tests):
        if (test.expect is None) == (test.error is None):
            yield ("tests", index), "a test has either 'expect:' or 'error:'"
    for name in spec.metrics.count_by:
        counted = spec.arguments.get(name)
        # A list would make as many labels as there are lists.
        if counted is None or types_of(counted)[0] is not ArgumentType.ENUM:
            yield (
                ("metrics", "count_by"),
                f"count_by takes arguments with an enum; '{name}' has none",
            )


def _argument_mistakes(spec: ArgumentSpec) -> Iterator[str]:
    kind, items = types_of(spec)
    texts = (ArgumentType.STRING, ArgumentType.ENUM)
    numbers = (ArgumentType.INTEGER, ArgumentType.NUMBER)
    if spec.required and spec.default is not None:
        yield "it is required, so it cannot have a default"
    if kind is ArgumentType.ENUM and not spec.enum:
        yield "its type is enum, so it needs 'enum:' with the values allowed"
    if spec.enum and kind not in texts and items not in texts:
        yield f"'enum:' is for texts and lists of texts, not for {spec.type}"
    if spec.pattern is not None and kind is not ArgumentType.STRING:
        yield "'pattern:' is for type string"
    if (spec.minimum is not None or spec.maximum is not None) and kind not in numbers:
        yield "'minimum:' and 'maximum:' are for integer and number"
    sized = (ArgumentType.STRING, ArgumentType.LIST)
    if (spec.min_length is not None or spec.max_length is not None) and kind not in sized:
        yield "'min_length:' and 'max_length:' are for strings and lists"
    if _above(spec.min_length, spec.max_length):
        yield "'min_length:' is above 'max_length:', so nothing could be given"
    if _above(spec.minimum, spec.maximum):
        yield "'minimum:' is above 'maximum:', so nothing could be given"


def _above(low: float | None, high: float | None) -> bool:
    return low is not None and high is not None and low > high


def explain(
    error: pydantic.ValidationError, source: YamlSource, spec_type: type[PromptSpec]
) -> Iterator[tuple[int, str]]:
    """
    Turn what pydantic found into lines of the file and sentences.
    """
    for item in error.errors(include_url=False, include_input=True):
        place = tuple(part for part in item["loc"] if part != "[key]")
        where = ".".join(str(part) for part in place[:-1])
        key = str(place[-1]) if place else ""
        inside = f" in '{where}'" if where else ""
        yield source.line_of(place), _sentence(item["type"], key, inside, item, spec_type, place)


def _sentence(
    kind: str,
    key: str,
    inside: str,
    item: Mapping[str, object],
    spec_type: type[PromptSpec],
    place: tuple[str | int, ...],
) -> str:
    message = str(item["msg"])
    if kind == "extra_forbidden":
        near = get_close_matches(key, _keys_at(spec_type, place), n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"unknown key '{key}'{inside}{hint}"
    if kind == "missing":
        return f"the key '{key}' is missing{inside}"
    if "[key]" in cast("tuple[object, ...]", item["loc"]):
        return (
            f"'{key}' cannot be an argument's name; use letters, digits and _, "
            "beginning with a letter"
        )
    if kind == "string_pattern_mismatch" and key == "name":
        return (
            "a name has letters, digits, '_', '.' and '-' only, and begins with a letter or digit"
        )
    return f"'{key}'{inside}: {message[0].lower()}{message[1:]}"


def _keys_at(spec_type: type[PromptSpec], place: tuple[str | int, ...]) -> list[str]:
    """
    List the keys that are known where an unknown one stands.
    """
    last = place[-2] if len(place) > 1 else None
    section = str(place[0]) if len(place) > 1 else ""
    model = _PARTS.get(last) or _SECTIONS.get(section, spec_type)
    return list(model.model_fields)


_SECTIONS: Mapping[str, type[pydantic.BaseModel]] = {
    "arguments": ArgumentSpec,
    "examples": ExampleSpec,
    "tests": TestSpec,
    "limits": LimitsSpec,
    "metrics": MetricsSpec,
    "messages": MessageSpec,
}
_PARTS: Mapping[str | int | None, type[pydantic.BaseModel]] = {
    "expect": ExpectSpec,
    "error": ExpectedErrorSpec,
}
