"""
The gate: access is decided here, once, for every request there is.

Order: Host and Origin, preflight, credential, scope, existence of the route, its method, the body.
A browser that shows nothing where a key is needed is sent to log in.
What was decided travels as a Principal on the scope and in a context variable.
"""

from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.auth.admission import NOBODY, Admission, Arrival
from ctxfy.adapters.auth.browsers import BrowserDoors
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.policy import PolicyTable, RouteMatch
from ctxfy.adapters.auth.quota_headers import EXPOSED_HEADERS as QUOTA_HEADERS
from ctxfy.adapters.auth.quota_headers import with_quotas
from ctxfy.adapters.auth.request_body import read_body, replay_body
from ctxfy.adapters.auth.request_head import HEAD, RequestHead, read_head
from ctxfy.core.exceptions import (
    CtxfyError,
    ForeignOriginError,
    MethodNotAllowedError,
    RouteNotFoundError,
)
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.monitoring_ports import TracerPort


type ErrorResponder = Callable[[Scope, CtxfyError], ASGIApp]

_principal: ContextVar[Principal | None] = ContextVar("ctxfy_principal", default=None)


def current_principal() -> Principal | None:
    """
    Who is calling, in the request being served; None for a public route without a valid key.
    """
    return _principal.get()


class AccessGate:
    """
    Lets a request through to `app`, or answers it.

    Args:
        doors: Where browsers are sent.
        on_error: Makes the answer to an error; the gate stands outside of any exception layer.
        max_body_bytes: The largest body read.
        tracer: Is told where the time goes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        table: PolicyTable,
        hosts: HostOriginPolicy,
        admission: Admission,
        doors: BrowserDoors,
        on_error: ErrorResponder,
        max_body_bytes: int,
        tracer: TracerPort,
    ) -> None:
        self._app = app
        self._table = table
        self._hosts = hosts
        self._admission = admission
        self._doors = doors
        self._on_error = on_error
        self._max_body_bytes = max_body_bytes
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Decide about one request; other scopes pass through.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        match = self._table.match(scope["path"], scope["method"])
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        state["policy"], state["challenge"] = match.policy, self._admission.challenge
        if match.route is not None:
            state["route"] = match.route
        head: RequestHead = state.pop(HEAD, None) or read_head(scope["headers"])
        if self._hosts.allows_cors(head.manner.origin):
            send = _with_cors(send, head.manner.origin or "")
        caller = NOBODY
        try:
            arrival = self._arrive(scope, match, head)
            early = self._early_answer(scope, match, head)
            if early is not None:
                await early(scope, receive, send)
                return
            with self._tracer.span(Step.ACCESS):
                caller = await self._admission.decide(scope, match, arrival)
                _require_route(match, scope["method"])
            with self._tracer.span(Step.BODY):
                body = await read_body(head, receive, match.policy, self._max_body_bytes)
            caller = await self._admission.weigh(caller, len(body))
        except CtxfyError as error:
            way_in = self._doors.way_in(scope, match, error)
            answer = _see(way_in) if way_in else self._on_error(scope, error)
            await answer(scope, receive, with_quotas(send, caller.quotas))
            return
        send = with_quotas(send, caller.quotas)
        state["principal"], state["session"] = caller.principal, caller.session
        token = _principal.set(caller.principal)
        try:
            inner = _without_secret(scope, head, caller.principal)
            await self._app(inner, replay_body(body, receive), send)
        finally:
            _principal.reset(token)

    def _arrive(self, scope: Scope, match: RouteMatch, head: RequestHead) -> Arrival:
        any_host = match.policy is not None and match.policy.any_host
        host, origin, scheme = head.manner.host, head.manner.origin, scope.get("scheme", "http")
        self._hosts.check(host, origin, scheme, any_host=any_host)
        own_page = self._hosts.is_own_page(host, origin, scheme)
        if match.policy is not None and match.policy.form and not own_page:
            raise ForeignOriginError("This form is taken only from a page of this server.")
        return Arrival(
            method=scope["method"],
            own_page=own_page,
            secure=scheme == "https",
            shown=head.secret,
        )

    def _early_answer(self, scope: Scope, match: RouteMatch, head: RequestHead) -> ASGIApp | None:
        """
        Answer what needs no credential: an allowed preflight, and a browser at the door.
        """
        if entrance := self._doors.entrance(scope):
            return _see(entrance)
        asked, origin = head.manner.preflight, head.manner.origin
        if scope["method"] != "OPTIONS" or asked is None or not self._hosts.allows_cors(origin):
            return None
        headers = {
            "access-control-allow-methods": ", ".join(match.allowed),
            "access-control-allow-headers": _ALLOWED_HEADERS,
            "access-control-max-age": "600",
        }
        return Response(status_code=204, headers=headers)


_ALLOWED_HEADERS = (
    "authorization, content-type, x-api-key, x-request-id, idempotency-key, "
    "mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id"
)
_EXPOSED_HEADERS = (
    b"x-request-id, www-authenticate, retry-after, mcp-protocol-version, " + QUOTA_HEADERS
)


def _require_route(match: RouteMatch, method: str) -> None:
    if match.route is None:
        raise RouteNotFoundError("There is nothing at this address.")
    if match.policy is None:
        raise MethodNotAllowedError(method, match.allowed)


def _see(path: str) -> Response:
    return RedirectResponse(path, status_code=303)


def _with_cors(send: Send, origin: str) -> Send:
    async def send_with_cors(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                *message.get("headers", []),
                (b"access-control-allow-origin", origin.encode("latin-1")),
                (b"access-control-expose-headers", _EXPOSED_HEADERS),
                (b"vary", b"Origin"),
            ]
        await send(message)

    return send_with_cors


def _without_secret(scope: Scope, head: RequestHead, principal: Principal | None) -> Scope:
    """
    Take what proves who is calling out of the request; the key's public id stands in for it.
    """
    headers = [*head.usual, *head.own]
    if principal is not None:
        headers.append((b"authorization", b"Bearer " + principal.key_id.encode()))
    return {**scope, "headers": headers}
