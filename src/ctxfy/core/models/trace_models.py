"""
Traces as values: where a request came from, and the parts that its time is divided into.
"""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """
    A part of a request's time. The list is closed: a span is named by it, never by a caller.
    """

    ACCESS = "access"
    LIMITS = "limits"
    BODY = "body"
    RPC = "rpc"
    CATALOG = "catalog"
    VALIDATION = "validation"
    RENDER = "render"
    FUNCTION = "function"
    STORAGE = "storage"
    CHANGE = "change"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceParent:
    """
    The span elsewhere that a request belongs to (W3C Trace Context).

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        sampled: Whether whoever sent it keeps its own spans.
        state: What tracing systems have to say to each other; handed on as it is.
    """

    trace_id: str
    span_id: str
    sampled: bool
    state: str = ""
