"""
Log entries, metrics and health as values (specification 2.2.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
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
        extra: What else there is to say.
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
    extra: Mapping[str, object] = field(default_factory=dict[str, object])


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
    How one dependency is.

    Attributes:
        detail: A sentence for the operator; shown only to callers with a key.
        figures: Numbers and names for the operator; shown only to callers with a key.
    """

    name: str
    status: HealthStatus
    detail: str = ""
    figures: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthReport:
    """
    How the server is: the worst of its checks.
    """

    status: HealthStatus
    checks: tuple[CheckResult, ...] = ()
