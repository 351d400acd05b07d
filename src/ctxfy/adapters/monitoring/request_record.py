"""
What is known about the request being served, for its one line in the log.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field

from ctxfy.adapters.monitoring.request_trace import Span


@dataclass(slots=True)
class RequestRecord:
    """
    One request's id, and the facts that those further in have found out about it.

    Mutable on purpose. MCP's older wire answers in another task, which has a copy of the context:
    a value set there is never seen here, a fact added to a shared record is.

    Attributes:
        span: The request in its trace; None if nobody takes traces.
    """

    request_id: str
    facts: dict[str, object] = field(default_factory=dict[str, object])
    span: Span | None = None


CURRENT_RECORD: ContextVar[RequestRecord | None] = ContextVar("ctxfy_request_record", default=None)
"""
The record of the request being served; None outside of one.
"""
