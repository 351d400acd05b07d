"""
The pages under /docs, put together.
"""

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Scope

from ctxfy.adapters.api_docs.error_pages import ErrorPages
from ctxfy.adapters.api_docs.markdown_routes import MarkdownRoutes
from ctxfy.adapters.api_docs.page_routes import PageRoutes
from ctxfy.adapters.api_docs.page_templates import PageTemplates
from ctxfy.adapters.api_docs.routes import DocsRoutes
from ctxfy.adapters.auth.browsers import asks_for_a_page
from ctxfy.app import routes
from ctxfy.app.api_description import make_generator, make_pages
from ctxfy.app.client_guides import guides
from ctxfy.app.config import DocsSettings
from ctxfy.app.http_errors import error_response, explain_to_person
from ctxfy.app.wiring import Wiring
from ctxfy.core.exceptions import CtxfyError


type Refuse = Callable[[Scope, CtxfyError], Response]


def refusals(docs: DocsSettings) -> Refuse:
    """
    Say how errors are told: as pages, where somebody looks at pages.
    """
    if not docs.enabled:
        return error_response
    return ErrorPages(
        PageTemplates(docs.title),
        plain=error_response,
        sentence_of=lambda error: explain_to_person(error)[1],
        is_browser=asks_for_a_page,
    ).answer


def docs_apps(wiring: Wiring, refuse: Refuse) -> dict[str, ASGIApp]:
    """
    Say which application answers which path; none if the settings leave the documents out.
    """
    settings = wiring.settings
    if not settings.docs.enabled:
        return {}
    docs = DocsRoutes(make_generator(wiring), on_error=error_response)
    pages = PageRoutes(
        PageTemplates(settings.docs.title),
        wiring.prompt_queries,
        guides(),
        actions=sorted({policy.action for policy in wiring.policies if policy.action}),
        public_url=settings.server.public_url,
        on_error=refuse,
    )
    markdown = MarkdownRoutes(
        wiring.prompt_queries,
        make_pages(wiring),
        title=settings.docs.title,
        public_url=settings.server.public_url,
        page=pages.prompt,
    )
    return {
        routes.DOCS: routes.endpoint(pages.catalog),
        routes.DOCS_PROMPT: routes.endpoint(pages.prompt),
        routes.DOCS_START: routes.endpoint(pages.start),
        routes.DOCS_EXPLORER: routes.endpoint(pages.explorer),
        routes.DOCS_MARKDOWN: routes.endpoint(markdown.prompt),
        routes.LLMS: routes.endpoint(markdown.llms),
        routes.DOCS_KEYS: routes.endpoint(pages.keys),
        routes.DOCS_AUDIT: routes.endpoint(pages.audit),
        routes.DOCS_ASSET: routes.endpoint(docs.asset),
        routes.OPENAPI: routes.endpoint(docs.document),
    }
