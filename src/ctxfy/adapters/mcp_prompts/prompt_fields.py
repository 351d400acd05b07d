"""
Prompts and renderings as JSON data, for REST and the command line alike.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence

from ctxfy.core.models.prompt_models import (
    Content,
    ImageContent,
    PromptArgument,
    PromptTemplate,
    RenderedPrompt,
    ResourceContent,
    TextContent,
)
from ctxfy.core.use_cases.prompt_use_cases import joined_text
from ctxfy.core.use_cases.validation_use_cases import thaw


def plain_prompt(template: PromptTemplate, versions: Sequence[PromptTemplate]) -> dict[str, object]:
    """
    Lay a prompt out as JSON data, as a list shows it.

    Args:
        template: The version that is meant.
        versions: All that the caller may use, highest first.
    """
    return {
        "name": template.name,
        "title": template.title,
        "description": template.description,
        "version": template.version,
        "versions": [item.version for item in versions],
        "owner": template.owner,
        "tags": list(template.tags),
        "model": template.model,
        "scope": str(template.scope),
        "arguments": [plain_argument(item) for item in template.arguments],
    }


def plain_prompt_in_full(
    template: PromptTemplate,
    versions: Sequence[PromptTemplate],
    schema: Mapping[str, object],
) -> dict[str, object]:
    """
    Lay a prompt out with all that may be known of it; its text is not part of that.
    """
    return plain_prompt(template, versions) | {
        "schema": dict(schema),
        "examples": [
            {
                "name": example.name,
                "arguments": {name: thaw(value) for name, value in example.arguments.items()},
            }
            for example in template.examples
        ],
        "changes": [{"version": item.version, "changes": item.changes} for item in versions],
        "digest": template.digest,
    }


def plain_argument(argument: PromptArgument) -> dict[str, object]:
    """
    Lay a declared argument out as JSON data; what is not set is null.
    """
    return {
        "name": argument.name,
        "description": argument.description,
        "type": str(argument.type),
        "items": None if argument.items is None else str(argument.items),
        "required": argument.required,
        "default": thaw(argument.default),
        "choices": list(argument.choices),
        "min_length": argument.min_length,
        "max_length": argument.max_length,
        "minimum": argument.minimum,
        "maximum": argument.maximum,
        "pattern": argument.pattern,
        "example": thaw(argument.example),
        "privacy": str(argument.privacy),
    }


def plain_rendering(rendered: RenderedPrompt) -> dict[str, object]:
    """
    Lay a rendering out as JSON data.
    """
    return {
        "template_id": rendered.name,
        "version": rendered.version,
        "llm_model": rendered.model,
        "messages": [
            {"role": str(message.role), "content": plain_content(message.content)}
            for message in rendered.messages
        ],
        "result": joined_text(rendered.messages),
    }


def plain_content(content: Content) -> dict[str, object]:
    """
    Lay one content out as JSON data, in MCP's shape.
    """
    match content:
        case TextContent(text=text):
            return {"type": "text", "text": text}
        case ImageContent(mime_type=mime_type, data=data):
            return {"type": "image", "mimeType": mime_type, "data": b64encode(data).decode()}
        case ResourceContent(uri=uri, mime_type=mime_type, text=text, blob=blob):
            body = {"text": text} if text is not None else {"blob": b64encode(blob or b"").decode()}
            return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type} | body}
