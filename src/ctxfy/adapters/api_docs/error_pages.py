"""
Refusals as pages, for people who look at pages.
"""

from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from ctxfy.adapters.api_docs.page_addresses import is_page
from ctxfy.adapters.api_docs.page_routes import PAGE_HEADERS
from ctxfy.adapters.api_docs.page_templates import PageTemplates, reader_of
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.auth_models import Principal


_DROPPED = frozenset({"content-length", "content-type"})


class ErrorPages:
    """
    Makes the answer to an error at the address of a page: a page, if a browser asks for one.

    Args:
        plain: Makes the answer for everybody else.
        sentence_of: Says what went wrong.
        is_browser: Tells whether a person is to see the answer.
    """

    def __init__(
        self,
        templates: PageTemplates,
        *,
        plain: Callable[[Scope, CtxfyError], Response],
        sentence_of: Callable[[CtxfyError], str],
        is_browser: Callable[[Scope], bool],
    ) -> None:
        self._templates = templates
        self._plain = plain
        self._sentence_of = sentence_of
        self._is_browser = is_browser

    def answer(self, scope: Scope, error: CtxfyError) -> Response:
        """
        Make the answer, with the status and the headers that it has for everybody.
        """
        plain = self._plain(scope, error)
        if not (is_page(str(scope.get("path", ""))) and self._is_browser(scope)):
            return plain
        state = scope.get("state", {})
        caller: Principal | None = state.get("caller")
        body = self._templates.write(
            "refused",
            depth=scope["path"].count("/") - 1,
            reader=None if caller is None else reader_of(caller),
            values={
                "guessed_address": "",
                "heading": HTTPStatus(plain.status_code).phrase,
                "sentence": self._sentence_of(error),
                "request_id": state.get("request_id") or "",
            },
        )
        kept = {name: value for name, value in plain.headers.items() if name not in _DROPPED}
        return HTMLResponse(body, status_code=plain.status_code, headers=kept | PAGE_HEADERS)
