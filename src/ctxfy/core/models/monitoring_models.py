"""
Log entries, metrics and health as values (specification 2.2.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class LogLevel(StrEnum):
    """
    How much a record matters.
    """

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """
    One log record; a field that does not apply is None, and is written as null.

    Attributes:
        request_id: The request it belongs to, or None outside of one.
        latency_ms: Time from the request's first byte to its answer's last, milliseconds.
        user_id: Pseudonym or clear name, by setting.
        endpoint: The route's template, never a raw path.
        llm_model: The model named by the prompt, if one was used.
        trace_id: The trace that the request belongs to, 32 hexadecimal digits; None without traces.
        span_id: The part of its time that the record was written in, 16 hexadecimal digits.
        key_id: The public id of the key.
        prompt: The prompt that was asked for.
        client_name: What the client calls itself, over MCP.
        protocol_version: Of MCP.
        bytes_in: Of the request's body.
        bytes_out: Of the answer's body.
        logger: Who wrote it.
        extra: What else there is to say.
        exception: What was raised, as plain values.
    """

    timestamp: datetime
    level: LogLevel
    message: str
    request_id: str | None = None
    latency_ms: float | None = None
    user_id: str | None = None
    endpoint: str | None = None
    method: str | None = None
    status_code: int | None = None
    llm_model: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    key_id: str | None = None
    prompt: str | None = None
    prompt_version: str | None = None
    client_name: str | None = None
    client_version: str | None = None
    protocol_version: str | None = None
    bytes_in: int | None = None
    bytes_out: int | None = None
    logger: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict[str, object])
    exception: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """
    One measured number.

    Attributes:
        labels: Bounded in names and values; never a key, a person or a raw path.
    """

    name: str
    value: float
    labels: Mapping[str, str]
    timestamp: datetime


class HealthStatus(StrEnum):
    """
    How a part is; `warn` still serves.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """
    How one part is.

    Attributes:
        detail: A sentence for the operator; shown only to callers with a key.
        figures: Numbers and names for the operator; shown only to callers with a key.
        kind: What the part is: `component`, `datastore` or `system`, in the words of the draft
            (draft-inadarei-api-health-check, section 4).
        observed: What was measured, in `unit`; None if nothing was.
        time: When it was looked at; whoever asks the parts sets it.
    """

    name: str
    status: HealthStatus
    detail: str = ""
    figures: Mapping[str, object] = field(default_factory=dict[str, object])
    kind: str = "component"
    observed: float | None = None
    unit: str = ""
    time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTraffic:
    """
    What else there is to count of a request.

    Attributes:
        bytes_in: Of its body.
        bytes_out: Of the answer's body.
        rpc_method: What it asked for over MCP; empty if it did not.
        rpc_outcome: `ok`, or the code of the error it ended in.
        rpc_lane: Who answered it, `express` or `fastmcp`; empty if it was nothing to answer.
        kept_trace: The id of its trace, if a collector will have it; else empty.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    rpc_method: str = ""
    rpc_outcome: str = "ok"
    rpc_lane: str = ""
    kept_trace: str = ""


NO_TRAFFIC = RequestTraffic()


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFigures:
    """
    What this process has of its machine, or of its container, and what it takes of it.

    Attributes:
        time: When this was measured.
        memory_used: By everything that shares the limit, bytes; what can be given up at once, such
            as cached files, is left out.
        memory_limit: Of the container, or of the machine, bytes.
        processor_share: How busy this process keeps the processor that one process can keep busy,
            or the part of it that its container may use; 1 is all of it.
        disk_free: Beside the database, bytes.
        disk_total: How large that disk is, bytes.
    """

    time: datetime
    memory_used: int
    memory_limit: int
    processor_share: float
    disk_free: int
    disk_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthThresholds:
    """
    Beyond these a part is doubtful.

    Attributes:
        memory: Share of the memory that may be used, 0 to 1.
        processor: Share of the processor that this process may use, 0 to 1.
        disk_free: What must be free beside the database, bytes.
        loop_lag: How late the event loop may be, seconds.
        latencies: How long 95 of 100 requests may take at most, by kind of request, seconds.
        certificate: How long before its end a certificate should have been renewed.
    """

    memory: float
    processor: float
    disk_free: int
    loop_lag: float
    latencies: Mapping[str, float]
    certificate: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSight:
    """
    What one worker sees of one that serves beside it, or of itself.

    Attributes:
        number: Its place, from 1 on.
        troubled: Its checks that do not pass.
        figures: Numbers for the operator.
    """

    number: int
    troubled: tuple[str, ...] = ()
    figures: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """
    How the server is: the worst of its checks.
    """

    status: HealthStatus
    checks: tuple[CheckResult, ...] = ()
