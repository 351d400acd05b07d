"""
`MetricsPort` on Prometheus.
"""

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from itertools import pairwise

from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.utils import floatToGoString

from ctxfy.adapters.monitoring.audit_metrics import AuditMetrics
from ctxfy.adapters.monitoring.bounded_labels import MAX_VALUES
from ctxfy.adapters.monitoring.key_metrics import KeyMetrics
from ctxfy.adapters.monitoring.metric_factory import BUCKETS, MetricFactory
from ctxfy.adapters.monitoring.part_metrics import PartMetrics
from ctxfy.adapters.monitoring.prompt_metrics import PromptMetrics
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD
from ctxfy.adapters.monitoring.traffic_metrics import TrafficMetrics
from ctxfy.adapters.monitoring.watched_counts import WatchedCounts
from ctxfy.adapters.monitoring.worker_figures import Together
from ctxfy.core.models.audit_models import Fate, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.connection_models import CutReason
from ctxfy.core.models.monitoring_models import (
    NO_TRAFFIC,
    HealthReport,
    MachineFigures,
    RequestTraffic,
)
from ctxfy.core.use_cases.monitoring_use_cases import bound_label


def _silent[**P](record: Callable[P, None]) -> Callable[P, None]:
    @wraps(record)
    def recorded(*args: P.args, **kwargs: P.kwargs) -> None:
        # No `suppress`: that costs as much as to count does.
        try:  # noqa: SIM105 - as said
            record(*args, **kwargs)
        except Exception:  # noqa: BLE001, S110 # nosec B110 - a figure lost fails no request
            pass

    return recorded


def new_registry() -> CollectorRegistry:
    """
    Make a registry of our own; prometheus_client's default one is shared by whoever imports it.
    """
    return CollectorRegistry()


class PrometheusMetrics:
    """
    Counts into a registry of its own.

    Args:
        registry: Where the metrics are registered; nothing else should be in it.
        endpoints: The route templates that exist; all others are counted as `other`.
        version: Of ctxfy, for `ctxfy_build_info`.
        max_values: How many values each label may take.
        shares_counts: Whether counts are kept together with other workers, beside the registry.

    Attributes:
        ways: What becomes of each gauge where several workers have it.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        endpoints: Iterable[str],
        version: str,
        max_values: int = MAX_VALUES,
        shares_counts: bool = False,
    ) -> None:
        # One series more for each counter, and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        make = MetricFactory(registry, max_values, shares_counts=shares_counts)
        self.ways: Mapping[str, Together] = make.ways
        self._endpoints = frozenset(endpoints)
        self._make_request_metrics(make)
        self._prompts = PromptMetrics(make)
        self._keys = KeyMetrics(make)
        self._make_limit_metrics(make)
        self._parts = PartMetrics(make)
        self._traffic = TrafficMetrics(make)
        self._make_watched_metrics(make)
        self._audit = AuditMetrics(make)
        self._spans_exported = make.counter(
            "ctxfy_trace_spans_exported", "Spans that a collector took"
        )
        self._spans_dropped = make.counter(
            "ctxfy_trace_spans_dropped", "Spans that no collector took", "reason"
        )
        make.info("ctxfy_build", "What is running").info(
            {"version": version, "python": platform.python_version()}
        )
        ProcessCollector(registry=registry)

    @_silent
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
        Count a finished request.
        """
        endpoint = bound_label(endpoint, self._endpoints)
        self._requests.of(endpoint, method, str(status_code)).inc()
        self._keys.note_answer(status_code)
        self._request_seconds.of(endpoint, method).observe(
            latency_ms / 1000, {"trace_id": traffic.kept_trace} if traffic.kept_trace else None
        )
        self._traffic.record(endpoint, latency_ms / 1000, traffic)

    @_silent
    def record_prompt_execution(
        self,
        template_id: str,
        latency_ms: float,
        success: bool,  # noqa: FBT001 - positional in the port
        *,
        version: str = "",
        model: str | None = None,
        outcome: str = "",
    ) -> None:
        """
        Count one execution of a known prompt.
        """
        self._prompts.record_execution(
            template_id,
            latency_ms / 1000,
            version=version,
            model=model,
            outcome=outcome or ("ok" if success else "failed"),
        )

    @_silent
    def record_validation_failure(self, template_id: str, code: str) -> None:
        """
        Count one mistake in the arguments of a known prompt.
        """
        self._prompts.validation_failures.of(template_id, code).inc()

    @_silent
    def record_prompt_count(self, template_id: str, labels: Mapping[str, str]) -> None:
        """
        Count by enum arguments; each argument is a count of its own.
        """
        self._prompts.record_count(template_id, labels)

    @_silent
    def record_authentication(self, outcome: str) -> None:
        """
        Count one decision about a caller.
        """
        self._keys.authentications.of(outcome).inc()

    @_silent
    def record_api_key_usage(self, api_key: KeyId, endpoint: str) -> None:
        """
        Note the key's id for the request's log line, and count by endpoint alone.
        """
        if (record := CURRENT_RECORD.get()) is not None:
            record.facts["key_id"] = api_key
        self._key_uses.of(bound_label(endpoint, self._endpoints)).inc()

    @_silent
    def record_limit_decision(self, policy: str, outcome: str) -> None:
        """
        Count one decision of a limit.
        """
        self._limit_decisions.of(policy, outcome).inc()

    @_silent
    def record_limits_degraded(self, degraded: bool) -> None:  # noqa: FBT001 - as in the port
        """
        Set whether limits are kept in this process alone although they should be shared.
        """
        self._limits_degraded.set(degraded)

    @_silent
    def watch_requests_in_progress(self, count: Callable[[], int]) -> None:
        """
        Have `count` asked at every scrape: nothing is to be done for each request.
        """
        self._in_progress.set_function(count)

    @_silent
    def watch_connections(
        self, count: Callable[[], int], ended: Callable[[], Sequence[int]]
    ) -> None:
        """
        Have both asked at every scrape.
        """
        self._connections_open.set_function(count)
        self._connections_cut.read = ended

    @_silent
    def record_keys(self, counts: Mapping[tuple[str, str], int]) -> None:
        """
        Set how many keys there are; a state that no key is in any more is shown as none.
        """
        self._keys.record_keys(counts)

    @_silent
    def record_admin_keys(self, *, newest: datetime | None, end: datetime | None) -> None:
        """
        Set when the newest live admin key was made, and when the last one ends.
        """
        self._keys.record_admins(newest, end)

    @_silent
    def record_catalog(self, prompts: int, revision: str, loaded_at: datetime) -> None:
        """
        Set what is served, and since when; the revision before is forgotten.
        """
        self._prompts.record_catalog(prompts, revision, loaded_at)

    @_silent
    def record_reload(self, outcome: str) -> None:
        """
        Count an attempt to reload the prompts.
        """
        self._prompts.record_reload(outcome)

    @_silent
    def record_health(self, report: HealthReport) -> None:
        """
        Set the verdict about each part.
        """
        self._parts.record_health(report)

    @_silent
    def record_machine(self, figures: MachineFigures) -> None:
        """
        Set what this process takes of the machine.
        """
        self._parts.record_machine(figures)

    @_silent
    def record_loop_lag(self, seconds: float) -> None:
        """
        Note how late the event loop was.
        """
        self._parts.loop_lag.of().observe(seconds)

    @_silent
    def record_business_event(self, event: str, amount: float, labels: Mapping[str, str]) -> None:
        """
        Count once by itself and once by each label.
        """
        self._prompts.record_business_event(event, amount, labels)

    @_silent
    def watch_key_cache(self, lookups: Callable[[], tuple[int, int]]) -> None:
        """
        Have `lookups` asked at every scrape.
        """
        self._key_cache.read = lookups

    @_silent
    def watch_storage_connections(self, connections: Callable[[], tuple[int, int]]) -> None:
        """
        Have `connections` asked at every scrape.
        """
        self._connections.read = connections

    @_silent
    def watch_log_lines(self, dropped: Callable[[], tuple[int, int]]) -> None:
        """
        Have `dropped` asked at every scrape.
        """
        self._log_lines.read = dropped

    @_silent
    def watch_workers(self, alive: Callable[[], tuple[int, int]]) -> None:
        """
        Have `alive` asked at every scrape.
        """
        self._workers.read = alive

    @_silent
    def record_certificate_expiry(self, not_after: datetime) -> None:
        """
        Set when the certificate that is shown expires.
        """
        self._parts.certificate_expiry.set(not_after.timestamp())

    @_silent
    def record_spans(self, outcome: str, count: int) -> None:
        """
        Count spans.
        """
        if outcome == "exported":
            self._spans_exported.of().inc(count)
        else:
            self._spans_dropped.of(outcome).inc(count)

    def request_counts(self, endpoints: Sequence[str]) -> tuple[float, ...]:
        """
        Count the requests to some endpoints by bucket, since the start; the last has no bound.
        """
        reached = dict.fromkeys((*map(floatToGoString, BUCKETS), "+Inf"), 0.0)
        for sample in self._request_seconds.samples():
            if sample.name.endswith("_bucket") and sample.labels["endpoint"] in endpoints:
                reached[sample.labels["le"]] += sample.value
        return tuple(late - early for early, late in pairwise((0.0, *reached.values())))

    @_silent
    def record_audit_events(self, fate: Fate, count: int) -> None:
        """
        Count events of the audit trail.
        """
        self._audit.events.of(fate).inc(count)

    @_silent
    def record_audit_commit(self, seconds: float) -> None:
        """
        Measure a transaction of the audit trail.
        """
        self._audit.commit_seconds.of().observe(seconds)

    @_silent
    def record_audit_verification(self, faults: int, at: datetime) -> None:
        """
        Set what came of verifying the whole trail.
        """
        self._audit.record_verification(faults, at)

    @_silent
    def watch_audit_trail(self, state: Callable[[], TrailState]) -> None:
        """
        Have `state` asked at every scrape.
        """
        self._audit.watch(state)

    def _make_request_metrics(self, make: MetricFactory) -> None:
        self._requests = make.loop_counter(
            "ctxfy_http_requests", "Requests answered", "endpoint", "method", "status"
        )
        self._request_seconds = make.loop_times(
            "ctxfy_http_request_duration_seconds",
            "From a request's first byte to its answer's last",
            "endpoint",
            "method",
        )
        self._key_uses = make.loop_counter(
            "ctxfy_api_key_uses", "Requests that came with a valid key", "endpoint"
        )

    def _make_limit_metrics(self, make: MetricFactory) -> None:
        self._limit_decisions = make.loop_counter(
            "ctxfy_rate_limit_decisions", "Decisions of limits", "policy", "outcome"
        )
        self._limits_degraded = make.gauge(
            "ctxfy_rate_limit_degraded",
            "1 while limits that should be shared are kept in this process alone",
            together=Together.MOST,
        )
        self._in_progress = make.gauge(
            "ctxfy_http_requests_in_progress", "Requests being served", together=Together.SUM
        )

        self._connections_open = make.gauge(
            "ctxfy_http_connections_open", "Connections of clients", together=Together.SUM
        )

    def _make_watched_metrics(self, make: MetricFactory) -> None:
        self._connections_cut = WatchedCounts(
            "ctxfy_http_connections_cut",
            "Connections that the server ended, by why",
            label="reason",
            values=tuple(CutReason),
            grows=True,
        )
        self._key_cache = WatchedCounts(
            "ctxfy_key_cache_lookups",
            "Keys that were looked up, by whether they were remembered",
            label="result",
            values=("hit", "miss"),
            grows=True,
        )
        self._connections = WatchedCounts(
            "ctxfy_storage_connections",
            "Connections to the database: those in use, and the most there may be",
            label="state",
            values=("in_use", "most"),
            grows=False,
        )
        self._log_lines = WatchedCounts(
            "ctxfy_log_lines_dropped",
            "Lines of the log that are lost: for want of room, or of a place that takes them",
            label="reason",
            values=("queue_full", "not_written"),
            grows=True,
        )
        self._workers = WatchedCounts(
            "ctxfy_workers",
            "Processes that serve together, and how many should",
            label="state",
            values=("serving", "wanted"),
            grows=False,
        )
        self._workers.read = lambda: (1, 1)
        make.watched(self._workers, together=Together.MOST)
        make.counter("ctxfy_worker_starts", "Workers started since the server was").of().inc()
        cut = self._connections_cut
        for watched in (self._key_cache, self._connections, self._log_lines, cut):
            make.watched(watched)
