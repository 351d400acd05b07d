"""
What is wrong with a set of arguments, as values (specification 2.2.5).

`ValidationError` is a value and is never raised; import the module, not the name, where
pydantic's exception of the same name is about.
"""

from dataclasses import dataclass
from enum import StrEnum


class ErrorCode(StrEnum):
    """
    The closed list of mistakes an argument can have.
    """

    MISSING = "missing"
    UNKNOWN = "unknown"
    WRONG_TYPE = "wrong_type"
    INVALID_CHOICE = "invalid_choice"
    TOO_LONG = "too_long"
    TOO_SHORT = "too_short"
    PATTERN = "pattern"
    OUT_OF_RANGE = "out_of_range"
    INVALID_TEXT = "invalid_text"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationError:
    """
    One mistake in one argument.

    Attributes:
        field: The argument's name as its author wrote it.
        message: One sentence with place and remedy; never the value itself.
        code: One of `ErrorCode`.
    """

    field: str
    message: str
    code: ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationResult:
    """
    Every mistake found, in the order of the declared arguments, unknown ones last.
    """

    errors: tuple[ValidationError, ...] = ()

    @property
    def is_valid(self) -> bool:
        """
        Whether nothing is wrong.
        """
        return not self.errors
