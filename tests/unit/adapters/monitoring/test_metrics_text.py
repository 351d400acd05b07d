"""
Metrics are read as they are written.
"""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics
from ctxfy.adapters.monitoring.metrics_text import read_metrics
from ctxfy.core.use_cases.scrape_use_cases import figures_between


def test_what_is_written_is_read() -> None:
    """
    The names that figures are made of are those that the server exports.
    """
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry, endpoints={"/mcp"}, version="1")
    before = read_metrics(generate_latest(registry).decode(), 1.0)
    metrics.record_request("/mcp", "POST", 503, 40.0)
    metrics.record_prompt_execution("greet", 4.0, success=False)
    metrics.watch_requests_in_progress(lambda: 5)
    figures = figures_between(before, read_metrics(generate_latest(registry).decode(), 3.0))
    assert (figures.per_second, figures.failed_share, figures.in_progress) == (0.5, 1.0, 5)
    assert [row.name for row in (*figures.endpoints, *figures.prompts)] == ["/mcp", "greet"]
    assert figures.prompts[0].failed_per_second == 0.5
    assert figures.times.p95 == pytest.approx(0.049, abs=0.001)


def test_what_is_no_metrics_is_refused() -> None:
    """
    A page of somebody else's is no scrape.
    """
    with pytest.raises(ValueError, match="metric name"):
        read_metrics("<html>not metrics", 1.0)
