"""
GET /docs and the pages below it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from ctxfy.adapters.api_docs.call_examples import KEY_VARIABLE
from ctxfy.adapters.api_docs.catalog_view import catalog_view, wish_of
from ctxfy.adapters.api_docs.client_guides import Guides
from ctxfy.adapters.api_docs.entity_tags import conditional, etag_of
from ctxfy.adapters.api_docs.page_templates import PageTemplates, reader_of
from ctxfy.adapters.api_docs.prompt_view import prompt_view
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.catalog_models import revision_of
from ctxfy.core.ports.prompt_ports import PromptQueryPort


PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    # The referrer is not dropped altogether: some browsers then call the Origin of a request
    # `null`, and a session's requests are taken only from this Origin.
    "referrer-policy": "same-origin",
}
MAX_PAGES = 32


class PageRoutes:
    """
    The handlers of the pages.

    The last pages are kept: a catalog of hundreds takes milliseconds to write.

    Args:
        guides: How clients are connected.
        actions: What the audit trail tells of.
        public_url: Where people find the server, if the settings say it.
        on_error: Makes the answer to an error.
    """

    def __init__(
        self,
        templates: PageTemplates,
        queries: PromptQueryPort,
        guides: Guides,
        *,
        actions: Sequence[str],
        public_url: str | None,
        on_error: Callable[[Scope, CtxfyError], Response],
    ) -> None:
        self._templates = templates
        self._queries = queries
        self._guides = guides
        self._actions = actions
        self._public_url = public_url
        self._on_error = on_error
        self._kept: OrderedDict[Hashable, tuple[bytes, str]] = OrderedDict()

    async def catalog(self, request: Request) -> Response:
        """
        Show the prompts that the reader may use, to be searched.
        """
        visible = self._queries.list_prompts(_principal(request))
        wish = wish_of(request.query_params)
        return await self._page(
            request,
            "catalog",
            kept_by=(revision_of(visible), wish),
            depth=0,
            values=lambda: catalog_view(visible, wish),
        )

    async def prompt(self, request: Request) -> Response:
        """
        Show one prompt: what it is for, its arguments, and a form that renders it.
        """
        principal = _principal(request)
        name = _last_segment(request)
        try:
            template = self._queries.get_prompt(
                name, principal, request.query_params.get("version")
            )
        except CtxfyError as error:
            return self._on_error(request.scope, error)
        versions = self._queries.list_versions(name, principal)
        address = self._address(request)
        return await self._page(
            request,
            "prompt",
            kept_by=(name, template.version, revision_of(versions)),
            depth=2,
            values=lambda: {
                "prompt": prompt_view(template, versions, address),
                "clients": self._guides.clients(address),
                "key_variable": KEY_VARIABLE,
            },
        )

    async def start(self, request: Request) -> Response:
        """
        Show how clients and programs are connected to this server.
        """
        count = len(self._queries.list_prompts(_principal(request)))
        address = self._address(request)
        return await self._page(
            request,
            "start",
            kept_by=(count,),
            depth=1,
            values=lambda: {
                "count": count,
                "clients": self._guides.clients(address),
                "stdio": self._guides.stdio(address),
                "without_prompts": self._guides.without_prompts,
                "curl": f"curl -s '{address}/prompts' -H \"Authorization: Bearer ${KEY_VARIABLE}\"",
                "key_variable": KEY_VARIABLE,
            },
        )

    async def explorer(self, request: Request) -> Response:
        """
        Show the page on which the API can be read and tried.
        """
        return await self._page(request, "explorer", kept_by=(), depth=1, values=dict)

    async def keys(self, request: Request) -> Response:
        """
        Show the page on which keys are made, rotated and ended; its script asks for them.
        """
        return await self._page(request, "keys", kept_by=(), depth=1, values=dict)

    async def audit(self, request: Request) -> Response:
        """
        Show the page on which the audit trail is read and verified; its script asks for it.
        """
        return await self._page(
            request, "audit", kept_by=(), depth=1, values=lambda: {"actions": self._actions}
        )

    async def _page(
        self,
        request: Request,
        name: str,
        *,
        kept_by: tuple[Hashable, ...],
        depth: int,
        values: Callable[[], dict[str, object]],
    ) -> Response:
        """
        Answer with the page of a template, kept or written now.

        It depends on nothing but who reads it and what it is `kept_by`.
        """
        reader, address = reader_of(_principal(request)), self._address(request)
        key = (name, reader, address, kept_by)
        if key not in self._kept:
            guessed = address if self._public_url is None else ""
            content = await asyncio.to_thread(
                lambda: self._templates.write(
                    name,
                    depth=depth,
                    reader=reader,
                    values={"address": address, "guessed_address": guessed, **values()},
                )
            )
            self._kept[key] = (content, etag_of(content))
            if len(self._kept) > MAX_PAGES:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        content, etag = self._kept[key]
        response = conditional(request, content, etag, "text/html")
        response.headers.update(PAGE_HEADERS)
        return response

    def _address(self, request: Request) -> str:
        if self._public_url is not None:
            return self._public_url.rstrip("/")
        return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["state"]["principal"]
    return principal


def _last_segment(request: Request) -> str:
    return str(request.scope["path"]).rpartition("/")[2]
