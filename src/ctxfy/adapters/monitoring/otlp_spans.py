"""
The spans of a request as OpenTelemetry has them, by its conventions for HTTP, MCP and GenAI.

What is not in the tables here is not exported: no name of a person, no key, no path, no value.
"""

from collections.abc import Iterator, Mapping, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.span import TraceState

from ctxfy.adapters.monitoring.request_trace import RequestTrace, Span
from ctxfy.core.models.trace_models import Step, TraceParent
from ctxfy.core.use_cases.monitoring_use_cases import OTHER


_NANOSECONDS = 1_000_000_000
_SERVER_FAULTS = 500
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_ERROR = Status(StatusCode.ERROR)
_UNSET = Status(StatusCode.UNSET)

_NAMES: Mapping[Step, str] = {
    Step.ACCESS: "decide access",
    Step.LIMITS: "count limits",
    Step.BODY: "read body",
    Step.CATALOG: "find prompt",
    Step.VALIDATION: "validate arguments",
    Step.RENDER: "render prompt",
    Step.FUNCTION: "call prompt function",
    Step.CHANGE: "make change",
    Step.AUDIT: "keep audit event",
}
_REQUEST_ATTRIBUTES: Mapping[str, str] = {
    "method": "http.request.method",
    "endpoint": "http.route",
    "status_code": "http.response.status_code",
    "scheme": "url.scheme",
    "request_id": "ctxfy.request.id",
    "prompt": "gen_ai.prompt.name",
    "prompt_version": "ctxfy.prompt.version",
    "llm_model": "ctxfy.llm.model",
    "error_code": "ctxfy.error.code",
    "denial": "ctxfy.denial",
    "limit": "ctxfy.limit",
    "render_failure": "ctxfy.render.failure",
    "client_name": "ctxfy.client.name",
    "client_version": "ctxfy.client.version",
}
_RPC_ATTRIBUTES: Mapping[str, str] = {
    "rpc_method": "mcp.method.name",
    "protocol_version": "mcp.protocol.version",
    "prompt": "gen_ai.prompt.name",
}
_STORAGE_ATTRIBUTES: Mapping[str, str] = {
    "system": "db.system.name",
    "operation": "ctxfy.storage.operation",
}


class SpanForm:
    """
    Makes OpenTelemetry's spans of ours.

    They are made here and not by its tracer, which wants to know the trace and its parent when a
    span begins, and takes ten times as long on the way of a request.

    Args:
        service: What the server is called.
        version: Of ctxfy.
        instance: Tells this process from others.
    """

    def __init__(self, *, service: str, version: str, instance: str) -> None:
        # Not `Resource.create`, which reads the environment.
        self._resource = Resource(
            {
                "service.name": service,
                "service.version": version,
                "service.instance.id": instance,
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
            }
        )
        self._scope = InstrumentationScope("ctxfy", version)

    def of(self, trace: RequestTrace) -> Iterator[ReadableSpan]:
        """
        Give the spans of a request that is over.
        """
        root = trace.root
        state = _state_of(trace.parent)
        ids = [
            SpanContext(
                int(trace.id, 16),
                int(span.id, 16),
                is_remote=False,
                trace_flags=_SAMPLED,
                trace_state=state,
            )
            for span in trace.spans
        ]
        for span, context in zip(tuple(trace.spans), ids, strict=False):
            is_root = span.parent is None
            yield ReadableSpan(
                name=_name_of(span, root.facts),
                context=context,
                parent=_remote(trace.parent) if is_root else ids[span.parent or 0],
                resource=self._resource,
                attributes=_attributes_of(span, root.facts),
                links=_links(trace.link) if is_root else (),
                kind=_kind_of(span),
                status=_status_of(span, root.facts),
                start_time=_moment(trace, span.began_at),
                end_time=_moment(trace, span.ended_at or root.ended_at or span.began_at),
                instrumentation_scope=self._scope,
            )


def _moment(trace: RequestTrace, at: float) -> int:
    return trace.began_ns + round((at - trace.root.began_at) * _NANOSECONDS)


def _name_of(span: Span, request: Mapping[str, str | int]) -> str:
    match span.step:
        case None:
            route = request.get("endpoint", OTHER)
            method = str(request.get("method", ""))
            return method if route == OTHER else f"{method} {route}"
        case Step.RPC:
            method, prompt = str(request.get("rpc_method", OTHER)), request.get("prompt")
            # Known prompts alone have a name here, so that names stay few.
            return method if prompt is None else f"{method} {prompt}"
        case Step.STORAGE:
            return f"storage {span.facts.get('operation', '')}"
        case step:
            return _NAMES[step]


def _kind_of(span: Span) -> SpanKind:
    if span.step in {None, Step.RPC}:
        return SpanKind.SERVER
    return SpanKind.CLIENT if span.step is Step.STORAGE else SpanKind.INTERNAL


def _attributes_of(span: Span, request: Mapping[str, str | int]) -> dict[str, str | int]:
    match span.step:
        case None:
            found = _renamed(request, _REQUEST_ATTRIBUTES)
            if found.get("http.route") == OTHER:
                del found["http.route"]
            error = str(request["status_code"]) if _is_fault(request) else None
        case Step.RPC:
            found = _renamed(request, _RPC_ATTRIBUTES)
            found |= {"network.transport": "tcp", "network.protocol.name": "http"}
            error = span.error
            if "rpc_error" in request:
                error = found["rpc.response.status_code"] = str(request["rpc_error"])
        case _:
            found, error = _renamed(span.facts, _STORAGE_ATTRIBUTES), span.error
    return found if error is None else found | {"error.type": error}


def _renamed(facts: Mapping[str, str | int], names: Mapping[str, str]) -> dict[str, str | int]:
    return {names[name]: value for name, value in facts.items() if name in names}


def _status_of(span: Span, request: Mapping[str, str | int]) -> Status:
    # What a client did wrong is no fault of the server's span (conventions for HTTP).
    failed = _is_fault(request) if span.step is None else span.error is not None
    return _ERROR if failed else _UNSET


def _is_fault(request: Mapping[str, str | int]) -> bool:
    status = request.get("status_code", 0)
    return isinstance(status, int) and status >= _SERVER_FAULTS


def _remote(parent: TraceParent | None) -> SpanContext | None:
    if parent is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT)
    return SpanContext(
        int(parent.trace_id, 16),
        int(parent.span_id, 16),
        is_remote=True,
        trace_flags=flags,
        trace_state=_state_of(parent),
    )


def _links(passed_over: TraceParent | None) -> Sequence[Link]:
    context = _remote(passed_over)
    return () if context is None else (Link(context),)


def _state_of(parent: TraceParent | None) -> TraceState | None:
    if parent is None or not parent.state:
        return None
    return TraceState.from_header([parent.state])
