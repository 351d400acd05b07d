"""
How many requests are served at the same time, by the process and for each key.
"""

from collections.abc import Callable, Collection

from starlette.types import ASGIApp, Receive, Scope, Send

from ctxfy.core.exceptions import ConcurrencyLimitedError, CtxfyError, OverloadedError
from ctxfy.core.models.auth_models import KeyId, Principal
from ctxfy.core.models.limit_models import LimitPolicy
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort


type ErrorResponder = Callable[[Scope, CtxfyError], ASGIApp]


class ProcessCapacity:
    """
    Answers 503 at once when too many requests are open: waiting in line would help nobody.

    Stands outside the gate, so that what is refused costs next to nothing.

    Args:
        limit: How many requests may be open.
        exempt: Paths that are always answered and not counted: probes must not fail under load, or
            the process is taken for dead and its load falls on the others.
        on_error: Makes the answer to an error.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        exempt: Collection[str],
        on_error: ErrorResponder,
        logging: LoggingPort,
        metrics: MetricsPort,
    ) -> None:
        self._app = app
        self._limit = limit
        self._exempt = frozenset(exempt)
        self._on_error = on_error
        self._logging = logging
        self._metrics = metrics
        self._open = 0
        metrics.watch_requests_in_progress(lambda: self._open)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request if there is room; other scopes pass through.
        """
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        if self._open >= self._limit:
            _note(LimitPolicy.PROCESS, self._logging, self._metrics)
            await self._on_error(scope, OverloadedError(self._limit))(scope, receive, send)
            return
        self._open += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open -= 1


class KeyCapacity:
    """
    Answers 429 when a key has too many requests open. Stands behind the gate, which names the key.

    Args:
        limit: How many requests of one key may be open.
        on_error: Makes the answer to an error.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int,
        on_error: ErrorResponder,
        logging: LoggingPort,
        metrics: MetricsPort,
    ) -> None:
        self._app = app
        self._limit = limit
        self._on_error = on_error
        self._logging = logging
        self._metrics = metrics
        self._open: dict[KeyId, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Serve one request if its key has room; without a key there is no such limit.
        """
        principal: Principal | None = scope.get("state", {}).get("principal")
        if principal is None:
            await self._app(scope, receive, send)
            return
        key_id = principal.key_id
        count = self._open.get(key_id, 0)
        if count >= self._limit:
            _note(LimitPolicy.CONCURRENCY, self._logging, self._metrics)
            await self._on_error(scope, ConcurrencyLimitedError(self._limit))(scope, receive, send)
            return
        self._open[key_id] = count + 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._leave(key_id)

    def _leave(self, key_id: KeyId) -> None:
        count = self._open[key_id] - 1
        if count:
            self._open[key_id] = count
        else:
            del self._open[key_id]


def _note(policy: LimitPolicy, logging: LoggingPort, metrics: MetricsPort) -> None:
    metrics.record_limit_decision(policy, "refused")
    logging.annotate(denial="concurrency", limit=policy)
