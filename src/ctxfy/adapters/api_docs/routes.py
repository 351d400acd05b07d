"""
GET /docs/assets/{name} and /openapi.json.
"""

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from ctxfy.adapters.api_docs.entity_tags import conditional
from ctxfy.adapters.api_docs.openapi_generator import OpenApiGenerator
from ctxfy.adapters.api_docs.page_assets import assets
from ctxfy.core.exceptions import CtxfyError, RouteNotFoundError
from ctxfy.core.models.auth_models import Principal


_FOR_GOOD = "public, max-age=31536000, immutable"


class DocsRoutes:
    """
    The handlers of the files that pages are made of, and of the description of the API.

    Args:
        on_error: Makes the answer to an error.
    """

    def __init__(
        self, generator: OpenApiGenerator, *, on_error: Callable[[Scope, CtxfyError], Response]
    ) -> None:
        self._generator = generator
        self._on_error = on_error

    async def asset(self, request: Request) -> Response:
        """
        Give one of the files the pages are made of. Its name changes with its content.
        """
        found = (await asyncio.to_thread(assets)).get(_last_segment(request))
        if found is None:
            nothing = RouteNotFoundError("There is nothing at this address.")
            return self._on_error(request.scope, nothing)
        etag = f'"{found.name}"'
        headers = {"cache-control": _FOR_GOOD, "etag": etag}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, media_type=found.media_type, headers=headers)

    async def document(self, request: Request) -> Response:
        """
        Describe every fixed route, and each prompt that the caller may use, in OpenAPI 3.0.3.
        """
        principal: Principal = request.scope["state"]["principal"]
        found = self._generator.kept(principal)
        if found is None:
            found = await asyncio.to_thread(self._generator.document, principal)
        return conditional(request, found.content, found.etag, "application/json")


def _last_segment(request: Request) -> str:
    return str(request.scope["path"]).rpartition("/")[2]
