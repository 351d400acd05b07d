"""
GET /docs/prompts/{name}.md and /llms.txt.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from ctxfy.adapters.api_docs.catalog_markdown import llms_text
from ctxfy.adapters.api_docs.entity_tags import conditional, etag_of
from ctxfy.adapters.api_docs.prompt_markdown import PromptPages
from ctxfy.core.exceptions import PromptNotFoundError
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.ports.prompt_ports import PromptQueryPort


SUFFIX = ".md"


class MarkdownRoutes:
    """
    The handlers of what is documentation and no page for browsers.

    Args:
        title: Of the list.
        public_url: Where people find the server, if the settings say it.
        page: Answers where there is no Markdown: a prompt may be called like an address of it.
    """

    def __init__(
        self,
        queries: PromptQueryPort,
        pages: PromptPages,
        *,
        title: str,
        public_url: str | None,
        page: Callable[[Request], Awaitable[Response]],
    ) -> None:
        self._queries = queries
        self._pages = pages
        self._title = title
        self._public_url = public_url
        self._page = page

    async def prompt(self, request: Request) -> Response:
        """
        Tell all about one prompt. Its name may hold dots, and end like this address does.
        """
        principal = _principal(request)
        name = str(request.scope["path"]).rpartition("/")[2].removesuffix(SUFFIX)
        version = request.query_params.get("version")
        try:
            template = self._queries.get_prompt(name, principal, version)
        except PromptNotFoundError:
            return await self._page(request)
        versions = self._queries.list_versions(name, principal)
        page = await asyncio.to_thread(
            self._pages.write, template, versions, self._address(request)
        )
        return _told(request, page, "text/markdown")

    async def llms(self, request: Request) -> Response:
        """
        List the prompts that the caller may use.
        """
        found = self._queries.list_prompts(_principal(request))
        root = f"{self._address(request)}/" if self._public_url else ""
        text = llms_text(self._title, found, address=self._address(request), root=root)
        return _told(request, text, "text/plain")

    def _address(self, request: Request) -> str:
        if self._public_url is not None:
            return self._public_url.rstrip("/")
        return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _told(request: Request, text: str, media_type: str) -> Response:
    content = text.encode()
    return conditional(request, content, etag_of(content), media_type)


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["state"]["principal"]
    return principal
