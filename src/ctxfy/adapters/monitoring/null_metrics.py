"""
`MetricsPort` for when nothing is to be counted.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from ctxfy.core.models.audit_models import Fate, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import (
    NO_TRAFFIC,
    HealthReport,
    MachineFigures,
    RequestTraffic,
)


class NullMetrics:
    """
    Counts nothing.
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
        Do nothing.
        """

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
        Do nothing.
        """

    def record_validation_failure(self, template_id: str, code: str) -> None:
        """
        Do nothing.
        """

    def record_prompt_count(self, template_id: str, labels: Mapping[str, str]) -> None:
        """
        Do nothing.
        """

    def record_authentication(self, outcome: str) -> None:
        """
        Do nothing.
        """

    def record_api_key_usage(self, api_key: KeyId, endpoint: str) -> None:
        """
        Do nothing.
        """

    def record_limit_decision(self, policy: str, outcome: str) -> None:
        """
        Do nothing.
        """

    def record_limits_degraded(self, degraded: bool) -> None:  # noqa: FBT001 - as in the port
        """
        Do nothing.
        """

    def watch_connections(
        self, count: Callable[[], int], ended: Callable[[], Sequence[int]]
    ) -> None:
        """
        Do nothing.
        """

    def watch_requests_in_progress(self, count: Callable[[], int]) -> None:
        """
        Do nothing.
        """

    def record_keys(self, counts: Mapping[tuple[str, str], int]) -> None:
        """
        Do nothing.
        """

    def record_admin_keys(self, *, newest: datetime | None, end: datetime | None) -> None:
        """
        Do nothing.
        """

    def record_catalog(self, prompts: int, revision: str, loaded_at: datetime) -> None:
        """
        Do nothing.
        """

    def record_reload(self, outcome: str) -> None:
        """
        Do nothing.
        """

    def record_health(self, report: HealthReport) -> None:
        """
        Do nothing.
        """

    def record_machine(self, figures: MachineFigures) -> None:
        """
        Do nothing.
        """

    def record_loop_lag(self, seconds: float) -> None:
        """
        Do nothing.
        """

    def record_business_event(self, event: str, amount: float, labels: Mapping[str, str]) -> None:
        """
        Do nothing.
        """

    def watch_key_cache(self, lookups: Callable[[], tuple[int, int]]) -> None:
        """
        Do nothing.
        """

    def watch_storage_connections(self, connections: Callable[[], tuple[int, int]]) -> None:
        """
        Do nothing.
        """

    def watch_log_lines(self, dropped: Callable[[], tuple[int, int]]) -> None:
        """
        Do nothing.
        """

    def watch_workers(self, alive: Callable[[], tuple[int, int]]) -> None:
        """
        Do nothing.
        """

    def record_certificate_expiry(self, not_after: datetime) -> None:
        """
        Do nothing.
        """

    def record_audit_events(self, fate: Fate, count: int) -> None:
        """
        Do nothing.
        """

    def record_audit_commit(self, seconds: float) -> None:
        """
        Do nothing.
        """

    def record_audit_verification(self, faults: int, at: datetime) -> None:
        """
        Do nothing.
        """

    def watch_audit_trail(self, state: Callable[[], TrailState]) -> None:
        """
        Do nothing.
        """

    def record_spans(self, outcome: str, count: int) -> None:
        """
        Do nothing.
        """
