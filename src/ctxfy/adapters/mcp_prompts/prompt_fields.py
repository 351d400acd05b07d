"""
Prompts and renderings as JSON data, for REST and the command line alike.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NotRequired, TypedDict

from pydantic import Field

from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Content,
    ImageContent,
    Privacy,
    PromptArgument,
    PromptTemplate,
    RenderedPrompt,
    ResourceContent,
    Role,
    TextContent,
)
from ctxfy.core.use_cases.prompt_use_cases import joined_text
from ctxfy.core.use_cases.validation_use_cases import thaw


class ArgumentData(TypedDict):
    """
    A declared argument; what is not set is null.
    """

    name: str
    description: str
    type: ArgumentType
    items: Annotated[ArgumentType | None, Field(description="What a list holds.")]
    required: bool
    default: object
    choices: Annotated[list[str], Field(description="The only texts allowed; empty if free.")]
    min_length: int | None
    max_length: int | None
    minimum: float | None
    maximum: float | None
    pattern: str | None
    example: object
    privacy: Annotated[Privacy, Field(description="What a value may hold; none is ever stored.")]


class PromptData(TypedDict):
    """
    A prompt as a list shows it.
    """

    name: str
    title: str
    description: str
    version: Annotated[str, Field(description="The version this is about.")]
    versions: Annotated[list[str], Field(description="All the caller may use, highest first.")]
    owner: str
    tags: list[str]
    model: Annotated[str | None, Field(description="The language model it was written for.")]
    scope: Annotated[Scope, Field(description="The least scope that sees it.")]
    arguments: list[ArgumentData]


class ExampleData(TypedDict):
    """
    Arguments that show a prompt at work.
    """

    name: str
    arguments: dict[str, object]


class ChangesData(TypedDict):
    """
    What a version changed.
    """

    version: str
    changes: str


class PromptInFullData(PromptData):
    """
    A prompt with all that may be known of it; its text is not part of that.
    """

    schema: Annotated[dict[str, object], Field(description="JSON Schema of the arguments.")]
    examples: list[ExampleData]
    changes: list[ChangesData]
    digest: Annotated[str, Field(description="SHA-256 of the file and all it pulls in.")]


class PromptPageData(TypedDict):
    """
    Some of the prompts, by name.
    """

    prompts: list[PromptData]
    next_cursor: Annotated[str | None, Field(description="For the next page; null: the last.")]


class TextData(TypedDict):
    """
    Text.
    """

    type: Literal["text"]
    text: str


class ImageData(TypedDict):
    """
    An image.
    """

    type: Literal["image"]
    mimeType: str
    data: Annotated[str, Field(description="In base64.")]


class FileData(TypedDict):
    """
    A file's content: either `text` or, in base64, `blob`.
    """

    uri: str
    mimeType: str
    text: NotRequired[str]
    blob: NotRequired[str]


class ResourceData(TypedDict):
    """
    A file put into a message.
    """

    type: Literal["resource"]
    resource: FileData


ContentData = Annotated[TextData | ImageData | ResourceData, Field(discriminator="type")]


class MessageData(TypedDict):
    """
    One message, in MCP's shape.
    """

    role: Role
    content: ContentData


class RenderingData(TypedDict):
    """
    A prompt with its values in place.
    """

    template_id: Annotated[str, Field(description="The prompt's name.")]
    version: str
    llm_model: str | None
    messages: list[MessageData]
    result: Annotated[str, Field(description="The texts of all messages, joined.")]


class ExecutionData(RenderingData):
    """
    What came of executing a prompt.
    """

    request_id: Annotated[str, Field(description="As in X-Request-Id and the logs.")]
    execution_time_ms: float


class ReloadData(TypedDict):
    """
    What is served differently after a reload, by name.
    """

    revision: Annotated[str, Field(description="Names the set that is served now.")]
    added: list[str]
    changed: list[str]
    removed: list[str]


def plain_prompt(template: PromptTemplate, versions: Sequence[PromptTemplate]) -> PromptData:
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
        "scope": template.scope,
        "arguments": [plain_argument(item) for item in template.arguments],
    }


def plain_prompt_in_full(
    template: PromptTemplate,
    versions: Sequence[PromptTemplate],
    schema: Mapping[str, object],
) -> PromptInFullData:
    """
    Lay a prompt out with all that may be known of it; its text is not part of that.
    """
    return {
        **plain_prompt(template, versions),
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


def plain_argument(argument: PromptArgument) -> ArgumentData:
    """
    Lay a declared argument out as JSON data; what is not set is null.
    """
    return {
        "name": argument.name,
        "description": argument.description,
        "type": argument.type,
        "items": argument.items,
        "required": argument.required,
        "default": thaw(argument.default),
        "choices": list(argument.choices),
        "min_length": argument.min_length,
        "max_length": argument.max_length,
        "minimum": argument.minimum,
        "maximum": argument.maximum,
        "pattern": argument.pattern,
        "example": thaw(argument.example),
        "privacy": argument.privacy,
    }


def plain_rendering(rendered: RenderedPrompt) -> RenderingData:
    """
    Lay a rendering out as JSON data.
    """
    return {
        "template_id": rendered.template.name,
        "version": rendered.template.version,
        "llm_model": rendered.model,
        "messages": [
            {"role": message.role, "content": plain_content(message.content)}
            for message in rendered.messages
        ],
        "result": joined_text(rendered.messages),
    }


def plain_content(content: Content) -> TextData | ImageData | ResourceData:
    """
    Lay one content out as JSON data, in MCP's shape.
    """
    match content:
        case TextContent(text=text):
            return {"type": "text", "text": text}
        case ImageContent(mime_type=mime_type, data=data):
            return {"type": "image", "mimeType": mime_type, "data": b64encode(data).decode()}
        case ResourceContent(uri=uri, mime_type=mime_type, text=text, blob=blob):
            file: FileData = {"uri": uri, "mimeType": mime_type}
            if text is not None:
                file["text"] = text
            else:
                file["blob"] = b64encode(blob or b"").decode()
            return {"type": "resource", "resource": file}
