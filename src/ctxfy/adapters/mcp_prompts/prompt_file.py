"""
One prompt file into one PromptTemplate, or into everything that is wrong with it.
"""

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

import pydantic

from ctxfy.adapters.mcp_prompts.prompt_mistakes import explain, inconsistencies, types_of
from ctxfy.adapters.mcp_prompts.prompt_schema import (
    NAME_PATTERN,
    ArgumentSpec,
    MessageSpec,
    PromptSpec,
    TestSpec,
    YamlPromptSpec,
)
from ctxfy.adapters.mcp_prompts.yaml_source import YamlError, read_yaml
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.prompt_models import (
    Content,
    Expectation,
    ExpectedError,
    Message,
    Privacy,
    PromptArgument,
    PromptExample,
    PromptProblem,
    PromptTemplate,
    PromptTest,
    ResourceContent,
    Role,
    TextContent,
    Value,
)
from ctxfy.core.use_cases.prompt_use_cases import (
    Marker,
    near_markers,
    parse_marker_options,
    split_body,
)
from ctxfy.core.use_cases.validation_use_cases import freeze


SUFFIXES = (".prompt.md", ".prompt.yaml", ".prompt.yml")


class PromptFileError(Exception):
    """
    A mistake at a line of a file; None means the file as a whole.
    """

    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """
    A wish of a prompt file for another file: its path, and how it is to be shown.
    """

    kind: str
    path: str
    uri: str | None
    media_type: str | None


type ReadAttachment = Callable[[Attachment], Content]
"""
Reads an attachment, or raises PromptFileError with a sentence (the line is filled in here).
"""


def is_prompt_file(name: str) -> bool:
    """
    Whether a file of that name holds a prompt.
    """
    return name.endswith(SUFFIXES)


def read_prompt(path: str, text: str, read: ReadAttachment) -> PromptTemplate | list[PromptProblem]:
    """
    Turn the text of a prompt file into a template, or into all its problems.

    Args:
        path: The file, relative to the prompt folder, with forward slashes.
        text: Its content, each line break one line feed.
        read: Reads the resources and images it names.
    """
    try:
        return _Reader(path, text, read).template()
    except PromptFileError as problem:
        return [PromptProblem(path=path, line=problem.line, message=problem.message)]
    except YamlError as error:
        return [PromptProblem(path=path, line=error.line, message=error.message)]
    except _SpecError as error:
        return [PromptProblem(path=path, line=line, message=text) for line, text in error.mistakes]


class _SpecError(Exception):
    def __init__(self, mistakes: Iterable[tuple[int, str]]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__(str(self.mistakes))


class _Reader:
    def __init__(self, path: str, text: str, read: ReadAttachment) -> None:
        self._path = path
        self._read = read
        self._mistakes: list[tuple[int, str]] = []
        if path.endswith(".prompt.md"):
            front, self._body, self._body_line = split_front_matter(text)
            self._source = read_yaml(front, first_line=2)
            self._spec_type: type[PromptSpec] = PromptSpec
        else:
            self._body, self._body_line = "", 1
            self._source = read_yaml(text)
            self._spec_type = YamlPromptSpec

    def template(self) -> PromptTemplate:
        spec = self._spec()
        # Whatever is wrong above, what is wrong below is told at the same time.
        messages = self._messages(spec)
        if spec is None:
            raise _SpecError(self._mistakes)
        name = spec.name or self._default_name()
        self._mistakes += (
            (self._source.line_of(place), text) for place, text in inconsistencies(spec)
        )
        if self._mistakes:
            raise _SpecError(self._mistakes)
        return PromptTemplate(
            name=name,
            version=spec.version,
            title=spec.title,
            description=spec.description.strip(),
            changes=spec.changes.strip(),
            owner=spec.owner,
            model=spec.model,
            tags=tuple(spec.tags),
            scope=Scope(spec.scope),
            arguments=tuple(_argument(name, item) for name, item in spec.arguments.items()),
            examples=tuple(
                PromptExample(name=item.name, arguments=_frozen(item.arguments))
                for item in spec.examples
            ),
            tests=tuple(
                _test(item, self._source.line_of(("tests", index)))
                for index, item in enumerate(spec.tests)
            ),
            count_by=tuple(spec.metrics.count_by),
            max_output_bytes=spec.limits.max_output_bytes,
            messages=messages,
            source=self._path,
            lines=self._source.lines,
        )

    def _spec(self) -> PromptSpec | None:
        if not isinstance(self._source.data, dict):
            raise PromptFileError(1, "the keys of the prompt (name, description, ...) are missing")
        try:
            return self._spec_type.model_validate(self._source.data)
        except pydantic.ValidationError as error:
            self._mistakes += explain(error, self._source, self._spec_type)
            return None

    def _default_name(self) -> str:
        file_name = self._path.rpartition("/")[2]
        name = next(file_name.removesuffix(end) for end in SUFFIXES if file_name.endswith(end))
        if not re.fullmatch(NAME_PATTERN, name):
            raise PromptFileError(1, f"'{name}' cannot be a prompt's name; give one under 'name:'")
        return name

    def _messages(self, spec: PromptSpec | None) -> tuple[Message, ...]:
        found: list[Message] = []
        before = len(self._mistakes)
        if self._spec_type is PromptSpec:
            self._body_messages(found)
        elif isinstance(spec, YamlPromptSpec):
            for index, item in enumerate(spec.messages):
                with self._noted():
                    found.append(self._yaml_message(item, index))
        if not found and spec is not None and len(self._mistakes) == before:
            text = "the prompt has no text below its front matter"
            self._mistakes.append((self._body_line, text))
        return tuple(found)

    @contextmanager
    def _noted(self) -> Generator[None]:
        """
        Note a mistake in a message, and go on with the next.
        """
        try:
            yield
        except PromptFileError as problem:
            self._mistakes.append((problem.line or 1, problem.message))

    def _body_messages(self, found: list[Message]) -> None:
        role = Role.USER
        for block in split_body(self._body, self._body_line):
            marker = block.marker
            with self._noted():
                if marker is not None and marker.word in tuple(Role):
                    role = Role(marker.word)
                    if marker.rest:
                        raise PromptFileError(marker.line, f"@{role} takes nothing after it")
                elif marker is not None:
                    found.append(Message(role=role, content=self._attached(marker)))
            self._mistakes += (
                (line, f"this would be text and no marker; write <!-- @{word} --> on its own line")
                for line, word in near_markers(block.text, block.line)
            )
            if block.text:
                text = TextContent(text=block.text, line=block.line)
                found.append(Message(role=role, content=text))

    def _attached(self, marker: Marker) -> Content:
        allowed = {"resource": ("uri", "type"), "image": ()}
        if marker.word not in allowed:
            raise PromptFileError(
                marker.line,
                f"there is no marker @{marker.word}; use @user, @assistant, @resource or @image"
                + (" (MCP prompts have no system role)" if marker.word == "system" else ""),
            )
        try:
            path, options = parse_marker_options(marker.rest)
        except ValueError as error:
            raise PromptFileError(marker.line, f"@{marker.word}: {error}") from error
        for key in options:
            if key not in allowed[marker.word]:
                raise PromptFileError(marker.line, f"@{marker.word} does not know '{key}='")
        return self._attachment(
            Attachment(
                kind=marker.word,
                path=path,
                uri=options.get("uri"),
                media_type=options.get("type"),
            ),
            marker.line,
        )

    def _yaml_message(self, item: MessageSpec, index: int) -> Message:
        line = self._source.line_of(("messages", index))
        given = [key for key in ("text", "resource", "image") if getattr(item, key) is not None]
        if len(given) != 1:
            raise PromptFileError(line, "a message has exactly one of text, resource and image")
        role = Role(item.role)
        if item.resource is None and (item.uri or item.type):
            raise PromptFileError(line, "'uri:' and 'type:' are for resources")
        if item.text is not None:
            return Message(role=role, content=self._yaml_text(item.text, index))
        wish = Attachment(
            kind=given[0],
            path=item.resource or item.image or "",
            uri=item.uri,
            media_type=item.type,
        )
        return Message(role=role, content=self._attachment(wish, line))

    def _yaml_text(self, text: str, index: int) -> TextContent:
        place = ("messages", index, "text")
        if not text.strip():
            raise PromptFileError(self._source.line_of(place), "the message has no text")
        # To the letter, the last line break too: YAML has its own ways to leave that out.
        return TextContent(text=text, line=self._source.text_line_of(place))

    def _attachment(self, wish: Attachment, line: int) -> Content:
        if not wish.path:
            raise PromptFileError(
                line, f"@{wish.kind} needs the path of a file below the prompt folder"
            )
        try:
            content = self._read(wish)
        except PromptFileError as problem:
            raise PromptFileError(line, problem.message) from problem
        return replace(content, line=line) if isinstance(content, ResourceContent) else content


def split_front_matter(text: str) -> tuple[str, str, int]:
    """
    Cut a Markdown file into front matter, body, and the line where the body begins.

    Raises:
        PromptFileError: If the front matter is missing or has no end.
    """
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        raise PromptFileError(
            1, "the file must begin with '---' and its front matter (name, description, ...)"
        )
    end = next((index for index, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise PromptFileError(1, "the front matter has no end: a line '---' is missing after it")
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :]), end + 2


def _argument(name: str, spec: ArgumentSpec) -> PromptArgument:
    kind, items = types_of(spec)
    return PromptArgument(
        name=name,
        description=spec.description.strip(),
        type=kind,
        items=items,
        required=spec.required,
        default=freeze(spec.default),
        choices=tuple(spec.enum),
        complete=tuple(spec.complete),
        min_length=spec.min_length,
        max_length=spec.max_length,
        minimum=spec.minimum,
        maximum=spec.maximum,
        pattern=spec.pattern,
        example=freeze(spec.example),
        privacy=Privacy(spec.privacy),
    )


def _test(spec: TestSpec, line: int) -> PromptTest:
    expect = (
        None
        if spec.expect is None
        else Expectation(
            messages=spec.expect.messages,
            roles=tuple(Role(role) for role in spec.expect.roles),
            contains=tuple(spec.expect.contains),
            not_contains=tuple(spec.expect.not_contains),
            equals=spec.expect.equals,
        )
    )
    error = (
        None
        if spec.error is None
        else ExpectedError(code=spec.error.code, argument=spec.error.argument)
    )
    return PromptTest(
        name=spec.name, arguments=_frozen(spec.arguments), expect=expect, error=error, line=line
    )


def _frozen(arguments: Mapping[str, object]) -> Mapping[str, Value]:
    return cast("Mapping[str, Value]", freeze(arguments))
