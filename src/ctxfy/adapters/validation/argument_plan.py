"""
What is prepared of a prompt's arguments, so that a value which is right is looked at once.

Whatever is wrong, or no text, is left to the pydantic model of all arguments, which finds every
mistake. A plan takes nothing that the model would not, and makes the same of it.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field, create_model

from ctxfy.adapters.validation.argument_types import annotation_of
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, Value
from ctxfy.core.models.validation_models import ValidationResult
from ctxfy.core.ports.prompt_ports import ArgumentOutcome
from ctxfy.core.use_cases.validation_use_cases import absent_value, freeze, thaw


MAX_ARGUMENTS = 100
"""
As many as one prompt may declare.
"""

type _Reader = Callable[[str], Value]
"""
Makes a value of a text, or raises ValueError.
"""

_FINE = ValidationResult()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentLimits:
    """
    What may come in: how many arguments, and UTF-8 bytes of one and of all together.
    """

    count: int = MAX_ARGUMENTS

    argument_bytes: int = 1_000_000
    total_bytes: int = 2_000_000


class ArgumentPlan:
    """
    The arguments of one prompt, ready for values.
    """

    def __init__(self, arguments: Sequence[PromptArgument]) -> None:
        self._arguments = arguments
        self._readers = {argument.name: _reader_of(_bare(argument)) for argument in arguments}
        self._absent = {argument.name: absent_value(argument) for argument in arguments}
        self._required = frozenset(item.name for item in arguments if item.required)

    @cached_property
    def model(self) -> type[BaseModel]:
        """
        The model that finds every mistake, built when the first is made.

        Fields are named a0, a1, ... with the argument's name as alias, since `copy` and
        `model_config` are legal names of arguments.
        """
        fields: dict[str, Any] = {}
        for index, argument in enumerate(self._arguments):
            default = ... if argument.required else thaw(absent_value(argument))
            fields[f"a{index}"] = (
                annotation_of(argument),
                Field(default, alias=argument.name, description=argument.description or None),
            )
        # `extra` is for the published schema; unknown names are reported before, with a hint.
        return create_model(
            "Arguments", __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields
        )

    def take(self, raw: Mapping[str, object], limits: ArgumentLimits) -> ArgumentOutcome | None:
        """
        Make values of texts; None if one is no text, or not as it should be.
        """
        values, given, total = self._absent.copy(), list[str](), 0
        try:
            for name, text in raw.items():
                if type(text) is not str or name not in values:
                    return None
                if not text and name not in self._required:
                    continue
                size = len(text) if text.isascii() else len(text.encode())
                if size > limits.argument_bytes:
                    return None
                total += size
                values[name] = self._readers[name](text)
                given.append(name)
        except (ValueError, RecursionError):  # of pydantic and of halves of characters, too
            return None
        names = frozenset(given)
        if total > limits.total_bytes or not self._required <= names:
            return None
        return ArgumentOutcome(values=values, result=_FINE, given=names)


def _bare(argument: PromptArgument) -> PromptArgument:
    """
    Keep of an argument what its values depend on: many prompts have arguments that differ in words.
    """
    return PromptArgument(
        name="",
        type=argument.type,
        items=argument.items,
        choices=argument.choices,
        min_length=argument.min_length,
        max_length=argument.max_length,
        minimum=argument.minimum,
        maximum=argument.maximum,
        pattern=argument.pattern,
    )


@lru_cache(maxsize=1024)
def _reader_of(argument: PromptArgument) -> _Reader:
    if argument.type not in _TEXTS or (argument.pattern and not argument.choices):
        validate = pydantic.TypeAdapter[Any](annotation_of(argument)).validator.validate_python
        return lambda text: freeze(validate(text))
    if argument.choices:
        return _choice_reader(frozenset(argument.choices))
    least, most = argument.min_length or 0, argument.max_length
    return _text_reader(least, sys.maxsize if most is None else most)


_TEXTS = (ArgumentType.STRING, ArgumentType.ENUM)


def _choice_reader(choices: frozenset[str]) -> _Reader:
    def read(text: str) -> str:
        if text in choices:
            return text
        raise ValueError

    return read


def _text_reader(least: int, most: int) -> _Reader:
    def read(text: str) -> str:
        if least <= len(text) <= most:
            return text
        raise ValueError

    return read
