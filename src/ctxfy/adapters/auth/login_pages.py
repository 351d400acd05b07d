"""
GET and POST /login, POST /logout: a key becomes a browser session, and ends being one.
"""

from collections.abc import Callable
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ctxfy.adapters.auth.admission import Admission
from ctxfy.adapters.auth.browsers import BrowserDoors
from ctxfy.adapters.auth.cookies import clear_session_cookies, set_session_cookies
from ctxfy.adapters.auth.security_headers import page_headers
from ctxfy.adapters.auth.session_service import SessionService
from ctxfy.core.exceptions import AccessError, CtxfyError, StaticKeyError, UnavailableError
from ctxfy.core.use_cases.session_use_cases import local_path


_PAGES = Path(__file__).parent / "pages"
_HEADERS = page_headers("style-src 'self'; form-action 'self'")
_MAX_FIELDS = 8


class LoginPages:
    """
    The handlers.

    Args:
        doors: Where a browser goes that did not say where it wants to, or that logged out.
        explain: Gives the status, the sentence and the headers that tell of an error.
    """

    def __init__(
        self,
        admission: Admission,
        sessions: SessionService,
        *,
        doors: BrowserDoors,
        explain: Callable[[CtxfyError], tuple[int, str, dict[str, str]]],
    ) -> None:
        self._admission = admission
        self._sessions = sessions
        self._doors = doors
        self._explain = explain
        self._page = Template((_PAGES / "login.html").read_text(encoding="utf-8"))
        self._style = (_PAGES / "style.css").read_bytes()

    async def login(self, request: Request) -> Response:
        """
        Show the form, or take it.
        """
        if request.method != "POST":
            return self._form(request.query_params.get("next", ""))
        fields = await _fields(request)
        wanted = fields.get("next", "")
        try:
            principal = await self._admission.admit_key(
                fields.get("key", "").strip(), request.scope
            )
            opened = await self._sessions.open(principal.key_id)
        except (AccessError, StaticKeyError, UnavailableError) as error:
            return self._form(wanted, error)
        response = _see(self._doors.seen(local_path(wanted) or self._doors.home))
        set_session_cookies(response, opened, secure=_is_secure(request))
        return response

    async def logout(self, request: Request) -> Response:
        """
        End the session, and take its cookies from the browser.
        """
        session = request.scope["state"]["session"]
        if session is not None:
            await self._sessions.close(session)
        response = _see(self._doors.seen(self._doors.login))
        clear_session_cookies(response, secure=_is_secure(request))
        return response

    async def style(self, request: Request) -> Response:  # noqa: ARG002 - a Starlette handler
        """
        Give the form its looks.
        """
        return Response(
            self._style, media_type="text/css", headers={"cache-control": "public, max-age=300"}
        )

    def _form(self, wanted: str, error: CtxfyError | None = None) -> Response:
        status, sentence, headers = (200, "", {}) if error is None else self._explain(error)
        page = self._page.substitute(
            title="Log in failed - ctxfy" if error else "Log in - ctxfy",
            problem=f'<p id="problem" role="alert">{escape(sentence)}</p>' if error else "",
            described_by="problem hint" if error else "hint",
            invalid=' aria-invalid="true"' if error else "",
            next=escape(local_path(wanted) or ""),
        )
        return HTMLResponse(page, status_code=status, headers=_HEADERS | headers)


async def _fields(request: Request) -> dict[str, str]:
    """
    Read a form (application/x-www-form-urlencoded); one that cannot be read has no fields.
    """
    body = (await request.body()).decode("latin-1")
    try:
        return dict(parse_qsl(body, max_num_fields=_MAX_FIELDS))
    except ValueError:  # too many
        return {}


def _see(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def _is_secure(request: Request) -> bool:
    # A proxy may have taken TLS off; the gate has seen that the Origin is that of our own page.
    origin = request.headers.get("origin", "")
    return request.scope.get("scheme") == "https" or origin.lower().startswith("https://")
