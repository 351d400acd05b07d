"""
Ports about what is seen from outside. The specification calls them primary; they are driven.

All are synchronous and never raise: telemetry that fails must not fail a request.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from ctxfy.core.models.audit_models import Fate, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import (
    NO_TRAFFIC,
    CheckResult,
    HealthReport,
    MachineFigures,
    RequestTraffic,
)
from ctxfy.core.models.trace_models import Step


class LoggingPort(Protocol):
    """
    Structured records (specification 2.2.2).
    """

    def log_request(
        self,
        request_id: str,
        endpoint: str,
        latency_ms: float,
        user_id: str | None,
        *,
        method: str | None = None,
        status_code: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """
        Write the one line of a finished request.
        """
        ...

    def log_error(
        self, request_id: str | None, error: Exception, context: Mapping[str, object]
    ) -> None:
        """
        Write an error with its structured stack.
        """
        ...

    def log_event(self, event: str, **fields: object) -> None:
        """
        Write that something happened, in past-tense snake case (`catalog_loaded`).
        """
        ...

    def annotate(self, **facts: object) -> None:
        """
        Add facts to the line of the request being served (`llm_model`, `prompt`, `user_id`).
        """
        ...


class MetricsPort(Protocol):
    """
    Counters and histograms (specification 2.2.2). Labels are bounded by whoever implements it.
    """

    def record_request(
        self,
        endpoint: str,
        method: str,
        status_code: int,
        latency_ms: float,
        *,
        traffic: RequestTraffic = NO_TRAFFIC,
    ) -> None:
        """
        Count a finished request; the bytes of its bodies, and what it was over MCP, in `traffic`.
        """
        ...

    def record_prompt_execution(
        self,
        template_id: str,
        latency_ms: float,
        success: bool,  # noqa: FBT001 - positional in the specification
        *,
        version: str = "",
        model: str | None = None,
        outcome: str = "",
    ) -> None:
        """
        Count one execution of a known prompt; `outcome` is `ok`, `invalid` or `failed`.
        """
        ...

    def record_validation_failure(self, template_id: str, code: str) -> None:
        """
        Count one mistake in the arguments of a known prompt.
        """
        ...

    def record_prompt_count(self, template_id: str, labels: Mapping[str, str]) -> None:
        """
        Count by the enum arguments that a prompt's author named under `metrics.count_by`.
        """
        ...

    def record_authentication(self, outcome: str) -> None:
        """
        Count one decision about a caller: `granted` or a DenialReason.
        """
        ...

    def record_api_key_usage(self, api_key: KeyId, endpoint: str) -> None:
        """
        Note the use of a key by its public id: to the log line, never as a label.
        """
        ...

    def record_limit_decision(self, policy: str, outcome: str) -> None:
        """
        Count one decision of a limit, `allowed` or `refused`, by its LimitPolicy.

        Of `process` and `concurrency` only refusals are told.
        """
        ...

    def record_limits_degraded(self, degraded: bool) -> None:  # noqa: FBT001 - a gauge's value
        """
        Set whether limits are kept in this process alone although they should be shared.
        """
        ...

    def watch_connections(
        self, count: Callable[[], int], ended: Callable[[], Sequence[int]]
    ) -> None:
        """
        Have both asked, at every scrape: how many connections are open, and how many were ended.

        Those ended by the server, in the order of `CutReason`.
        """
        ...

    def watch_requests_in_progress(self, count: Callable[[], int]) -> None:
        """
        Have `count` asked, at every scrape, how many requests are being served.
        """
        ...

    def record_keys(self, counts: Mapping[tuple[str, str], int]) -> None:
        """
        Set how many keys there are by KeyState and by Remaining; those not named are none.
        """
        ...

    def record_admin_keys(self, *, newest: datetime | None, end: datetime | None) -> None:
        """
        Set when the newest key that can administer the server was made, and when the last ends.
        """
        ...

    def record_catalog(self, prompts: int, revision: str, loaded_at: datetime) -> None:
        """
        Set how many prompts are served, from which revision, and since when.
        """
        ...

    def record_reload(self, outcome: str) -> None:
        """
        Count an attempt to reload the prompts: `changed`, `unchanged`, `refused` or `failed`.
        """
        ...

    def record_health(self, report: HealthReport) -> None:
        """
        Set the verdict about each part.
        """
        ...

    def record_machine(self, figures: MachineFigures) -> None:
        """
        Set what this process takes of the machine.
        """
        ...

    def record_loop_lag(self, seconds: float) -> None:
        """
        Note how late the event loop was.
        """
        ...

    def record_business_event(self, event: str, amount: float, labels: Mapping[str, str]) -> None:
        """
        Count what a prompt function told to count, once by itself and once by each label.
        """
        ...

    def watch_key_cache(self, lookups: Callable[[], tuple[int, int]]) -> None:
        """
        Have `lookups` asked, at every scrape, how often a key was remembered and how often not.
        """
        ...

    def watch_storage_connections(self, connections: Callable[[], tuple[int, int]]) -> None:
        """
        Have `connections` asked, at every scrape, how many are in use and how many there may be.
        """
        ...

    def watch_log_lines(self, dropped: Callable[[], tuple[int, int]]) -> None:
        """
        Have `dropped` asked, at every scrape, how many lines of the log were lost.

        First those that found no room, then those that could not be written.
        """
        ...

    def watch_workers(self, alive: Callable[[], tuple[int, int]]) -> None:
        """
        Have `alive` asked, at every scrape, how many workers serve, and how many should.
        """
        ...

    def record_certificate_expiry(self, not_after: datetime) -> None:
        """
        Set when the certificate that is shown expires.
        """
        ...

    def record_audit_events(self, fate: Fate, count: int) -> None:
        """
        Count events of the audit trail by what became of them.
        """
        ...

    def record_audit_commit(self, seconds: float) -> None:
        """
        Measure a transaction that events were kept in.
        """
        ...

    def record_audit_verification(self, faults: int, at: datetime) -> None:
        """
        Set what came of verifying the whole trail, and when.
        """
        ...

    def watch_audit_trail(self, state: Callable[[], TrailState]) -> None:
        """
        Have `state` asked, at every scrape, how the writer of the audit trail is.
        """
        ...

    def record_spans(self, outcome: str, count: int) -> None:
        """
        Count spans: `exported`, or why they were dropped.

        That is `queue_full`, `too_many` in one request, `not_delivered` or `shutdown`.
        """
        ...


class TracerPort(Protocol):
    """
    Where the time of a request goes. Outside of a request nothing happens.
    """

    def span(self, step: Step, /, **facts: str | int) -> AbstractContextManager[object]:
        """
        Make a span that lasts as long as its block; those begun within belong below it.

        Of an error its kind is kept, never its words; and no fact that has no attribute.
        """
        ...

    def traced[**P, T](self, step: Step, call: Callable[P, T], /) -> Callable[P, T]:
        """
        Make a callable, or coroutine function, of which every call is such a span.
        """
        ...

    def continue_trace(self, traceparent: object, tracestate: object = None) -> None:
        """
        Let the request being served belong to the span that its message names, if it names one.
        """
        ...


class HealthProbePort(Protocol):
    """
    Driven port: one part that can be well or ill. Never raises.
    """

    async def check(self) -> CheckResult:
        """
        Look after the part, within a second.
        """
        ...
