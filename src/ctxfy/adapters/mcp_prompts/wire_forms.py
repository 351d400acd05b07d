"""
The forms that prompts and errors have over MCP, whichever lane answers.
"""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, cast

import mcp_types as mt
from fastmcp.prompts import Message as FastMCPMessage
from fastmcp.prompts import PromptResult
from mcp import MCPError

from ctxfy.core.exceptions import (
    CtxfyError,
    InvalidArgumentsError,
    PromptNotFoundError,
)
from ctxfy.core.models.prompt_models import (
    Content,
    ImageContent,
    PromptTemplate,
    RenderedPrompt,
    ResourceContent,
    TextContent,
)
from ctxfy.core.use_cases.monitoring_use_cases import redact_text
from ctxfy.core.use_cases.validation_use_cases import describe_argument, thaw


MAX_COMPLETIONS = 100
"""
The most values that one answer may carry (MCP, completion/complete).
"""


def wire_completion(offers: Sequence[str]) -> mt.Completion:
    """
    Offer values, as many as one answer may carry.
    """
    return mt.Completion(
        values=list(offers[:MAX_COMPLETIONS]),
        total=len(offers),
        has_more=len(offers) > MAX_COMPLETIONS,
    )


def wire_error(error: CtxfyError) -> MCPError:
    """
    Translate an error: what the caller can mend is -32602, the rest -32603.
    """
    data: dict[str, object] = {"code": error.code}
    mendable = isinstance(error, InvalidArgumentsError | PromptNotFoundError)
    if isinstance(error, InvalidArgumentsError):
        data["errors"] = [
            {
                "field": redact_text(item.field),
                "message": redact_text(item.message),
                "code": str(item.code),
            }
            for item in error.result.errors
        ]
    code = mt.INVALID_PARAMS if mendable else mt.INTERNAL_ERROR
    # A key that was pasted where a name belongs goes back to nobody.
    return MCPError(code=code, message=redact_text(str(error)), data=data)


def wire_prompt(template: PromptTemplate, versions: Sequence[str]) -> mt.Prompt:
    """
    Describe a prompt as prompts/list does.

    `_meta.fastmcp` is what FastMCP's own clients read, `ctxfy/...` what ours do.
    """
    meta: dict[str, object] = {
        "fastmcp": {
            "tags": sorted(template.tags),
            "version": template.version,
            "versions": list(versions),
        },
        "ctxfy/version": template.version,
        "ctxfy/digest": template.digest,
    }
    if template.owner:
        meta["ctxfy/owner"] = template.owner
    return mt.Prompt(
        name=template.name,
        title=template.title or None,
        description=template.description or template.title or template.name,
        arguments=[
            mt.PromptArgument(
                name=argument.name,
                description=describe_argument(argument) or None,
                required=argument.required,
            )
            for argument in template.arguments
        ],
        _meta=meta,  # the alias is the wire's name
    )


def wire_result(rendered: RenderedPrompt) -> PromptResult:
    """
    Give a rendering the form that FastMCP takes.
    """
    return PromptResult(
        [
            FastMCPMessage(_wire_content(message.content), role=message.role.value)
            for message in rendered.messages
        ],
        description=rendered.description or rendered.template.description or None,
        meta=cast("dict[str, Any]", thaw(rendered.meta)) | provenance(rendered),
    )


def provenance(rendered: RenderedPrompt) -> dict[str, str]:
    """
    Say which text this is, so that an answer can be traced back to it.
    """
    return {
        "ctxfy/version": rendered.template.version,
        "ctxfy/digest": rendered.template.digest,
        "ctxfy/revision": rendered.revision,
    }


def _wire_content(
    content: Content,
) -> mt.TextContent | mt.ImageContent | mt.EmbeddedResource:
    match content:
        case TextContent(text=text):
            return mt.TextContent(type="text", text=text)
        case ImageContent(mime_type=mime_type, data=data):
            return mt.ImageContent(type="image", mime_type=mime_type, data=b64encode(data).decode())
        case ResourceContent(uri=uri, mime_type=mime_type, text=text, blob=blob):
            resource = (
                mt.TextResourceContents(uri=uri, mime_type=mime_type, text=text)
                if text is not None
                else mt.BlobResourceContents(
                    uri=uri, mime_type=mime_type, blob=b64encode(blob or b"").decode()
                )
            )
            return mt.EmbeddedResource(type="resource", resource=resource)
