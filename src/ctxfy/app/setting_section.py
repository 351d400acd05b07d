"""
What every section of the settings is.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


type Words = tuple[str, ...]
"""
A list of texts; written as words with commas between where only text can be.
"""


class Section(BaseModel):
    """
    A section: known names alone, and no change after it was read.

    It is also validated by itself, for one source: its validators must not need other settings.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _split_words(cls, value: object, info: Any) -> object:  # noqa: ANN401 - pydantic's ValidationInfo
        if str(cls.model_fields[info.field_name].annotation) != "Words":
            return value
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return tuple(value) if isinstance(value, list) else value
