"""
The metrics of several workers, put together by any of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics, new_registry
from ctxfy.adapters.monitoring.metrics_text import read_metrics
from ctxfy.adapters.monitoring.shared_counts import SharedCounts
from ctxfy.adapters.monitoring.worker_board import FRESH_SECONDS, WorkerBoard
from ctxfy.adapters.monitoring.worker_figures import shown_together
from ctxfy.core.models.monitoring_models import CheckResult, HealthReport, HealthStatus


@dataclass
class Worker:
    """
    One worker's metrics, in the process of the test.
    """

    folder: Path
    number: int
    clock: list[float]
    metrics: PrometheusMetrics = field(init=False)
    board: WorkerBoard = field(init=False)
    counts: SharedCounts = field(init=False)
    registry: CollectorRegistry = field(init=False)

    def __post_init__(self) -> None:
        registry = new_registry()
        self.board = WorkerBoard(
            self.folder, number=self.number, count=2, monotonic=lambda: self.clock[0]
        )
        self.counts = SharedCounts(self.folder, self.number)
        self.count_here()
        self.metrics = PrometheusMetrics(
            registry, endpoints=["/mcp"], version="1", shares_counts=True
        )
        self.registry = shown_together(
            registry, self.metrics.ways, board=self.board, counts=self.counts
        )

    def count_here(self) -> None:
        """
        Have what is counted next be this worker's; in a process of its own it always is.
        """
        self.counts.install()

    def serve(self, times: int) -> None:
        """
        Count requests.
        """
        self.count_here()
        for _ in range(times):
            self.metrics.record_request("/mcp", "POST", 200, 30.0)

    def shown(self, name: str) -> dict[str, float]:
        """
        Scrape this worker; return the series of a metric by their labels, written out.
        """
        found = read_metrics(generate_latest(self.registry).decode(), 0.0).samples[name]
        return {
            ",".join(f"{label}={value}" for label, value in labels): count
            for labels, count in found.items()
        }


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """
    Two workers that have posted their notes.
    """
    clock = [100.0]
    one, other = (Worker(tmp_path, number, clock) for number in (1, 2))
    yield one, other
    other.counts.close()
    one.counts.close()


def post(*workers: Worker) -> None:
    """
    Have their notes written.
    """
    for worker in workers:
        worker.board.post()


def test_counts_are_sums_wherever_they_are_asked_for(pair: tuple[Worker, Worker]) -> None:
    """
    Counters and histograms of all workers are added up at once, without a note.
    """
    one, other = pair
    one.serve(2)
    other.serve(3)
    for worker in pair:
        assert worker.shown("ctxfy_http_requests_total") == {
            "endpoint=/mcp,method=POST,status=200": 5.0
        }
        buckets = worker.shown("ctxfy_http_request_duration_seconds_bucket")
        assert buckets["endpoint=/mcp,le=0.025,method=POST"] == 0.0
        assert buckets["endpoint=/mcp,le=0.05,method=POST"] == 5.0


def test_a_worker_in_a_dead_ones_place_goes_on_counting(pair: tuple[Worker, Worker]) -> None:
    """
    No sum falls, neither of what is counted as it happens nor of what is asked for at a scrape.
    """
    one, other = pair
    other.serve(1)
    other.metrics.watch_key_cache(lambda: (7, 1))
    post(one, other)
    again = Worker(other.folder, 2, other.clock)
    again.serve(1)
    again.metrics.watch_key_cache(lambda: (2, 0))
    for worker in (one, again):
        post(again)
        assert sum(worker.shown("ctxfy_http_requests_total").values()) == 2.0
        assert worker.shown("ctxfy_key_cache_lookups_total")["result=hit"] == 9.0
    again.counts.close()


def test_each_gauge_becomes_what_it_should(pair: tuple[Worker, Worker]) -> None:
    """
    A sum of what is in progress, the worst of health, the first worker's keys, a process each.
    """
    one, other = pair
    one.metrics.watch_requests_in_progress(lambda: 2)
    other.metrics.watch_requests_in_progress(lambda: 3)
    for worker, status in ((one, HealthStatus.PASS), (other, HealthStatus.WARN)):
        report = HealthReport(status=status, checks=(CheckResult(name="disk", status=status),))
        worker.metrics.record_health(report)
    one.metrics.record_keys({("active", "endless"): 4})
    post(one, other)
    for worker in pair:
        assert worker.shown("ctxfy_http_requests_in_progress") == {"": 5.0}
        assert worker.shown("ctxfy_health_check_level") == {"check=disk": 1.0}
        assert worker.shown("ctxfy_api_keys") == {"expires=endless,state=active": 4.0}
        assert set(worker.shown("process_resident_memory_bytes")) == {"worker=1", "worker=2"}


def test_of_a_worker_that_is_gone_only_its_counts_are_left(pair: tuple[Worker, Worker]) -> None:
    """
    How it was is not told for longer than a few seconds; what it counted is.
    """
    one, other = pair
    other.metrics.watch_requests_in_progress(lambda: 3)
    other.metrics.watch_key_cache(lambda: (7, 1))
    post(other)
    assert one.shown("ctxfy_http_requests_in_progress") == {"": 3.0}
    one.clock[0] += FRESH_SECONDS
    assert one.shown("ctxfy_http_requests_in_progress") == {"": 0.0}
    assert set(one.shown("process_resident_memory_bytes")) == {"worker=1"}
    assert one.shown("ctxfy_key_cache_lookups_total")["result=hit"] == 7.0


def test_a_damaged_note_is_none(pair: tuple[Worker, Worker]) -> None:
    """
    A scrape tells what can be read.
    """
    one, other = pair
    (one.folder / "worker-2.json").write_bytes(b"{")
    assert other.board.note(2) is None
    assert set(one.shown("process_resident_memory_bytes")) == {"worker=1"}
