"""
What pydantic finds wrong in a body or a query, as our own mistakes. No value is ever quoted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult
from ctxfy.core.use_cases.validation_use_cases import shorten


MAX_REPORTED = 20
MAX_FIELD_LENGTH = 100

_CODES: Mapping[str, ErrorCode] = {
    "missing": ErrorCode.MISSING,
    "extra_forbidden": ErrorCode.UNKNOWN,
    "enum": ErrorCode.INVALID_CHOICE,
    "string_too_long": ErrorCode.TOO_LONG,
    "too_long": ErrorCode.TOO_LONG,
    "greater_than_equal": ErrorCode.OUT_OF_RANGE,
    "less_than_equal": ErrorCode.OUT_OF_RANGE,
}
_SENTENCES: Mapping[ErrorCode, str] = {
    ErrorCode.MISSING: "{field} is missing.",
    ErrorCode.UNKNOWN: "{field} is not known here.",
    ErrorCode.INVALID_CHOICE: "{field} must be {expected}.",
    ErrorCode.TOO_LONG: "{field} is longer than {max_length}.",
    ErrorCode.OUT_OF_RANGE: "{field} must be {bound}.",
    ErrorCode.WRONG_TYPE: "{field} is of the wrong type: {hint}.",
}


def request_error(error: RequestValidationError) -> InvalidRequestError:
    """
    Translate every mistake, up to a number nobody reads beyond.
    """
    return InvalidRequestError(
        ValidationResult(errors=tuple(map(_mistake, error.errors()[:MAX_REPORTED])))
    )


def refuse_repeated(names: Iterable[str]) -> None:
    """
    Refuse parameters of the query that come more than once.

    Raises:
        InvalidRequestError: Naming each of them.
    """
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        mistakes = tuple(
            ValidationError(
                field=shorten(name),
                message=f"'{shorten(name)}' comes more than once; send it once.",
                code=ErrorCode.WRONG_TYPE,
            )
            for name in repeated[:MAX_REPORTED]
        )
        raise InvalidRequestError(ValidationResult(errors=mistakes))


def _mistake(item: Mapping[str, Any]) -> ValidationError:
    code = _CODES.get(item["type"], ErrorCode.WRONG_TYPE)
    place: Sequence[object] = item["loc"]
    field = ".".join(str(part) for part in place[1:])[:MAX_FIELD_LENGTH]
    facts: Mapping[str, object] = item.get("ctx", {})
    message = _SENTENCES[code].format(
        field=f"'{field}'" if field else f"The {place[0]}",
        expected=facts.get("expected"),
        max_length=facts.get("max_length"),
        bound=f"at least {facts['ge']}" if "ge" in facts else f"at most {facts.get('le')}",
        hint=_HINTS.get(item["type"], "it does not fit"),
    )
    return ValidationError(field=field, message=message, code=code)


_HINTS: Mapping[str, str] = {
    "string_type": "write a text",
    "int_type": "write a whole number",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "list_type": "write a list",
    "dict_type": "write an object",
    "model_type": "write an object",
    "model_attributes_type": "write an object",
}
