"""
The arguments of prompts, checked and coerced: ArgumentValidatorPort.
"""

import json
from collections.abc import Iterator, Mapping
from typing import cast

import pydantic
from pydantic import BaseModel
from pydantic_core import SchemaError

from ctxfy.adapters.validation.argument_plan import ArgumentLimits, ArgumentPlan
from ctxfy.adapters.validation.argument_types import annotation_of
from ctxfy.adapters.validation.per_prompt import PerPrompt
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    PromptArgument,
    PromptProblem,
    PromptTemplate,
    Value,
)
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult
from ctxfy.core.ports.prompt_ports import ArgumentOutcome
from ctxfy.core.use_cases.validation_use_cases import (
    absent_value,
    explain_mistake,
    freeze,
    given_arguments,
    in_order,
    thaw,
    unknown_argument,
)


MAX_UNKNOWN_REPORTED = 20

type _Flaw = tuple[tuple[str | int, ...], str]
"""
The place of a mistake in a prompt file, and a sentence.
"""


class SchemaValidator:
    """
    Validates and coerces the arguments of prompts.
    """

    def __init__(self, limits: ArgumentLimits | None = None) -> None:
        self._limits = limits or ArgumentLimits()
        self._plans = PerPrompt(lambda template: ArgumentPlan(template.arguments))

    def validate(self, template: PromptTemplate, raw: Mapping[str, object]) -> ArgumentOutcome:
        """
        Coerce and check all arguments of a prompt, reporting every mistake.
        """
        if len(raw) > self._limits.count:
            return _too_many(self._limits.count)
        plan = self._plans.of(template)
        return plan.take(raw, self._limits) or self._judge(template, plan.model, raw)

    def _judge(
        self, template: PromptTemplate, model: type[BaseModel], raw: Mapping[str, object]
    ) -> ArgumentOutcome:
        given = given_arguments(template.arguments, raw)
        declared = {argument.name: argument for argument in template.arguments}
        values: dict[str, Value] = {}
        errors = list(_unfit(given, declared, self._limits))
        unfit = {error.field for error in errors}
        try:
            fit = {name: item for name, item in given.items() if name in declared.keys() - unfit}
            values = _values(template, model.model_validate(fit), given)
        except pydantic.ValidationError as error:
            errors += (item for item in _translate(error, declared) if item.field not in unfit)
        unknown = [name for name in given if name not in declared]
        errors += [unknown_argument(name, declared) for name in unknown[:MAX_UNKNOWN_REPORTED]]
        return ArgumentOutcome(
            values={} if errors else values,
            result=ValidationResult(errors=in_order(template.arguments, errors)),
            given=frozenset(given),
        )

    def json_schema(self, template: PromptTemplate) -> Mapping[str, object]:
        """
        The JSON Schema (2020-12) of a prompt's arguments.
        """
        schema = self._plans.of(template).model.model_json_schema(by_alias=True)
        properties: dict[str, dict[str, object]] = schema.get("properties", {})
        for argument in template.arguments:
            place = properties[argument.name]
            place.pop("title", None)
            if argument.schema is not None:
                place |= cast("dict[str, object]", thaw(argument.schema))
            if argument.default is None:
                place.pop("default", None)
            if argument.type is ArgumentType.OBJECT:
                place["additionalProperties"] = True
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "required": [item.name for item in template.arguments if item.required],
        }

    def problems(self, template: PromptTemplate) -> tuple[PromptProblem, ...]:
        """
        Say what is wrong with the declarations: patterns, defaults, examples.
        """
        found = tuple(_broken_patterns(template)) or tuple(self._contradictions(template))
        return tuple(
            PromptProblem(path=template.source, line=template.line_of(*place), message=message)
            for place, message in found
        )

    def _contradictions(self, template: PromptTemplate) -> Iterator[_Flaw]:
        for argument in template.arguments:
            for label, value in (("default", argument.default), ("example", argument.example)):
                if value is None:
                    continue
                result = self.validate(template, {argument.name: thaw(value)}).result
                place = ("arguments", argument.name, label)
                for error in result.errors:
                    if error.field == argument.name:
                        name = argument.name
                        yield place, f"the {label} of '{name}' is not allowed: {error.message}"
        for index, example in enumerate(template.examples):
            raw = {name: thaw(value) for name, value in example.arguments.items()}
            for error in self.validate(template, raw).result.errors:
                text = f"the example '{example.name}' is not allowed: {error.message}"
                yield ("examples", index, "arguments", error.field), text


def _too_many(limit: int) -> ArgumentOutcome:
    # By itself: whoever sends thousands of names need not have each of them looked up.
    mistake = _mistake("", f"More than {limit} arguments were given.", ErrorCode.TOO_LONG)
    return ArgumentOutcome(values={}, result=ValidationResult(errors=(mistake,)), given=frozenset())


def _values(
    template: PromptTemplate, model: BaseModel, given: Mapping[str, object]
) -> dict[str, Value]:
    return {
        argument.name: freeze(getattr(model, f"a{index}"))
        if argument.name in given
        else absent_value(argument)
        for index, argument in enumerate(template.arguments)
    }


def _unfit(
    given: Mapping[str, object], declared: Mapping[str, PromptArgument], limits: ArgumentLimits
) -> Iterator[ValidationError]:
    """
    Find what is not even looked at: texts that are no Unicode, too many bytes, too many levels.
    """
    total = 0
    for name, value in given.items():
        try:
            size = _size(value)
        except UnicodeEncodeError:
            code, text = ErrorCode.INVALID_TEXT, ""
        except RecursionError:
            code, text = ErrorCode.WRONG_TYPE, f"Argument '{name}' is nested too deeply."
        else:
            total += size
            if size <= limits.argument_bytes:
                continue
            code = ErrorCode.TOO_LONG
            text = f"Argument '{name}' is larger than {limits.argument_bytes} bytes; shorten it."
        if name in declared:  # what is not declared is reported as unknown, once
            yield _mistake(name, text or explain_mistake(declared[name], code), code)
    if total > limits.total_bytes:
        text = f"The arguments together are larger than {limits.total_bytes} bytes; shorten them."
        yield _mistake("", text, ErrorCode.TOO_LONG)


def _size(value: object) -> int:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return len(text.encode())


def _mistake(field: str, message: str, code: ErrorCode) -> ValidationError:
    return ValidationError(field=field, message=message, code=code)


_CODES: Mapping[str, ErrorCode] = {
    "missing": ErrorCode.MISSING,
    "invalid_text": ErrorCode.INVALID_TEXT,
    "literal_error": ErrorCode.INVALID_CHOICE,
    "string_too_long": ErrorCode.TOO_LONG,
    "too_long": ErrorCode.TOO_LONG,
    "string_too_short": ErrorCode.TOO_SHORT,
    "too_short": ErrorCode.TOO_SHORT,
    "string_pattern_mismatch": ErrorCode.PATTERN,
    "greater_than_equal": ErrorCode.OUT_OF_RANGE,
    "less_than_equal": ErrorCode.OUT_OF_RANGE,
}


def _translate(
    error: pydantic.ValidationError, declared: Mapping[str, PromptArgument]
) -> Iterator[ValidationError]:
    # One sentence per argument, however many items of a list are wrong in the same way.
    seen: set[tuple[str, ErrorCode]] = set()
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        name = str(item["loc"][0])
        code = _CODES.get(item["type"], ErrorCode.WRONG_TYPE)
        if (name, code) not in seen:
            seen.add((name, code))
            yield _mistake(name, explain_mistake(declared[name], code), code)


def _broken_patterns(template: PromptTemplate) -> Iterator[_Flaw]:
    for argument in template.arguments:
        if argument.pattern is None:
            continue
        try:
            pydantic.TypeAdapter(annotation_of(argument))
        except SchemaError as error:
            text = f"the pattern of '{argument.name}' is no regular expression of Rust's dialect"
            yield ("arguments", argument.name, "pattern"), f"{text}: {_reason(error)}"


def _reason(error: SchemaError) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else "it cannot be read"
