"""
What is counted, scraped as text.
"""

import platform
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from ctxfy.adapters.monitoring.metric_factory import BUCKETS
from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics
from ctxfy.adapters.monitoring.metrics_endpoint import metrics_endpoint
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord
from ctxfy.core.models.audit_models import Fate, TrailState
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.monitoring_models import (
    CheckResult,
    HealthReport,
    HealthStatus,
    MachineFigures,
    RequestTraffic,
)
from ctxfy.core.ports.monitoring_ports import MetricsPort


class Scraped:
    """
    Metrics, and what /metrics says about them.
    """

    def __init__(self, max_values: int = 1000) -> None:
        self.registry = CollectorRegistry()
        self.metrics: MetricsPort = PrometheusMetrics(
            self.registry, endpoints={"/mcp", "/health"}, version="1.2.3", max_values=max_values
        )
        app = Starlette(routes=[Route("/metrics", metrics_endpoint(self.registry))])
        self.client = TestClient(app)

    def text(self) -> str:
        """
        The scrape.
        """
        return self.client.get("/metrics").text

    def values(self, name: str) -> dict[tuple[str, ...], float]:
        """
        Every series of a name: its labels' values in the order of the labels' names.
        """
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name == name
        }


def test_requests_are_counted_by_route_method_and_status() -> None:
    """
    Known routes have their own series, all paths else share one.
    """
    scraped = Scraped()
    for endpoint in ("/mcp", "/mcp", "/health", "/wp-admin.php", "/%2e%2e/etc"):
        scraped.metrics.record_request(endpoint, "POST", 200, 3.0)
    assert scraped.values("ctxfy_http_requests_total") == {
        ("/mcp", "POST", "200"): 2,
        ("/health", "POST", "200"): 1,
        ("other", "POST", "200"): 2,
    }
    assert scraped.values("ctxfy_http_request_duration_seconds_sum")["/mcp", "POST"] == 0.006


def test_durations_have_buckets_from_a_millisecond_to_ten_seconds() -> None:
    """
    The histogram can tell the express lane from a request that was cut off.
    """
    scraped = Scraped()
    scraped.metrics.record_request("/mcp", "POST", 200, 0.9)
    bounds = [key[1] for key in scraped.values("ctxfy_http_request_duration_seconds_bucket")]
    assert (bounds[0], bounds[-2], bounds[-1]) == ("0.001", "10.0", "+Inf")


def test_limits_are_counted_by_policy_and_outcome() -> None:
    """
    Beside them two gauges: whether limits are shared as they should be, and the open requests.
    """
    scraped, in_progress = Scraped(), [3]
    scraped.metrics.watch_requests_in_progress(lambda: in_progress[0])
    for outcome in ("allowed", "allowed", "refused"):
        scraped.metrics.record_limit_decision("key", outcome)
    assert scraped.values("ctxfy_rate_limit_decisions_total") == {
        ("allowed", "key"): 2,
        ("refused", "key"): 1,
    }
    assert scraped.values("ctxfy_http_requests_in_progress") == {(): 3}
    assert scraped.values("ctxfy_rate_limit_degraded") == {(): 0}
    scraped.metrics.record_limits_degraded(degraded=True)
    in_progress[0] = 0
    assert scraped.values("ctxfy_rate_limit_degraded") == {(): 1}
    assert scraped.values("ctxfy_http_requests_in_progress") == {(): 0}


def test_executions_are_counted_by_prompt_version_model_and_outcome() -> None:
    """
    Success and failure follow from the flag unless an outcome says more.
    """
    scraped = Scraped()
    metrics = scraped.metrics
    metrics.record_prompt_execution("letter", 2.0, success=True, version="1.0", model="m")
    metrics.record_prompt_execution("letter", 2.0, success=False, version="1.0")
    metrics.record_prompt_execution("letter", 2.0, success=False, outcome="invalid")
    assert scraped.values("ctxfy_prompt_executions_total") == {
        ("m", "ok", "letter", "1.0"): 1,
        ("none", "failed", "letter", "1.0"): 1,
        ("none", "invalid", "letter", "none"): 1,
    }
    assert scraped.values("ctxfy_prompt_execution_duration_seconds_count") == {("letter",): 3}


def test_the_other_counters_count() -> None:
    """
    Mistakes, the author's own counts and decisions about callers each have their series.
    """
    scraped = Scraped()
    scraped.metrics.record_validation_failure("letter", "missing")
    scraped.metrics.record_prompt_count("letter", {"language": "go", "tone": "kind"})
    scraped.metrics.record_authentication("granted")
    assert scraped.values("ctxfy_prompt_validation_failures_total") == {("missing", "letter"): 1}
    assert scraped.values("ctxfy_prompt_counts_total") == {
        ("language", "letter", "go"): 1,
        ("tone", "letter", "kind"): 1,
    }
    assert scraped.values("ctxfy_authentications_total")[("granted",)] == 1


def test_a_key_is_never_a_label() -> None:
    """
    The use of a key is on the request's log line by its id, and counted by route alone.
    """
    scraped, record = Scraped(), RequestRecord("r-1")
    token = CURRENT_RECORD.set(record)
    scraped.metrics.record_api_key_usage(KeyId("abcdefghijkl"), "/mcp")
    CURRENT_RECORD.reset(token)
    scraped.metrics.record_api_key_usage(KeyId("abcdefghijkl"), "/secret/path")
    assert record.facts == {"key_id": "abcdefghijkl"}
    assert scraped.values("ctxfy_api_key_uses_total") == {("/mcp",): 1, ("other",): 1}
    assert "abcdefghijkl" not in scraped.text()


def test_only_the_revision_served_is_shown() -> None:
    """
    A reload replaces the revision instead of adding a series.
    """
    scraped = Scraped()
    scraped.metrics.record_catalog(2, "old", datetime(2026, 11, 23, tzinfo=UTC))
    scraped.metrics.record_catalog(3, "new", datetime(2026, 11, 24, tzinfo=UTC))
    assert scraped.values("ctxfy_catalog_prompts") == {(): 3}
    assert scraped.values("ctxfy_catalog_info") == {("new",): 1}


def test_the_audit_trail_is_counted_and_looked_at() -> None:
    """
    Every fate of an event has a series from the start; how the writer is, is asked at each scrape.
    """
    scraped = Scraped()
    state = TrailState(
        waiting=4, spooled_bytes=7, is_away=True, lost=1, checkpoint_age=timedelta(seconds=9)
    )
    scraped.metrics.record_audit_events(Fate.STORED, 3)
    scraped.metrics.record_audit_commit(0.004)
    scraped.metrics.watch_audit_trail(lambda: state)
    assert scraped.values("ctxfy_audit_events_total") == {
        ("stored",): 3,
        ("spooled",): 0,
        ("recovered",): 0,
        ("lost",): 0,
    }
    assert scraped.values("ctxfy_audit_commit_duration_seconds_count") == {(): 1}
    assert [
        scraped.values(f"ctxfy_audit_{name}")[()]
        for name in ("waiting_events", "spool_bytes", "away", "checkpoint_age_seconds")
    ] == [4, 7, 1, 9]


def test_a_flood_of_names_is_folded() -> None:
    """
    However many prompts there are, the series stay bounded.
    """
    scraped = Scraped(max_values=3)
    for number in range(10):
        scraped.metrics.record_prompt_execution(f"p{number}", 1.0, success=True)
    assert scraped.values("ctxfy_prompt_execution_duration_seconds_count") == {
        ("p0",): 1,
        ("p1",): 1,
        ("p2",): 1,
        ("other",): 7,
    }


def test_metrics_never_raise() -> None:
    """
    A figure that is none is lost, and the request is not.
    """
    scraped = Scraped()
    scraped.metrics.record_request("/mcp", "POST", 200, float("nan"))
    scraped.metrics.record_request("/mcp", "POST", 200, None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert scraped.values("ctxfy_http_requests_total") == {("/mcp", "POST", "200"): 2}


def test_the_process_and_the_build_are_shown() -> None:
    """
    What runs, and what it takes, is in the same scrape; creation times are not.
    """
    scraped = Scraped()
    assert scraped.values("process_resident_memory_bytes")[()] > 0
    assert () in scraped.values("process_cpu_seconds_total")
    assert scraped.values("ctxfy_build_info") == {(platform.python_version(), "1.2.3"): 1}
    assert "_created" not in scraped.text()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
    ],
)
def test_the_scraper_chooses_the_format(accept: str, content_type: str) -> None:
    """
    Text for whoever asks for nothing, OpenMetrics for whoever accepts it; kept by no cache.
    """
    answer = Scraped().client.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.endswith("# EOF\n") is ("openmetrics" in content_type)


def test_the_parts_of_the_server_have_gauges() -> None:
    """
    Health by part, the machine, the event loop, and when the certificate expires.
    """
    scraped = Scraped()
    now = datetime(2026, 11, 24, tzinfo=UTC)
    checks = tuple(
        CheckResult(name=name, status=status)
        for name, status in zip("abc", HealthStatus, strict=True)
    )
    scraped.metrics.record_health(HealthReport(status=HealthStatus.FAIL, checks=checks))
    scraped.metrics.record_machine(
        MachineFigures(
            time=now,
            memory_used=1,
            memory_limit=2,
            processor_share=0.5,
            disk_free=3,
            disk_total=4,
        )
    )
    scraped.metrics.record_loop_lag(0.02)
    scraped.metrics.record_certificate_expiry(now)
    levels = scraped.values("ctxfy_health_check_level")
    assert levels == {("a",): 0, ("b",): 1, ("c",): 2}
    gauges = {
        "ctxfy_memory_used_bytes": 1,
        "ctxfy_memory_limit_bytes": 2,
        "ctxfy_processor_used_ratio": 0.5,
        "ctxfy_disk_free_bytes": 3,
        "ctxfy_disk_size_bytes": 4,
        "ctxfy_event_loop_lag_seconds_count": 1,
        "ctxfy_certificate_expiry_timestamp_seconds": now.timestamp(),
    }
    assert {name: scraped.values(name)[()] for name in gauges} == gauges


def test_requests_are_counted_by_bucket_for_health() -> None:
    """
    Those to the endpoints asked for, of all methods, each in the one bucket it falls into.
    """
    metrics = PrometheusMetrics(CollectorRegistry(), endpoints={"/mcp", "/health"}, version="1")
    for endpoint, method, milliseconds in (
        ("/mcp", "POST", 0.5),
        ("/mcp", "GET", 150.0),
        ("/mcp", "POST", 99_000.0),
        ("/health", "GET", 1.0),
    ):
        metrics.record_request(endpoint, method, 200, milliseconds)
    counts = metrics.request_counts(["/mcp"])
    assert (len(counts), sum(counts)) == (len(BUCKETS) + 1, 3)
    assert (counts[0], counts[BUCKETS.index(0.2)], counts[-1]) == (1, 1, 1)


def test_requests_over_mcp_are_counted_by_method() -> None:
    """
    With what came of them, and by lane, beside the bytes of every request's bodies.
    """
    scraped = Scraped()
    for outcome in ("ok", "ok", "prompt.not_found"):
        traffic = RequestTraffic(
            bytes_in=10,
            bytes_out=100,
            rpc_method="prompts/get",
            rpc_outcome=outcome,
            rpc_lane="express",
        )
        scraped.metrics.record_request("/mcp", "POST", 200, 3.0, traffic=traffic)
    scraped.metrics.record_request("/health", "GET", 200, 3.0, traffic=RequestTraffic(bytes_out=7))
    assert scraped.values("ctxfy_mcp_requests_total") == {
        ("prompts/get", "ok"): 2,
        ("prompts/get", "prompt.not_found"): 1,
    }
    assert scraped.values("ctxfy_mcp_request_duration_seconds_count") == {("prompts/get",): 3}
    assert scraped.values("ctxfy_mcp_lane_total") == {("express",): 3}
    assert scraped.values("ctxfy_http_request_bytes_total") == {("/mcp",): 30}
    assert scraped.values("ctxfy_http_response_bytes_total") == {("/mcp",): 300, ("/health",): 7}


def test_the_catalog_says_whether_it_is_the_newest() -> None:
    """
    A change that is refused leaves the old prompts in service, and that shows until it is mended.
    """
    scraped = Scraped()
    loaded_at = datetime(2026, 11, 24, tzinfo=UTC)
    scraped.metrics.record_catalog(2, "old", loaded_at)
    newest = []
    for outcome in ("refused", "unchanged", "failed", "changed"):
        scraped.metrics.record_reload(outcome)
        newest.append(scraped.values("ctxfy_catalog_is_newest")[()])
    assert newest == [0, 1, 0, 1]
    loaded = scraped.values("ctxfy_catalog_loaded_timestamp_seconds")
    assert loaded == {(): loaded_at.timestamp()}


def test_what_a_function_counts_is_counted_by_each_label() -> None:
    """
    And by itself; labels stay bounded, and less than nothing is not counted.
    """
    scraped = Scraped(max_values=3)
    for number in range(5):
        scraped.metrics.record_business_event("review", 2, {"kind": f"k{number}"})
    scraped.metrics.record_business_event("review", -1, {})
    counts = scraped.values("ctxfy_business_events_total")
    assert counts["review", "none", "none"] == 10
    assert counts["review", "kind", "other"] == 6


def test_what_others_count_is_asked_for_at_every_scrape() -> None:
    """
    Lookups of keys as a counter, connections as a gauge; nothing while nobody tells.
    """
    scraped = Scraped()
    assert scraped.values("ctxfy_key_cache_lookups_total") == {}
    counts = [(5, 2), (6, 3)]
    scraped.metrics.watch_key_cache(lambda: counts[0])
    scraped.metrics.watch_storage_connections(lambda: (1, 10))
    assert scraped.values("ctxfy_key_cache_lookups_total") == {("hit",): 5, ("miss",): 2}
    counts.pop(0)
    assert scraped.values("ctxfy_key_cache_lookups_total") == {("hit",): 6, ("miss",): 3}
    assert scraped.values("ctxfy_storage_connections") == {("in_use",): 1, ("most",): 10}


def test_a_slow_request_names_its_trace() -> None:
    """
    OpenMetrics shows an example of each bucket, if its trace was kept.
    """
    scraped = Scraped()
    for trace in ("", "4bf92f3577b34da6a3ce929d0e0e4736"):
        traffic = RequestTraffic(kept_trace=trace)
        scraped.metrics.record_request("/mcp", "POST", 200, 3.0, traffic=traffic)
    headers = {"accept": "application/openmetrics-text; version=1.0.0"}
    text = scraped.client.get("/metrics", headers=headers).text
    assert text.count('# {trace_id="4bf92f3577b34da6a3ce929d0e0e4736"} 0.003') == 1
