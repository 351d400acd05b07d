"""
The format of a prompt file: the keys of its front matter, as pydantic models.

Their JSON Schema is published as `prompt.schema.json` beside this module, for editors. Models are
flat and without unions, so that the place of a mistake is the place in the file.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
ARGUMENT_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
MAX_OUTPUT_BYTES = 4_000_000

type ArgumentName = Annotated[str, Field(pattern=ARGUMENT_PATTERN)]
type Word = Annotated[str, Field(min_length=1, max_length=200)]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ArgumentSpec(_Spec):
    """
    One argument.
    """

    description: str = Field(default="", max_length=2000, description="Help for the person.")
    type: (
        Literal[
            "string",
            "integer",
            "number",
            "boolean",
            "enum",
            "object",
            "list",
            "list[string]",
            "list[integer]",
            "list[number]",
            "list[boolean]",
        ]
        | None
    ) = Field(default=None, description="How its text is read; string, or enum with `enum`.")
    required: bool = Field(default=False, description="Whether it must be given.")
    default: JsonValue = Field(default=None, description="Used when it is not given.")
    enum: list[Word] = Field(default=[], max_length=200, description="The only values allowed.")
    complete: list[Word] = Field(default=[], max_length=1000, description="Offered, not enforced.")
    min_length: int | None = Field(
        default=None, ge=0, description="Characters, or items of a list."
    )
    max_length: int | None = Field(
        default=None, ge=0, description="Characters, or items of a list."
    )
    minimum: float | None = Field(
        default=None, strict=False, allow_inf_nan=False, description="Least number allowed."
    )
    maximum: float | None = Field(
        default=None, strict=False, allow_inf_nan=False, description="Largest number allowed."
    )
    pattern: str | None = Field(
        default=None, max_length=500, description="Regular expression (Rust's dialect), searched."
    )
    example: JsonValue = Field(default=None, description="A value to show to people.")
    privacy: Literal["none", "personal", "secret"] = Field(
        default="none", description="What it may hold; values are never stored or logged."
    )


class ExampleSpec(_Spec):
    """
    Arguments that show the prompt at work.
    """

    name: Word
    arguments: dict[str, JsonValue] = {}


class ExpectSpec(_Spec):
    """
    What a rendering must look like; all that is given must hold.
    """

    messages: int | None = Field(default=None, ge=0, description="How many messages.")
    roles: list[Literal["user", "assistant"]] = Field(
        default=[], description="Their roles, in order."
    )
    contains: list[str] = Field(default=[], description="Texts that must appear.")
    not_contains: list[str] = Field(default=[], description="Texts that must not appear.")
    equals: str | None = Field(default=None, description="The whole text, outer blanks apart.")


class ExpectedErrorSpec(_Spec):
    """
    The mistake that the arguments must be refused for.
    """

    code: Literal[
        "missing",
        "unknown",
        "wrong_type",
        "invalid_choice",
        "too_long",
        "too_short",
        "pattern",
        "out_of_range",
        "invalid_text",
    ]
    argument: str | None = None


class TestSpec(_Spec):
    """
    A test: arguments, and either what comes out or what they are refused for.
    """

    name: str = ""
    arguments: dict[str, JsonValue] = {}
    expect: ExpectSpec | None = None
    error: ExpectedErrorSpec | None = None


class LimitsSpec(_Spec):
    """
    Limits of one rendering.
    """

    max_output_bytes: int = Field(default=1_000_000, ge=1, le=MAX_OUTPUT_BYTES)


class MetricsSpec(_Spec):
    """
    What is counted beside executions.
    """

    count_by: list[str] = Field(default=[], max_length=3, description="Names of enum arguments.")


class MessageSpec(_Spec):
    """
    One message of the YAML form: exactly one of `text`, `resource` and `image`.
    """

    role: Literal["user", "assistant"] = "user"
    text: str | None = Field(default=None, description="MiniJinja template.")
    resource: str | None = Field(default=None, description="A file below the prompt folder.")
    image: str | None = Field(default=None, description="An image below the prompt folder.")
    uri: str | None = Field(default=None, max_length=500, description="Address of the resource.")
    type: str | None = Field(default=None, max_length=100, description="Media type.")


class PromptSpec(_Spec):
    """
    The front matter of NAME.prompt.md, or the whole of NAME.prompt.yaml.
    """

    name: str | None = Field(
        default=None, pattern=NAME_PATTERN, description="Defaults to the file's name."
    )
    title: str = Field(default="", max_length=200, description="For people.")
    description: str = Field(default="", max_length=2000, description="What it is for.")
    version: str = Field(
        default="1", max_length=64, description="Such as 2.1.0; the highest is served."
    )
    changes: str = Field(default="", max_length=2000, description="What changed in this version.")
    owner: str = Field(default="", max_length=200, description="Who to ask.")
    model: str | None = Field(
        default=None, max_length=200, description="The model it is written for."
    )
    tags: list[Word] = Field(default=[], max_length=50, description="For finding it.")
    scope: Literal["read", "write", "admin"] = Field(
        default="read", description="Least scope of a key that may use it."
    )
    arguments: dict[ArgumentName, ArgumentSpec] = Field(default={}, max_length=100)
    examples: list[ExampleSpec] = Field(default=[], max_length=50)
    tests: list[TestSpec] = Field(default=[], max_length=200)
    limits: LimitsSpec = LimitsSpec()
    metrics: MetricsSpec = MetricsSpec()


class YamlPromptSpec(PromptSpec):
    """
    A prompt written as one YAML file.
    """

    messages: list[MessageSpec] = Field(min_length=1, max_length=100)
