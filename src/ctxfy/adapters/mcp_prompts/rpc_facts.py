"""
What a request over MCP was, for its log line and its audit event: HTTP tells neither.
"""

from collections.abc import Mapping
from typing import Any, Protocol, override

import mcp_types as mt
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from mcp import MCPError
from mcp_types.version import KNOWN_PROTOCOL_VERSIONS

from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.monitoring_ports import TracerPort
from ctxfy.core.use_cases.monitoring_use_cases import OTHER, bound_label
from ctxfy.core.use_cases.trace_use_cases import client_label


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


FASTMCP = "fastmcp"
EXPRESS = "express"
"""
The lanes: who answered.
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
    Notes the method of each request, what its client calls itself, and the error it ends in.
    """

    def __init__(self, annotate: Annotate, tracer: TracerPort) -> None:
        self._annotate = annotate
        self._tracer = tracer

    @override
    async def on_request(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:
        method = bound_label(context.method or OTHER, METHODS)
        self._annotate(lane=FASTMCP, rpc_method=method, **_envelope_of(context))
        if (meta := _meta_of(context)) and "traceparent" in meta:
            self._tracer.continue_trace(meta["traceparent"], meta.get("tracestate"))
        try:
            with self._tracer.span(Step.RPC):
                return await call_next(context)
        except MCPError as error:
            self._annotate(**error_facts(error))
            raise


def error_facts(error: MCPError) -> dict[str, object]:
    """
    Say what a request ended in.
    """
    data = error.error.data
    ours = data.get("code") if isinstance(data, dict) else None
    code = str(ours) if ours else f"rpc{error.error.code}"
    return {"error_code": code, "rpc_error": error.error.code}


def envelope_facts(version: str, client: mt.InitializeRequestParams | None) -> dict[str, object]:
    """
    Say which protocol it was, and what the client calls itself.
    """
    facts: dict[str, object] = {"protocol_version": bound_label(version, KNOWN_PROTOCOL_VERSIONS)}
    if client is not None:
        facts["client_name"] = client_label(client.client_info.name)
        facts["client_version"] = client_label(client.client_info.version)
    return facts


def _meta_of(context: MiddlewareContext[Any]) -> Mapping[str, Any] | None:
    server = context.fastmcp_context
    request = None if server is None else server.request_context
    return None if request is None else request.meta


def _envelope_of(context: MiddlewareContext[Any]) -> dict[str, object]:
    """
    Find out who it is: on the 2026 wire each message says so, before that only the first.
    """
    server = context.fastmcp_context
    request = None if server is None else server.request_context
    if request is None:
        return {}
    message = context.message
    begins = isinstance(message, mt.InitializeRequest)
    params = message.params if begins else request.session.client_params
    return envelope_facts(request.protocol_version, params)
