"""
Rendering without a server, for the author's terminal.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from ctxfy.adapters.mcp_prompts.prompt_service import check_arguments, given_values
from ctxfy.app.config import Settings
from ctxfy.app.loading import load_functions, make_loader, make_validator
from ctxfy.core.exceptions import (
    ConfigurationError,
    InvalidArgumentsError,
    PromptNotFoundError,
    RenderError,
)
from ctxfy.core.models.catalog_models import Catalog
from ctxfy.core.models.prompt_models import (
    Content,
    ImageContent,
    Message,
    RenderedPrompt,
    ResourceContent,
    TextContent,
)
from ctxfy.core.ports.prompt_ports import ArgumentOutcome, PromptFunctionPort
from ctxfy.core.use_cases.validation_use_cases import did_you_mean


def parse_values(words: Iterable[str]) -> dict[str, str]:
    """
    Read `key=value` words; `key=@FILE` takes the value from a file, `key=@-` from standard input.

    Raises:
        ConfigurationError: A word is no key=value, a key comes twice, a file cannot be read.
    """
    values: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"'{word}' is not of the form key=value.")
        if key in values:
            raise ConfigurationError(f"'{key}' is given twice.")
        values[key] = _read(value[1:]) if value.startswith("@") else value
    return values


def _read(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a name no file can have
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"The file '{path}' cannot be read: {reason}.") from error


def render_here(
    settings: Settings, name: str, version: str | None, values: dict[str, str]
) -> RenderedPrompt:
    """
    Load the folder and render one prompt of it; no key is needed, nothing is counted.

    Raises:
        CatalogError: The folder holds mistakes.
        PromptNotFoundError: It holds no such prompt.
        InvalidArgumentsError: With every mistake at once.
        RenderError: The template failed; here with the engine's own words.
    """
    validator = make_validator(settings.limits.argument_bytes, settings.limits.arguments_bytes)
    modules = settings.prompts.modules
    functions = load_functions(modules, settings.llm.timeout_seconds)
    snapshot = make_loader(
        settings.prompts.folder, validator, functions, may_be_empty=bool(modules)
    ).load()
    template = snapshot.catalog.find(name, version)
    if template is None:
        raise PromptNotFoundError(name, version, hint=_hint(snapshot.catalog, name))
    function = snapshot.functions.get((template.name, template.version))
    outcome = check_arguments(validator, template, function, values)
    if not outcome.result.is_valid:
        raise InvalidArgumentsError(name, outcome.result)
    try:
        messages = (
            snapshot.compiled[template.name, template.version].render(outcome.values)
            if function is None
            else _called(function, outcome)
        )
    except RenderError as error:
        raise ConfigurationError(error.for_author()) from error
    return RenderedPrompt(
        template=template,
        messages=messages,
        model=template.model or settings.llm.default_model,
        revision=snapshot.catalog.revision,
    )


def _called(function: PromptFunctionPort, outcome: ArgumentOutcome) -> tuple[Message, ...]:
    from ctxfy.adapters.mcp_prompts.function_prompts import call_here

    return call_here(function, given_values(outcome)).messages


def _hint(catalog: Catalog, name: str) -> str:
    versions = ", ".join(item.version for item in catalog.versions(name))
    if versions:
        return f"it has {versions}."
    return did_you_mean(name, [item.name for item in catalog]) or ""


def show_messages(messages: Iterable[Message]) -> str:
    """
    Lay messages out for reading: a heading with the role, then the text.
    """
    return "\n\n".join(f"[{message.role}]\n{_show(message.content)}" for message in messages)


def _show(content: Content) -> str:
    match content:
        case TextContent(text=text):
            return text
        case ResourceContent(uri=uri, mime_type=mime_type, text=text):
            return f"({uri}, {mime_type})\n{text if text is not None else '(binary)'}"
        case ImageContent(mime_type=mime_type, data=data):
            return f"({mime_type}, {len(data)} bytes)"
