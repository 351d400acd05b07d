"""
The table of routes and what hands requests on.
"""

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from ctxfy.app.routes import (
    METRICS,
    at_path,
    endpoint,
    no_oauth,
    route_policies,
)
from ctxfy.core.models.auth_models import Scope as KeyScope


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _answer(scope: Scope) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def echo(request: Request) -> Response:
        return PlainTextResponse(request.url.path)

    await endpoint(echo)(scope, _nothing, send)
    return sent


def test_paths_and_methods_are_unique() -> None:
    """
    No two policies speak about the same request.
    """
    pairs = [(p.path, method) for p in route_policies(public_metrics=False) for method in p.methods]
    assert len(pairs) == len(set(pairs))


def test_methods_are_in_capitals_and_head_is_left_out() -> None:
    """
    HEAD comes with GET, OPTIONS with CORS; neither is for the table to name.
    """
    methods = {method for p in route_policies(public_metrics=False) for method in p.methods}
    assert methods <= {"GET", "POST", "PUT", "PATCH", "DELETE"}


@pytest.mark.parametrize("public", [True, False])
def test_only_metrics_change_with_the_setting(*, public: bool) -> None:
    """
    `monitoring.public_metrics` opens /metrics and nothing else.
    """
    standard, changed = route_policies(public_metrics=False), route_policies(public_metrics=public)
    differing = [new.path for old, new in zip(standard, changed, strict=True) if old != new]
    assert differing == ([METRICS] if public else [])


def test_mcp_is_guarded_with_and_without_the_slash() -> None:
    """
    Both spellings ask for scope read and for JSON.
    """
    found = [p for p in route_policies(public_metrics=True) if p.path.strip("/") == "mcp"]
    assert [(p.scope, p.consumes, p.methods) for p in found] == [
        (KeyScope.READ, "application/json", ("POST",))
    ] * 2


async def test_a_function_becomes_an_application() -> None:
    """
    From request to response.
    """
    scope = {"type": "http", "method": "GET", "path": "/x", "headers": [], "query_string": b""}
    sent = await _answer(scope)
    assert sent[1]["body"] == b"/x"


async def test_an_application_can_be_shown_another_path() -> None:
    """
    The slash at the end is taken away without a redirect; the request's own scope stays as it was.
    """
    seen: list[Scope] = []

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope: Scope = {"type": "http", "path": "/mcp/", "raw_path": b"/mcp/", "state": {}}
    await at_path(inner, "/mcp")(scope, _nothing, send)
    assert (seen[0]["path"], seen[0]["raw_path"]) == ("/mcp", b"/mcp")
    assert seen[0]["state"] is scope["state"]
    assert scope["path"] == "/mcp/"


async def test_there_is_no_oauth_in_the_form_that_clients_read() -> None:
    """
    A plain JSON 404.
    """
    response = await no_oauth(Request({"type": "http"}))
    assert (response.status_code, response.body) == (404, b'{"error":"not_found"}')
    assert response.headers["content-type"] == "application/json"
