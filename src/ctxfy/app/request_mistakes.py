"""
What pydantic finds wrong in a body or a query, as our own mistakes. No value is ever quoted.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


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
