"""
An event for every request: kept before its answer leaves.

Stands outside of the gate, so that refusals are seen too. What the request did, who did it and how
it ended is read from the scope, where the gate and the services left it.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ctxfy.adapters.audit.refusal_fold import RefusalFold
from ctxfy.core.exceptions import CtxfyError, UnavailableError
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import Audited, Principal, RoutePolicy
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.audit_ports import AuditPort
from ctxfy.core.ports.monitoring_ports import TracerPort
from ctxfy.core.use_cases.audit_use_cases import (
    FIRST_REFUSAL,
    action_of,
    outcome_of,
)


type ErrorResponder = Callable[[Scope, CtxfyError], ASGIApp]

SERVER_FAULT = 500
CLIENT_GONE = 499

NOWHERE = "unknown_route_called"


class RequestTrail:
    """
    Tells the audit trail of requests; with a strict trail, no answer leaves before it is told.

    Further in, `scope["state"]["network"]` tells where the request came from.

    Args:
        app: The next application inwards.
        trail: Keeps the events.
        fold: Counts the refusals of callers that are not known.
        network_of: Tells the network of a request's client.
        now: The clock.
        on_error: Makes the answer when the event could not be kept.
        tracer: Is told where the time goes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        trail: AuditPort,
        fold: RefusalFold,
        network_of: Callable[[Scope], str],
        now: Callable[[], datetime],
        on_error: ErrorResponder,
        tracer: TracerPort,
    ) -> None:
        self._app = app
        self._trail = trail
        self._fold = fold
        self._network_of = network_of
        self._now = now
        self._on_error = on_error
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request; other scopes pass through.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["network"] = self._network_of(scope)
        answer = _Answer(self, scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception:
            await answer.tell_without(SERVER_FAULT)
            raise
        finally:
            await answer.tell_without(CLIENT_GONE)

    async def tell(self, scope: Scope, status: int) -> None:
        """
        Keep what is to be remembered of a request that is answered so.

        Raises:
            UnavailableError: It could not be kept.
        """
        state: Mapping[str, Any] = scope["state"]
        policy: RoutePolicy | None = state.get("policy")
        audited = Audited.ALWAYS if policy is None else policy.audited
        if audited is Audited.NEVER or (audited is Audited.REFUSALS and status < FIRST_REFUSAL):
            return
        facts: Mapping[str, object] = state.get("facts", {})
        principal: Principal | None = state.get("caller")
        if principal is None:
            if status >= FIRST_REFUSAL:
                self._fold.count(state["network"], outcome_of(status, facts))
            return
        with self._tracer.span(Step.AUDIT):
            await self._trail.append(self._event(scope, status, principal, policy))

    def failure(self, scope: Scope, error: CtxfyError) -> ASGIApp:
        """
        Make the answer to a request whose event could not be kept.
        """
        return self._on_error(scope, error)

    def _event(
        self, scope: Scope, status: int, principal: Principal, policy: RoutePolicy | None
    ) -> AuditEvent:
        state: Mapping[str, Any] = scope["state"]
        facts: Mapping[str, object] = state.get("facts", {})
        details = {"network": state["network"], "method": scope["method"]}
        if (route := state.get("route")) is not None:
            details["route"] = route
        details["status"] = status
        if (version := facts.get("prompt_version")) is not None:
            details["prompt_version"] = version
        target = facts.get("prompt") or facts.get("target")
        return AuditEvent(
            action=action_of(policy.action if policy else NOWHERE, facts),
            at=self._now(),
            outcome=outcome_of(status, facts),
            request_id=state.get("request_id"),
            key_id=principal.key_id,
            person_id=principal.person_id,
            target=None if target is None else str(target),
            details=details,
        )


class _Answer:
    """
    The answer to one request: held back until its event is kept.

    The head waits for the first of the body. MCP's older wire sends its head before it has looked
    at the message, when nobody knows yet what there will be to tell.
    """

    __slots__ = ("_head", "_receive", "_refused", "_scope", "_send", "_told", "_trail")

    def __init__(self, trail: RequestTrail, scope: Scope, receive: Receive, send: Send) -> None:
        self._trail = trail
        self._scope = scope
        self._receive = receive
        self._send = send
        self._head: Message | None = None
        self._told = False
        self._refused = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head = message
            return
        if self._head is not None:
            head, self._head = self._head, None
            await self._begin(head)
        if not self._refused:
            await self._send(message)

    async def _begin(self, head: Message) -> None:
        self._told = True
        try:
            await self._trail.tell(self._scope, head["status"])
        except UnavailableError as error:
            self._refused = True
            answer = self._trail.failure(self._scope, error)
            await answer(self._scope, self._receive, self._send)
        else:
            await self._send(head)

    async def tell_without(self, status: int) -> None:
        """
        Tell of a request that came to no answer; that cannot be refused any more.
        """
        if self._told:
            return
        self._told = True
        try:
            await self._trail.tell(self._scope, status)
        except UnavailableError:
            return  # counted by the trail, and told by its probe
