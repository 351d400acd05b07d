"""
What is special about browsers: they follow links, and people sit in front of them.
"""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.types import Scope

from ctxfy.adapters.auth.policy import RouteMatch
from ctxfy.adapters.auth.request_headers import single_header
from ctxfy.core.exceptions import CtxfyError, NotAuthenticatedError


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserDoors:
    """
    Where browsers are sent.

    Attributes:
        login: The path of the log-in page.
        home: The path of the page that `/` leads to.
        prefix: What a proxy takes off every path, and browsers need to find the way.
    """

    login: str
    home: str
    prefix: str = ""

    def seen(self, path: str) -> str:
        """
        Say what browsers call a path of ours.
        """
        return self.prefix + path

    def entrance(self, scope: Scope) -> str | None:
        """
        Say where a browser at `/` is to go; None for anybody else, anywhere else.
        """
        at_the_door = scope["path"] == "/" and asks_for_a_page(scope)
        return self.seen(self.home) if at_the_door else None

    def way_in(self, scope: Scope, match: RouteMatch, error: CtxfyError) -> str | None:
        """
        Say where a browser that showed nothing can log in; None if the error is to be told.
        """
        asked = isinstance(error, NotAuthenticatedError) and not error.presented
        if not (asked and match.guard.login and asks_for_a_page(scope)):
            return None
        query = scope.get("query_string", b"").decode("latin-1")
        target = quote(scope["path"], safe="/") + (f"?{query}" if query else "")
        return self.seen(f"{self.login}?next={quote(target, safe='/')}")


def asks_for_a_page(scope: Scope) -> bool:
    """
    Whether a person is to see the answer: a GET that names text/html before any JSON.

    `Accept: */*` is what programs send, so it is no wish for a page.
    """
    if scope["method"] != "GET":
        return False
    wishes = _weights(single_header(scope, b"accept") or "")
    html = wishes.get("text/html", 0.0)
    return html > max([0.0, *(weight for name, weight in wishes.items() if "json" in name)])


def _weights(accept: str) -> dict[str, float]:
    """
    Read an Accept header (RFC 9110, section 12.5.1); what cannot be read counts nothing.
    """
    weights: dict[str, float] = {}
    for wish in accept.lower().split(","):
        name, *parameters = (part.strip() for part in wish.split(";"))
        weight = next((part[2:] for part in parameters if part.startswith("q=")), "1")
        try:
            weights[name] = float(weight)
        except ValueError:
            weights[name] = 0.0
    return weights
