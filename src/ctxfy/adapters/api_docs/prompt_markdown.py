"""
One prompt as a page of Markdown, for people who read text and for programs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ctxfy.adapters.api_docs.markdown_text import block, code, paragraphs, plain, table
from ctxfy.adapters.api_docs.prompt_operations import RenderExample, typed_examples
from ctxfy.core.models.prompt_models import ArgumentType, Privacy, PromptArgument, PromptTemplate
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort
from ctxfy.core.use_cases.validation_use_cases import limits_of, show_value, thaw, type_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownExample:
    """
    An example, and what comes of it.

    Attributes:
        arguments: As JSON data.
        rendering: The answer of an execution, or None if it cannot be shown.
    """

    name: str
    arguments: Mapping[str, object]
    rendering: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFacts:
    """
    All that a page tells.

    Attributes:
        versions: All that the reader may use, highest first.
        address: Where the server is, without a slash at the end.
    """

    template: PromptTemplate
    versions: Sequence[PromptTemplate]
    examples: Sequence[ShownExample]
    address: str


class PromptPages:
    """
    Writes the pages of prompts.

    Args:
        render: Makes the answers of examples.
    """

    def __init__(self, validator: ArgumentValidatorPort, render: RenderExample) -> None:
        self._validator = validator
        self._render = render

    def write(
        self, template: PromptTemplate, versions: Sequence[PromptTemplate], address: str
    ) -> str:
        """
        Write the page of one; takes milliseconds, since its examples are rendered.

        Args:
            template: The version that is meant.
            versions: All that the reader may use, highest first.
            address: Where the server is, without a slash at the end.
        """
        examples = [
            ShownExample(name=name, arguments=given, rendering=self._render(template, given))
            for name, given in typed_examples(template, self._validator).items()
        ]
        return prompt_page(
            PromptFacts(template=template, versions=versions, examples=examples, address=address)
        )


def prompt_page(facts: PromptFacts) -> str:
    """
    Write the page: what the prompt is for, its arguments, examples, calls and versions.
    """
    template = facts.template
    parts = [
        f"# {plain(template.title or template.name)}",
        paragraphs(template.description),
        "\n".join(f"- {fact}" for fact in _facts(template)),
        "## Arguments",
        _arguments(template.arguments),
        *_examples(facts.examples),
        "## Call it",
        *_calls(facts),
        "## Versions",
        _versions(facts),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(template: PromptTemplate) -> Iterator[str]:
    yield f"Name: {code(template.name)}"
    yield f"Version: {plain(template.version)}"
    if template.owner:
        yield f"Owner: {plain(template.owner)}"
    if template.tags:
        yield f"Tags: {', '.join(map(plain, template.tags))}"
    if template.model:
        yield f"Written for: {plain(template.model)}"
    yield f"Key: scope {code(template.scope)}"


def _arguments(arguments: Sequence[PromptArgument]) -> str:
    if not arguments:
        return "It takes none."
    rows = [
        (
            code(argument.name),
            plain(type_name(argument)),
            "yes" if argument.required else "no",
            _default(argument),
            _meaning(argument),
        )
        for argument in arguments
    ]
    return table(("argument", "type", "required", "default", "meaning"), rows)


def _default(argument: PromptArgument) -> str:
    return "" if argument.default in (None, "", ()) else code(show_value(argument.default))


def _meaning(argument: PromptArgument) -> str:
    rules = list(_rules(argument))
    told = plain(argument.description)
    if not rules:
        return told
    return f"{told} ({'; '.join(rules)})" if told else "; ".join(rules)


def _rules(argument: PromptArgument) -> Iterator[str]:
    if argument.choices:
        kind = "any of" if argument.type is ArgumentType.LIST else "one of"
        yield f"{kind} {', '.join(map(code, argument.choices))}"
    for limit in limits_of(argument):
        yield plain(limit)
    if argument.pattern:
        yield f"matches {code(argument.pattern)}"
    if argument.schema:
        yield f"as this JSON Schema says: {code(_json(thaw(argument.schema)))}"
    if argument.example is not None:
        yield f"for example {code(show_value(argument.example))}"
    if argument.privacy is not Privacy.NONE:
        yield f"may hold {argument.privacy} data, which is never stored"


def _examples(examples: Sequence[ShownExample]) -> Iterator[str]:
    if examples:
        yield "## Examples"
    for example in examples:
        yield f"### {plain(example.name)}"
        yield block(_json(example.arguments, indent=2), "json")
        if example.rendering is None:
            continue
        messages = cast("Sequence[Mapping[str, object]]", example.rendering["messages"])
        for number, message in enumerate(messages, start=1):
            yield from _message(number, message)


def _message(number: int, message: Mapping[str, object]) -> Iterator[str]:
    content = cast("Mapping[str, object]", message["content"])
    head = f"Message {number}, {message['role']}"
    match content["type"]:
        case "text":
            yield f"{head}:"
            yield block(str(content["text"]), "text")
        case "resource":
            file = cast("Mapping[str, object]", content["resource"])
            yield f"{head}: the file {code(str(file['uri']))}, {plain(str(file['mimeType']))}."
        case kind:
            yield f"{head}: {plain(str(kind))}, {plain(str(content['mimeType']))}."


def _calls(facts: PromptFacts) -> Iterator[str]:
    template = facts.template
    given = facts.examples[0].arguments if facts.examples else _stand_ins(template)
    texts = {
        name: value if isinstance(value, str) else _json(value) for name, value in given.items()
    }
    yield "From a program, with the key in `CTXFY_API_KEY`:"
    body = _json({"arguments": given}).replace("'", "'\\''")
    yield block(
        f"curl -s '{facts.address}/prompts/{template.name}/execute' \\\n"
        '  -H "Authorization: Bearer $CTXFY_API_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'",
        "sh",
    )
    yield f"From a client of MCP at {code(facts.address + '/mcp')}, where all arguments are texts:"
    call = {"method": "prompts/get", "params": {"name": template.name, "arguments": texts}}
    yield block(_json(call, indent=2), "json")


def _stand_ins(template: PromptTemplate) -> Mapping[str, object]:
    return {item.name: f"<{item.name}>" for item in template.arguments if item.required}


def _versions(facts: PromptFacts) -> str:
    rows = [(plain(item.version), plain(item.changes)) for item in facts.versions]
    return table(("version", "what changed"), rows)


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
