"""
Telemetry that remembers what it was told, a probe that answers what it is given, a clock.

Ask the lists: `logging.requests[0]["endpoint"]`, `metrics.requests == [("/x", "GET", 200)]`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ctxfy.core.models.audit_models import Fate, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import (
    NO_TRAFFIC,
    CheckResult,
    HealthReport,
    MachineFigures,
    RequestTraffic,
)


class RecordingLogging:
    """
    `LoggingPort`: every record as a dict, every annotation in one.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, object]] = []
        self.errors: list[tuple[str | None, Exception, dict[str, object]]] = []
        self.events: list[tuple[str, dict[str, object]]] = []
        self.facts: dict[str, object] = {}

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
        Remember a request; what came as `extra` lies beside the rest.
        """
        self.requests.append(
            {
                **(extra or {}),
                "request_id": request_id,
                "endpoint": endpoint,
                "latency_ms": latency_ms,
                "user_id": user_id,
                "method": method,
                "status_code": status_code,
            }
        )

    def log_error(
        self, request_id: str | None, error: Exception, context: Mapping[str, object]
    ) -> None:
        """
        Remember an error.
        """
        self.errors.append((request_id, error, dict(context)))

    def log_event(self, event: str, **fields: object) -> None:
        """
        Remember an event.
        """
        self.events.append((event, fields))

    def annotate(self, **facts: object) -> None:
        """
        Remember facts.
        """
        self.facts.update(facts)


class RecordingMetrics:
    """
    `MetricsPort`: what happened, in order; times are left out, since no test is about them.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, int]] = []
        self.executions: list[dict[str, object]] = []
        self.validation_failures: list[tuple[str, str]] = []
        self.prompt_counts: list[tuple[str, dict[str, str]]] = []
        self.authentications: Counter[str] = Counter()
        self.key_usages: list[tuple[KeyId, str]] = []
        self.keys: list[dict[tuple[str, str], int]] = []
        self.verifications: list[tuple[int, datetime]] = []
        self.admin_keys: list[tuple[datetime | None, datetime | None]] = []
        self.catalog: tuple[int, str] | None = None
        self.reloads: list[str] = []
        self.limit_decisions: Counter[tuple[str, str]] = Counter()
        self.degraded: list[bool] = []
        self.in_progress: Callable[[], int] = lambda: 0
        self.connections_open: Callable[[], int] = lambda: 0
        self.connections_ended: Callable[[], Sequence[int]] = lambda: ()
        self.health: list[HealthReport] = []
        self.business: list[tuple[str, float, dict[str, str]]] = []
        self.traffic: list[RequestTraffic] = []
        self.machine: list[MachineFigures] = []
        self.loop_lags: list[float] = []
        self.certificate_expiry: datetime | None = None
        self.key_cache: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.connections: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.log_lines: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.workers: Callable[[], tuple[int, int]] = lambda: (0, 0)
        self.audit_events: Counter[Fate] = Counter()
        self.audit_commits = 0
        self.trail_state: Callable[[], TrailState] | None = None
        self.spans: Counter[str] = Counter()

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
        Remember a request.
        """
        self.requests.append((endpoint, method, status_code))
        self.traffic.append(traffic)

    def record_prompt_execution(
        self,
        template_id: str,
        latency_ms: float,
        success: bool,
        *,
        version: str = "",
        model: str | None = None,
        outcome: str = "",
    ) -> None:
        """
        Remember an execution.
        """
        self.executions.append(
            {
                "template_id": template_id,
                "success": success,
                "version": version,
                "model": model,
                "outcome": outcome,
            }
        )

    def record_validation_failure(self, template_id: str, code: str) -> None:
        """
        Remember a mistake.
        """
        self.validation_failures.append((template_id, code))

    def record_prompt_count(self, template_id: str, labels: Mapping[str, str]) -> None:
        """
        Remember a count.
        """
        self.prompt_counts.append((template_id, dict(labels)))

    def record_authentication(self, outcome: str) -> None:
        """
        Count an outcome.
        """
        self.authentications[outcome] += 1

    def record_api_key_usage(self, api_key: KeyId, endpoint: str) -> None:
        """
        Remember a use.
        """
        self.key_usages.append((api_key, endpoint))

    def record_limit_decision(self, policy: str, outcome: str) -> None:
        """
        Count a decision.
        """
        self.limit_decisions[policy, outcome] += 1

    def record_limits_degraded(self, degraded: bool) -> None:
        """
        Remember each change.
        """
        self.degraded.append(degraded)

    def watch_connections(
        self, count: Callable[[], int], ended: Callable[[], Sequence[int]]
    ) -> None:
        """
        Remember whom to ask.
        """
        self.connections_open, self.connections_ended = count, ended

    def watch_requests_in_progress(self, count: Callable[[], int]) -> None:
        """
        Remember whom to ask.
        """
        self.in_progress = count

    def record_keys(self, counts: Mapping[tuple[str, str], int]) -> None:
        """
        Remember counts.
        """
        self.keys.append(dict(counts))

    def record_admin_keys(self, *, newest: datetime | None, end: datetime | None) -> None:
        """
        Remember when the newest was made, and when the last ends.
        """
        self.admin_keys.append((newest, end))

    def record_catalog(self, prompts: int, revision: str, loaded_at: datetime) -> None:
        """
        Remember the catalog.
        """
        self.catalog = (prompts, revision)

    def record_reload(self, outcome: str) -> None:
        """
        Remember the attempt.
        """
        self.reloads.append(outcome)

    def record_health(self, report: HealthReport) -> None:
        """
        Remember the verdict.
        """
        self.health.append(report)

    def record_machine(self, figures: MachineFigures) -> None:
        """
        Remember the figures.
        """
        self.machine.append(figures)

    def record_loop_lag(self, seconds: float) -> None:
        """
        Remember the lateness.
        """
        self.loop_lags.append(seconds)

    def record_business_event(self, event: str, amount: float, labels: Mapping[str, str]) -> None:
        """
        Remember the event.
        """
        self.business.append((event, amount, dict(labels)))

    def watch_key_cache(self, lookups: Callable[[], tuple[int, int]]) -> None:
        """
        Remember whom to ask.
        """
        self.key_cache = lookups

    def watch_storage_connections(self, connections: Callable[[], tuple[int, int]]) -> None:
        """
        Remember whom to ask.
        """
        self.connections = connections

    def watch_log_lines(self, dropped: Callable[[], tuple[int, int]]) -> None:
        """
        Remember whom to ask.
        """
        self.log_lines = dropped

    def watch_workers(self, alive: Callable[[], tuple[int, int]]) -> None:
        """
        Remember whom to ask.
        """
        self.workers = alive

    def record_certificate_expiry(self, not_after: datetime) -> None:
        """
        Remember the end.
        """
        self.certificate_expiry = not_after

    def record_audit_events(self, fate: Fate, count: int) -> None:
        """
        Count events.
        """
        self.audit_events[fate] += count

    def record_audit_commit(self, seconds: float) -> None:
        """
        Count transactions.
        """
        self.audit_commits += 1

    def record_audit_verification(self, faults: int, at: datetime) -> None:
        """
        Remember what came of a verification.
        """
        self.verifications.append((faults, at))

    def watch_audit_trail(self, state: Callable[[], TrailState]) -> None:
        """
        Remember whom to ask.
        """
        self.trail_state = state

    def record_spans(self, outcome: str, count: int) -> None:
        """
        Count spans.
        """
        self.spans[outcome] += count


class FakeProbe:
    """
    `HealthProbePort`: answers `result`, or raises it if it is an error; counts the questions.
    """

    def __init__(self, result: CheckResult | Exception) -> None:
        self.result = result
        self.asked = 0

    async def check(self) -> CheckResult:
        """
        Answer.
        """
        self.asked += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class FakeClock:
    """
    A monotonic clock that stands until a test moves it.
    """

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """
        Tell the seconds.
        """
        return self.now
