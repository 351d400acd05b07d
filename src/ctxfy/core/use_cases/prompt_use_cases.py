"""
The judgement about prompts: which messages a text holds, which version is served, who sees what.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.catalog_models import Catalog
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Content,
    Expectation,
    ExpectedError,
    Message,
    PromptArgument,
    PromptTemplate,
    ResourceContent,
    TextContent,
    Value,
)
from ctxfy.core.models.resource_models import Resource
from ctxfy.core.models.validation_models import ValidationResult
from ctxfy.core.use_cases.auth_use_cases import may_use_prompt
from ctxfy.core.use_cases.validation_use_cases import show_value


# A marker stands alone on its line; what stands inside a line is text. Nothing in here gives back
# what it took, so that a long line costs no more than its length.
_MARKER = re.compile(r"<!--[ \t]*+@([A-Za-z_]++)(.*)-->")


_NEAR_MARKER = re.compile(
    r"(?:<!-{1,3}[ \t]*+@?[ \t]*+|@)(user|assistant|system|resource|image)\b.*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """
    A line `<!-- @word rest -->` of a prompt's body.
    """

    word: str
    rest: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    A stretch of a body between markers: its text less the outer blank lines.

    Attributes:
        marker: What opened it, or None for the beginning.
        line: The line where the text begins.
    """

    marker: Marker | None
    text: str
    line: int


def split_body(body: str, first_line: int = 1) -> tuple[Block, ...]:
    """
    Cut a body at its markers, before any value goes in.

    That is what makes roles safe: a marker that arrives inside an argument meets no parser any
    more. One line break on each side of a marker belongs to the marker; blank lines at the ends
    of a block are dropped; everything else stays as written.
    """
    blocks: list[Block] = []
    marker: Marker | None = None
    lines: list[str] = []
    start = first_line
    for number, line in enumerate(body.split("\n"), start=first_line):
        match = _MARKER.fullmatch(line.strip(" \t"))
        if match is None:
            lines.append(line)
            continue
        blocks.append(_block(marker, lines, start))
        marker = Marker(word=match[1].lower(), rest=match[2].strip(" \t"), line=number)
        lines, start = [], number + 1
    blocks.append(_block(marker, lines, start))
    return tuple(blocks)


def near_markers(text: str, first_line: int = 1) -> tuple[tuple[int, str], ...]:
    """
    Find lines that were probably meant as markers and are text: each with its line and its word.
    """
    return tuple(
        (number, match[1])
        for number, line in enumerate(text.split("\n"), start=first_line)
        if (match := _NEAR_MARKER.fullmatch(line.strip(" \t")))
        and (line.lstrip().startswith("<!") or len(line.split()) == 1)
    )


def _block(marker: Marker | None, lines: Sequence[str], start: int) -> Block:
    first = next((index for index, line in enumerate(lines) if line.strip()), len(lines))
    last = next(
        (index for index in range(len(lines), first, -1) if lines[index - 1].strip()), first
    )
    return Block(marker=marker, text="\n".join(lines[first:last]), line=start + first)


def parse_marker_options(rest: str) -> tuple[str, dict[str, str]]:
    """
    Read `PATH key=value key=value` of a marker.

    Raises:
        ValueError: If a word after the path is no `key=value`.
    """
    path, *words = rest.split() or [""]
    options: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            message = f"'{word}' is not of the form key=value"
            raise ValueError(message)
        options[key] = value
    return path, options


def find_visible(
    catalog: Catalog, principal: Principal, name: str, version: str | None = None
) -> PromptTemplate | None:
    """
    Look up what this caller may use; what it may not use does not exist for it.
    """
    template = catalog.find(name, version)
    if template is None or not may_use_prompt(principal, template.name, template.scope):
        return None
    return template


def list_visible(catalog: Catalog, principal: Principal) -> tuple[PromptTemplate, ...]:
    """
    List the served version of every prompt this caller may use, by name.
    """
    return tuple(item for item in catalog if may_use_prompt(principal, item.name, item.scope))


def list_visible_resources(catalog: Catalog, principal: Principal) -> tuple[ResourceContent, ...]:
    """
    List the resources of which some prompt, in some version, is this caller's to use.
    """
    return tuple(
        resource.content
        for resource in catalog.resources.values()
        if _may_read(resource, principal)
    )


def find_visible_resource(
    catalog: Catalog, principal: Principal, uri: str
) -> ResourceContent | None:
    """
    Look a resource up; one that only hidden prompts embed does not exist for this caller.
    """
    resource = catalog.resources.get(uri)
    if resource is None or not _may_read(resource, principal):
        return None
    return resource.content


def _may_read(resource: Resource, principal: Principal) -> bool:
    return any(may_use_prompt(principal, item.name, item.scope) for item in resource.holders)


def filter_prompts(
    templates: Iterable[PromptTemplate],
    *,
    tag: str | None = None,
    text: str | None = None,
    owner: str | None = None,
) -> tuple[PromptTemplate, ...]:
    """
    Keep the prompts of a tag and of an owner that hold each word of a text somewhere (any case).

    It may be in the name, the title, the description, the version, a tag or the owner.
    """
    words = (text or "").casefold().split()
    return tuple(
        item
        for item in templates
        if (tag is None or tag in item.tags)
        and (owner is None or owner == item.owner)
        and (not words or _holds(item, words))
    )


def _holds(template: PromptTemplate, words: Sequence[str]) -> bool:
    parts = (template.name, template.title, template.description, template.version, template.owner)
    text = "\n".join((*parts, *template.tags)).casefold()
    return all(word in text for word in words)


def complete_argument(template: PromptTemplate, argument: str, typed: str) -> tuple[str, ...]:
    """
    Offer values for an argument: those that begin with what was typed, then those that hold it.

    Case is ignored. For a list, only the item after the last comma is completed.
    """
    declared = next((item for item in template.arguments if item.name == argument), None)
    if declared is None:
        return ()
    head, comma, tail = typed.rpartition(",") if declared.items is not None else ("", "", typed)
    wanted = tail.strip().casefold()
    offers = tuple(dict.fromkeys((*declared.choices, *declared.complete, *_booleans(declared))))
    first = [offer for offer in offers if offer.casefold().startswith(wanted)]
    rest = [offer for offer in offers if wanted in offer.casefold() and offer not in first]
    lead = f"{head}{comma} " if comma else ""
    return tuple(lead + offer for offer in (*first, *rest))


def _booleans(argument: PromptArgument) -> tuple[str, ...]:
    return ("true", "false") if argument.type is ArgumentType.BOOLEAN else ()


def joined_text(messages: Iterable[Message]) -> str:
    """
    Join the text parts of a rendering, blank lines between; resources count with their text.
    """
    texts = (_text_of(message.content) for message in messages)
    return "\n\n".join(text for text in texts if text)


def _text_of(content: Content) -> str:
    match content:
        case TextContent(text=text):
            return text
        case ResourceContent(text=str() as text):
            return text
        case _:
            return ""


def assess_rendering(expect: Expectation, messages: Sequence[Message]) -> tuple[str, ...]:
    """
    Say what a test of a prompt file wanted and did not get; nothing if it passes.
    """
    text = joined_text(messages)
    complaints: list[str] = []
    if expect.messages is not None and len(messages) != expect.messages:
        complaints.append(f"expected {expect.messages} messages, got {len(messages)}")
    roles = tuple(message.role for message in messages)
    if expect.roles and roles != expect.roles:
        complaints.append(f"expected roles {', '.join(expect.roles)}, got {', '.join(roles)}")
    complaints += [f"expected the text {part!r}" for part in expect.contains if part not in text]
    complaints += [
        f"the text {part!r} must not appear" for part in expect.not_contains if part in text
    ]
    if expect.equals is not None and text.strip() != expect.equals.strip():
        complaints.append("the text differs from `equals`")
    return tuple(complaints)


def assess_refusal(wanted: ExpectedError, result: ValidationResult) -> tuple[str, ...]:
    """
    Say whether the mistake that a test wants was found among those there are.
    """
    for error in result.errors:
        if error.code == wanted.code and wanted.argument in (None, error.field):
            return ()
    found = ", ".join(f"{error.code} at {error.field}" for error in result.errors) or "none"
    place = f" at {wanted.argument}" if wanted.argument else ""
    return (f"expected the error {wanted.code}{place}, got {found}",)


def count_labels(template: PromptTemplate, values: Mapping[str, Value]) -> dict[str, str]:
    """
    Pick the values that an author asked to have counted; they come from closed lists only.
    """
    return {name: show_value(values.get(name, "")) for name in template.count_by}
