"""
What a request over MCP was, for its log line and its audit event: HTTP tells neither.
"""

from typing import Any, Protocol, override

from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp import MCPError

from ctxfy.core.use_cases.monitoring_use_cases import OTHER


METHODS = frozenset(
    {
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/templates/list",
        "server/discover",
        "subscriptions/listen",
        "tools/call",
        "tools/list",
    }
)
"""
What a request may be noted as; all else is whatever somebody typed.
"""


class Annotate(Protocol):
    """
    Adds facts to the record of the request being served.
    """

    def __call__(self, **facts: object) -> None:
        """
        Add them.
        """
        ...


class RpcFacts(Middleware):
    """
    Notes the method of each request, and the code of the error it ends in.
    """

    def __init__(self, annotate: Annotate) -> None:
        self._annotate = annotate

    @override
    async def on_request(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        method = context.method if context.method in METHODS else OTHER
        self._annotate(rpc_method=method)
        try:
            return await call_next(context)
        except MCPError as error:
            self._annotate(error_code=_code_of(error))
            raise


def _code_of(error: MCPError) -> str:
    data = error.error.data
    ours = data.get("code") if isinstance(data, dict) else None
    return str(ours) if ours else f"rpc{error.error.code}"
