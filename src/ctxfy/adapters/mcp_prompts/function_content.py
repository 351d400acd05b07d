"""
What a prompt function made, as messages of ours.
"""

from base64 import b64decode
from collections.abc import Mapping
from typing import cast

import mcp_types as mt
from fastmcp.prompts import Message as FastMCPMessage
from fastmcp.prompts import PromptResult
from fastmcp.prompts.base import InputRequiredPromptResult

from ctxfy.core.models.prompt_models import (
    Content,
    ImageContent,
    Message,
    ResourceContent,
    Role,
    TextContent,
    Value,
)
from ctxfy.core.ports.prompt_ports import FunctionAnswer
from ctxfy.core.use_cases.validation_use_cases import freeze


class UnfitAnswerError(Exception):
    """
    A function made what cannot be passed on; the text says what.
    """


def answer_of(result: PromptResult) -> FunctionAnswer:
    """
    Translate the result of a rendering.

    Raises:
        UnfitAnswerError: It holds something that prompts here cannot.
    """
    if isinstance(result, InputRequiredPromptResult):
        message = "it asks the client for input, which is not passed on"
        raise UnfitAnswerError(message)
    # A component's tags and version are told in lists, and the prompt has its own words for them.
    meta = {name: value for name, value in (result.meta or {}).items() if name not in _OWN}
    return FunctionAnswer(
        messages=tuple(map(_message, result.messages)),
        description=result.description or "",
        meta=cast("Mapping[str, Value]", freeze(meta)),
    )


_OWN = frozenset({"fastmcp", "ctxfy"})


def size_of(messages: tuple[Message, ...]) -> int:
    """
    Count the bytes of all texts (UTF-8) and files.
    """
    return sum(_size(message.content) for message in messages)


def _size(content: Content) -> int:
    match content:
        case TextContent(text=text):
            return len(text.encode())
        case ImageContent(data=data):
            return len(data)
        case ResourceContent(text=str() as text):
            return len(text.encode())
        case ResourceContent(blob=blob):
            return len(blob or b"")


def _message(message: FastMCPMessage) -> Message:
    return Message(role=Role(message.role), content=_content(message))


def _content(message: FastMCPMessage) -> Content:
    match message.content:
        case mt.TextContent(text=text):
            return TextContent(text=text)
        case mt.ImageContent(data=data, mime_type=mime_type):
            return ImageContent(mime_type=mime_type, data=b64decode(data, validate=True))
        case mt.EmbeddedResource(resource=mt.TextResourceContents() as file):
            return ResourceContent(
                uri=str(file.uri), mime_type=file.mime_type or "text/plain", text=file.text
            )
        case mt.EmbeddedResource(resource=mt.BlobResourceContents() as file):
            return ResourceContent(
                uri=str(file.uri),
                mime_type=file.mime_type or "application/octet-stream",
                blob=b64decode(file.blob, validate=True),
            )
        case other:
            what = "sound" if isinstance(other, mt.AudioContent) else type(other).__name__
            text = f"it made {what}, which prompts here cannot hold"
            raise UnfitAnswerError(text)
