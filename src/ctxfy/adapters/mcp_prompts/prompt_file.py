"""
One prompt file into one PromptTemplate, or into everything that is wrong with it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import cast

import pydantic

from ctxfy.adapters.mcp_prompts.prompt_schema import (
    NAME_PATTERN,
    ArgumentSpec,
    MessageSpec,
    PromptSpec,
    TestSpec,
    YamlPromptSpec,
)
from ctxfy.adapters.mcp_prompts.yaml_source import YamlError, YamlSource, read_yaml
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.catalog_models import is_version
from ctxfy.core.models.prompt_models import (
    ArgumentType,
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
    Role,
    TextContent,
    Value,
)
from ctxfy.core.use_cases.prompt_use_cases import Block, parse_marker_options, split_body
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
    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__(str(mistakes))
        self.mistakes = mistakes


class _Reader:
    def __init__(self, path: str, text: str, read: ReadAttachment) -> None:
        self._path = path
        self._read = read
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
        mistakes = [(self._source.line_of(place), text) for place, text in _inconsistencies(spec)]
        if mistakes:
            raise _SpecError(sorted(mistakes))
        return PromptTemplate(
            name=spec.name or self._default_name(),
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
            messages=tuple(self._messages(spec)),
            source=self._path,
        )

    def _spec(self) -> PromptSpec:
        if not isinstance(self._source.data, dict):
            raise PromptFileError(1, "the keys of the prompt (name, description, ...) are missing")
        try:
            return self._spec_type.model_validate(self._source.data)
        except pydantic.ValidationError as error:
            raise _SpecError(sorted(_explain(error, self._source, self._spec_type))) from error

    def _default_name(self) -> str:
        file_name = self._path.rpartition("/")[2]
        name = next(file_name.removesuffix(end) for end in SUFFIXES if file_name.endswith(end))
        if not re.fullmatch(NAME_PATTERN, name):
            raise PromptFileError(1, f"'{name}' cannot be a prompt's name; give one under 'name:'")
        return name

    def _messages(self, spec: PromptSpec) -> Iterator[Message]:
        found = (
            self._yaml_messages(spec.messages)
            if isinstance(spec, YamlPromptSpec)
            else self._body_messages()
        )
        empty = True
        for message in found:
            empty = False
            yield message
        if empty:
            raise PromptFileError(self._body_line, "the prompt has no text below its front matter")

    def _body_messages(self) -> Iterator[Message]:
        role = Role.USER
        for block in split_body(self._body, self._body_line):
            if block.marker is not None and block.marker.word in tuple(Role):
                role = Role(block.marker.word)
                if block.marker.rest:
                    raise PromptFileError(block.marker.line, f"@{role} takes nothing after it")
            elif block.marker is not None:
                yield Message(role=role, content=self._attached(block))
            if block.text:
                yield Message(role=role, content=TextContent(text=block.text, line=block.line))

    def _attached(self, block: Block) -> Content:
        marker = block.marker
        assert marker is not None  # noqa: S101 - the caller looked
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

    def _yaml_messages(self, items: Iterable[MessageSpec]) -> Iterator[Message]:
        for index, item in enumerate(items):
            line = self._source.line_of(("messages", index))
            given = [key for key in ("text", "resource", "image") if getattr(item, key) is not None]
            if len(given) != 1:
                raise PromptFileError(line, "a message has exactly one of text, resource and image")
            role = Role(item.role)
            if item.text is not None:
                # Below `text: |` the text itself begins one line further down.
                start = self._source.line_of(("messages", index, "text"))
                yield Message(
                    role=role, content=TextContent(text=item.text, line=start + 1)
                )
                continue
            wish = Attachment(
                kind=given[0],
                path=item.resource or item.image or "",
                uri=item.uri,
                media_type=item.type,
            )
            yield Message(role=role, content=self._attachment(wish, line))

    def _attachment(self, wish: Attachment, line: int) -> Content:
        if not wish.path:
            raise PromptFileError(
                line, f"@{wish.kind} needs the path of a file below the prompt folder"
            )
        try:
            return self._read(wish)
        except PromptFileError as problem:
            raise PromptFileError(line, problem.message) from problem


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
    kind, items = _types(spec)
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


def _types(spec: ArgumentSpec) -> tuple[ArgumentType, ArgumentType | None]:
    written = spec.type or ("enum" if spec.enum else "string")
    if not written.startswith("list"):
        kind = ArgumentType(written)
        return (
            (ArgumentType.ENUM, None) if spec.enum and kind is ArgumentType.STRING else (kind, None)
        )
    inner = written.removeprefix("list").strip("[]") or "string"
    return ArgumentType.LIST, ArgumentType(inner)


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


def _inconsistencies(spec: PromptSpec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if not is_version(spec.version):
        yield ("version",), f"'{spec.version}' is not a version; write for example 2.1.0"
    for name, argument in spec.arguments.items():
        for text in _argument_mistakes(argument):
            yield ("arguments", name), f"argument '{name}': {text}"
    for index, test in enumerate(spec.tests):
        if (test.expect is None) == (test.error is None):
            yield ("tests", index), "a test has either 'expect:' or 'error:'"
    for name in spec.metrics.count_by:
        counted = spec.arguments.get(name)
        if counted is None or not counted.enum:
            yield (
                ("metrics", "count_by"),
                f"count_by takes arguments with an enum; '{name}' has none",
            )


def _argument_mistakes(spec: ArgumentSpec) -> Iterator[str]:
    kind, items = _types(spec)
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


def _explain(
    error: pydantic.ValidationError, source: YamlSource, spec_type: type[PromptSpec]
) -> Iterator[tuple[int, str]]:
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
            f"'{key}' cannot be an argument's name; use small letters, digits and _, "
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
    nested: Mapping[str, type[pydantic.BaseModel]] = {
        "arguments": ArgumentSpec,
        "tests": TestSpec,
        "messages": MessageSpec,
    }
    model = nested.get(str(place[0]), spec_type) if len(place) > 1 else spec_type
    return list(model.model_fields)
