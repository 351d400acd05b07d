"""
The null object does nothing.
"""

from datetime import UTC, datetime

from ctxfy.adapters.monitoring.null_metrics import NullMetrics
from ctxfy.core.models.audit_models import Fate
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.ports.monitoring_ports import MetricsPort


def test_nothing_is_counted_and_nothing_fails() -> None:
    """
    Every method of the port can be called, and leaves no trace.
    """
    null = NullMetrics()
    metrics: MetricsPort = null
    metrics.record_request("/x", "GET", 200, 1.0)
    metrics.record_prompt_execution("p", 1.0, success=True)
    metrics.record_validation_failure("p", "missing")
    metrics.record_prompt_count("p", {"a": "b"})
    metrics.record_authentication("granted")
    metrics.record_api_key_usage(KeyId("abcdefghijkl"), "/x")
    metrics.record_limit_decision("key", "allowed")
    metrics.record_limits_degraded(degraded=True)
    metrics.watch_requests_in_progress(lambda: 1)
    metrics.record_catalog(1, "r", datetime(2026, 11, 24, tzinfo=UTC))
    metrics.record_business_event("x", 1, {})
    metrics.record_audit_events(Fate.STORED, 1)
    metrics.record_audit_commit(0.1)
    metrics.record_spans("exported", 1)
    metrics.watch_key_cache(lambda: (0, 0))
    metrics.watch_storage_connections(lambda: (0, 0))
    assert vars(null) == {}
