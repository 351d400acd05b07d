"""
Prompts as values: the template a file becomes, a request for it, and what comes out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from ctxfy.core.models.auth_models import Scope


type Value = str | int | float | bool | tuple[Value, ...] | Mapping[str, Value] | None
"""
A validated argument. Sequences are tuples and mappings read-only, so that a template cannot
change what it was given.
"""


class Role(StrEnum):
    """
    Who speaks; MCP prompts know these two and no system role.
    """

    USER = "user"
    ASSISTANT = "assistant"


class ArgumentType(StrEnum):
    """
    How the text of an argument is read.
    """

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    ENUM = "enum"
    OBJECT = "object"
    LIST = "list"
    ANY = "any"  # whatever its JSON Schema says; only functions declare such arguments


class Privacy(StrEnum):
    """
    What an argument may hold; values are never stored or logged in any class.
    """

    NONE = "none"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 - the name of a class of data, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptArgument:
    """
    One declared argument.

    Attributes:
        type: How it is read; `LIST` has the type of its items in `items`.
        choices: The only texts allowed (for a list: the only items); empty if free.
        complete: What completion offers beside `choices`.
        min_length: Characters of a text, items of a list, or None.
        max_length: As `min_length`.
        pattern: A regular expression of Rust's dialect (linear time), searched, not anchored.
        example: A value for people to look at.
        schema: The JSON Schema of an argument of type `ANY`, or None.
    """

    name: str
    description: str = ""
    type: ArgumentType = ArgumentType.STRING
    items: ArgumentType | None = None
    required: bool = False
    default: Value = None
    choices: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    example: Value = None
    privacy: Privacy = Privacy.NONE
    schema: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextContent:
    """
    A piece of template text, not rendered yet.

    Attributes:
        text: MiniJinja source.
        line: The line of the file where the text begins, counted from 1.
    """

    text: str
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceContent:
    """
    A file of the prompt folder, read when the prompt was loaded. Either `text` or `blob` is set.

    Attributes:
        path: The file, relative to the prompt folder; empty if it is none of it.
        line: The line of the prompt file that names it.
    """

    uri: str
    mime_type: str
    text: str | None = None
    blob: bytes | None = None
    # Where it is from is no part of what it is.
    path: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContent:
    """
    An image of the prompt folder, read when the prompt was loaded.
    """

    mime_type: str
    data: bytes


type Content = TextContent | ResourceContent | ImageContent


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    One message: of a template (text is source) or of a rendering (text is final).
    """

    role: Role
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptExample:
    """
    Arguments that show a prompt at work, as the author typed them.
    """

    name: str
    arguments: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """
    What a rendering must look like; every attribute that is set must hold.
    """

    messages: int | None = None
    roles: tuple[Role, ...] = ()
    contains: tuple[str, ...] = ()
    not_contains: tuple[str, ...] = ()
    equals: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedError:
    """
    The mistake a test wants to see.
    """

    code: str
    argument: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptTest:
    """
    A test inside a prompt file: arguments, and what must come of them.
    """

    arguments: Mapping[str, Value]
    name: str = ""
    expect: Expectation | None = None
    error: ExpectedError | None = None
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """
    A file that a template includes, read when the prompt was loaded.
    """

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class PromptTemplate:
    """
    One version of one prompt, complete: nothing is read after this.

    A function of a Python module is described by one too, which then has no messages. Whoever
    prepares something of it may hold it weakly.

    Attributes:
        version: As written; compared by `version_key`.
        model: The language model it was written for, or None; becomes `llm_model` in logs.
        scope: The least scope that may list and execute it.
        count_by: Enum arguments whose values become labels of a business metric.
        max_output_bytes: Limit of all text of one rendering, UTF-8.
        source: The file, relative to the prompt folder, with forward slashes; of a function, the
            module and its name.
        digest: SHA-256, hex, over the file and everything it pulls in; of a function, over the
            files that it and its module are written in.
        is_function: Whether a function makes the messages.
        lines: Where in the file its keys stand, by their path: `("arguments", "code", "default")`.
    """

    name: str
    version: str
    title: str = ""
    description: str = ""
    changes: str = ""
    owner: str = ""
    model: str | None = None
    tags: tuple[str, ...] = ()
    scope: Scope = Scope.READ
    arguments: tuple[PromptArgument, ...] = ()
    examples: tuple[PromptExample, ...] = ()
    tests: tuple[PromptTest, ...] = ()
    count_by: tuple[str, ...] = ()
    max_output_bytes: int = 1_000_000
    messages: tuple[Message, ...] = ()
    partials: tuple[Partial, ...] = ()
    source: str = ""
    digest: str = ""
    is_function: bool = False
    lines: Mapping[tuple[str | int, ...], int] = field(
        default_factory=dict[tuple[str | int, ...], int], compare=False, repr=False
    )

    def line_of(self, *place: str | int) -> int | None:
        """
        Find the line of a key, or of the nearest thing around it that has one.
        """
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRequest:
    """
    A wish to have a prompt rendered, as it came over the wire.
    """

    name: str
    arguments: Mapping[str, object]
    version: str | None = None


_NOTHING: Mapping[str, Value] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """
    What came out, with its provenance.

    Attributes:
        template: What was rendered.
        model: The language model that it is for, or None.
        revision: The revision of the catalog it came from.
        description: What a function says of this answer; empty if the prompt's own holds.
        meta: What a function says besides.
    """

    template: PromptTemplate
    messages: tuple[Message, ...]
    model: str | None
    revision: str
    description: str = ""
    meta: Mapping[str, Value] = _NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptProblem:
    """
    One mistake in a prompt folder, for its author.

    Attributes:
        path: The file, relative to the prompt folder.
        line: Counted from 1, or None if the file as a whole is meant.
        message: What is wrong and how to mend it.
    """

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"
