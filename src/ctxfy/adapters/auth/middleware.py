"""
The gate: access is decided here, once, for every request there is.

Order: Host and Origin, preflight, credential, scope, existence of the route, its method, the body.
What was decided travels as a Principal on the scope and in a context variable.
"""

from collections.abc import Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.auth.credentials import CREDENTIAL_HEADERS, read_credential
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.policy import PolicyTable, RouteMatch
from ctxfy.core.exceptions import (
    BodyTooLargeError,
    CtxfyError,
    MethodNotAllowedError,
    NotAuthenticatedError,
    NotAuthorizedError,
    RouteNotFoundError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from ctxfy.core.models.auth_models import (
    DenialReason,
    Denied,
    Principal,
    RoutePolicy,
)
from ctxfy.core.models.auth_models import (
    Scope as KeyScope,
)
from ctxfy.core.ports.auth_ports import AuthCommandPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.auth_use_cases import decide_authorization


type ErrorResponder = Callable[[Scope, CtxfyError], ASGIApp]

_principal: ContextVar[Principal | None] = ContextVar("ctxfy_principal", default=None)

# What is not in the table needs a key too, so that nobody without one learns what exists.
_UNKNOWN_ROUTE = RoutePolicy(path="", methods=(), scope=KeyScope.READ)


def current_principal() -> Principal | None:
    """
    Who is calling, in the request being served; None for a public route without a valid key.
    """
    return _principal.get()


class AccessGate:
    """
    Lets a request through to `app`, or answers it.

    Args:
        on_error: Makes the answer to an error; the gate stands outside of any exception layer.
        max_body_bytes: The largest body read.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        table: PolicyTable,
        hosts: HostOriginPolicy,
        auth: AuthCommandPort,
        logging: LoggingPort,
        metrics: MetricsPort,
        on_error: ErrorResponder,
        max_body_bytes: int,
    ) -> None:
        self._app = app
        self._table = table
        self._hosts = hosts
        self._auth = auth
        self._logging = logging
        self._metrics = metrics
        self._on_error = on_error
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Decide about one request; other scopes pass through.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        match = self._table.match(scope["path"], scope["method"])
        state: MutableMapping[str, Any] = scope.setdefault("state", {})
        if match.route is not None:
            state["route"] = match.route
        origin = _origin(scope)
        if self._hosts.allows_cors(origin):
            send = _with_cors(send, origin or "")
        try:
            if await self._preflight(scope, send, match, origin):
                return
            principal = await self._admit(scope, match)
            body = await _read_body(scope, receive, match.policy, self._max_body_bytes)
        except CtxfyError as error:
            await self._on_error(scope, error)(scope, receive, send)
            return
        state["principal"] = principal
        token = _principal.set(principal)
        try:
            await self._app(_without_secret(scope, principal), _replay(body, receive), send)
        finally:
            _principal.reset(token)

    async def _preflight(
        self, scope: Scope, send: Send, match: RouteMatch, origin: str | None
    ) -> bool:
        any_host = match.policy is not None and match.policy.any_host
        host = _single(scope, b"host")
        self._hosts.check(host, origin, scope.get("scheme", "http"), any_host=any_host)
        asked = _single(scope, b"access-control-request-method")
        if scope["method"] != "OPTIONS" or asked is None or not self._hosts.allows_cors(origin):
            return False
        headers = [
            (b"access-control-allow-methods", ", ".join(match.allowed).encode()),
            (b"access-control-allow-headers", _ALLOWED_HEADERS),
            (b"access-control-max-age", b"600"),
        ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return True

    async def _admit(self, scope: Scope, match: RouteMatch) -> Principal | None:
        """
        Decide who is calling and whether this route is theirs to call.

        Raises:
            CtxfyError: The request goes no further.
        """
        # A known path with a wrong method asks for what its other methods ask for.
        policy = match.policy or self._policy_of(match) or _UNKNOWN_ROUTE
        principal = await self._authenticate(scope, policy)
        if principal is not None:
            self._logging.annotate(user_id=principal.user_id, key_id=principal.key_id)
            self._metrics.record_api_key_usage(principal.key_id, match.route or "")
            denied = decide_authorization(policy, principal)
            if denied is not None:
                self._metrics.record_authentication(denied.reason)
                lacks_scope = denied.reason is DenialReason.SCOPE
                raise NotAuthorizedError(
                    denied.sentence, required=str(policy.scope) if lacks_scope else None
                )
        if match.route is None:
            raise RouteNotFoundError("There is nothing at this address.")
        if match.policy is None:
            raise MethodNotAllowedError(scope["method"], match.allowed)
        return principal

    def _policy_of(self, match: RouteMatch) -> RoutePolicy | None:
        return next((item for item in self._table.policies if item.path == match.route), None)

    async def _authenticate(self, scope: Scope, policy: RoutePolicy) -> Principal | None:
        credential = read_credential(scope["headers"])
        try:
            decision = (
                credential
                if isinstance(credential, Denied)
                else await self._auth.authenticate(credential)
            )
        except UnavailableError:
            # Health must answer while the store is down; nobody is let in by this.
            if policy.scope is None:
                return None
            raise
        if not isinstance(decision, Denied):
            self._metrics.record_authentication("granted")
            return decision.principal
        if policy.scope is None:
            return None
        self._metrics.record_authentication(decision.reason)
        self._logging.annotate(denial=str(decision.reason))
        raise NotAuthenticatedError(
            decision.sentence, presented=decision.reason is not DenialReason.MISSING
        )


_ALLOWED_HEADERS = (
    b"authorization, content-type, x-api-key, x-request-id, idempotency-key, "
    b"mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id"
)
_EXPOSED_HEADERS = b"x-request-id, www-authenticate, retry-after, mcp-protocol-version"


def _single(scope: Scope, name: bytes) -> str | None:
    """
    Read a header that may come once; twice is as good as not at all.
    """
    found = [value for key, value in scope["headers"] if key == name]
    return found[0].decode("latin-1") if len(found) == 1 else None


def _origin(scope: Scope) -> str | None:
    """
    Read the Origin. Two of them are joined to one that is nobody's: no way around the check.
    """
    found = [value for key, value in scope["headers"] if key == b"origin"]
    return b", ".join(found).decode("latin-1") if found else None


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


def _without_secret(scope: Scope, principal: Principal | None) -> Scope:
    """
    Take the credential out of the request; the key's public id stands in for it.
    """
    headers = [pair for pair in scope["headers"] if pair[0] not in CREDENTIAL_HEADERS]
    if principal is not None:
        headers.append((b"authorization", b"Bearer " + principal.key_id.encode()))
    return {**scope, "headers": headers}


async def _read_body(
    scope: Scope, receive: Receive, policy: RoutePolicy | None, limit: int
) -> bytes:
    """
    Read the whole body, bounded: nothing behind the gate waits for a slow sender.

    Raises:
        UnsupportedMediaTypeError: It is not of the media type the route takes.
        BodyTooLargeError: It is larger than `limit`, announced or found out.
        ClientDisconnect: The sender went away before its end; half a body is acted on by nobody.
    """
    if policy is not None and policy.consumes is not None:
        media_type = (_single(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if media_type != policy.consumes:
            raise UnsupportedMediaTypeError(f"Send the body as Content-Type: {policy.consumes}.")
    announced = (_single(scope, b"content-length") or "").lstrip("0")
    # Compared by length first: Python refuses to read numbers of thousands of digits.
    digits = len(str(limit))
    if announced.isdecimal() and (len(announced) > digits or int(announced) > limit):
        raise BodyTooLargeError(limit)
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLargeError(limit)
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """
    Give the body once more, then whatever the connection has to say (its end).
    """
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
