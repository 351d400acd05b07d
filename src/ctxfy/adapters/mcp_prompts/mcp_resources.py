"""
The files that prompts embed, as resources of FastMCP.
"""

from typing import Any, override

import mcp_types as mt
from fastmcp.resources import Resource, ResourceResult
from fastmcp.resources import ResourceContent as FastMCPContent
from fastmcp.server.middleware import MiddlewareContext
from mcp import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import AnyUrl, PrivateAttr

from ctxfy.core.exceptions import ResourceNotFoundError
from ctxfy.core.models.prompt_models import ResourceContent
from ctxfy.core.use_cases.monitoring_use_cases import redact_text


RESOURCE_NOT_FOUND = -32002
"""
What the protocol has up to 2025-11-25; later, a resource that is not there is a wrong parameter.
"""


class CatalogResource(Resource):
    """
    One file, read when its prompt was loaded.
    """

    _content: ResourceContent = PrivateAttr()

    @classmethod
    def of(cls, content: ResourceContent) -> "CatalogResource":
        """
        Wrap a file.
        """
        resource = cls(uri=AnyUrl(content.uri), name=content.path or content.uri)
        resource._content = content
        return resource

    @override
    def to_mcp_resource(self, **overrides: Any) -> mt.Resource:
        body = self._body()
        return mt.Resource(
            uri=self._content.uri,
            name=self.name,
            mime_type=self._content.mime_type,
            size=len(body.encode() if isinstance(body, str) else body),
        )

    @override
    async def read(self) -> ResourceResult:
        return ResourceResult([FastMCPContent(self._body(), self._content.mime_type)])

    def _body(self) -> str | bytes:
        content = self._content
        return content.text if content.text is not None else content.blob or b""


def missing_resource(
    error: ResourceNotFoundError, context: MiddlewareContext[mt.ReadResourceRequestParams]
) -> MCPError:
    """
    Say that there is no such resource, as the protocol of this request has it.
    """
    server = context.fastmcp_context
    request = server.request_context if server else None
    is_modern = request is not None and request.protocol_version in MODERN_PROTOCOL_VERSIONS
    return MCPError(
        code=mt.INVALID_PARAMS if is_modern else RESOURCE_NOT_FOUND,
        message=redact_text(str(error)),
        data={"code": error.code, "uri": redact_text(error.uri)},
    )
