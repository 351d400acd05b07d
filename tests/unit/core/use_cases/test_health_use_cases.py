"""
What is measured is compared with its threshold, and never worse than a warning.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.monitoring_models import (
    CheckResult,
    HealthReport,
    HealthStatus,
    WorkerSight,
)
from ctxfy.core.use_cases import health_use_cases as health


NOW = datetime(2026, 11, 24, tzinfo=UTC)
MB = health.MEGABYTE
BOUNDS = (0.1, 0.2, 0.5)


@pytest.mark.parametrize(
    ("check", "status", "words", "observed"),
    [
        (health.judge_memory(79 * MB, 100 * MB, 0.8), "pass", "79 % of 100 MB is used.", 79.0),
        (health.judge_memory(81 * MB, 100 * MB, 0.8), "warn", "80 % is the threshold", 81.0),
        (health.judge_memory(1, 0, 0.8), "pass", "0 % of 0 MB", 0.0),
        (health.judge_processor(0.7, 0.7), "pass", "70 % of what one process can use", 70.0),
        (health.judge_processor(1.3, 0.7), "warn", "start another replica", 130.0),
        (health.judge_disk(600 * MB, 512 * MB), "pass", "600 MB is free", 600.0 * MB),
        (health.judge_disk(500 * MB, 512 * MB), "warn", "make room", 500.0 * MB),
        (health.judge_loop_lag(0.01, 0.25), "pass", "at most 10 ms late.", 10.0),
        (health.judge_loop_lag(0.3, 0.25), "warn", "250 ms is the threshold", 300.0),
    ],
)
def test_a_measured_part_warns_beyond_its_threshold(
    check: CheckResult, status: str, words: str, observed: float
) -> None:
    """
    The sentence tells the figure, and beyond the threshold that too, and what to do.
    """
    assert (check.status, words in check.detail, check.observed) == (status, True, observed)


def test_traces_that_are_lost_are_a_warning() -> None:
    """
    Nobody waits for them, so nothing fails.
    """
    verdicts = [health.judge_traces(delivered=delivered).status for delivered in (True, False)]
    assert verdicts == ["pass", "warn"]


@pytest.mark.parametrize(
    ("left", "status", "words", "days"),
    [
        (timedelta(days=30), "pass", "expires on 2026-12-24.", 30.0),
        (timedelta(days=14), "warn", "expires on 2026-12-08; put the renewed one", 14.0),
        (timedelta(days=-1), "warn", "expired on 2026-11-23; put", -1.0),
    ],
)
def test_a_certificate_is_renewed_in_time(
    left: timedelta, status: str, words: str, days: float
) -> None:
    """
    Even one that has expired is no reason to take the server away: clients would see less.
    """
    check = health.judge_certificate(NOW + left, NOW, timedelta(days=14))
    assert (check.status, words in check.detail, check.observed) == (status, True, days)


@pytest.mark.parametrize(
    ("measured", "status", "words", "figures"),
    [
        ({"prompts": None}, "pass", "No kind", {}),
        ({"prompts": 0.2, "health": 0.001}, "pass", "No kind", {"prompts_p95_ms": 200.0}),
        ({"prompts": 0.3}, "warn", "prompts: 300 ms instead of 200 ms", {"prompts_p95_ms": 300.0}),
    ],
)
def test_slow_kinds_of_requests_are_named(
    measured: Mapping[str, float | None], status: str, words: str, figures: Mapping[str, float]
) -> None:
    """
    Each kind has its target; of too few requests nothing is said.
    """
    check = health.judge_latencies(measured, {"prompts": 0.2, "health": 0.01})
    assert (check.status, words in check.detail) == (status, True)
    assert figures.items() <= check.figures.items()


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ((0, 0, 0, 0), 0.95, None),
        ((10, 0, 0, 0), 0.5, 0.05),
        ((10, 10, 0, 0), 0.75, 0.15),
        ((10, 0, 10, 0), 0.75, 0.35),
        ((0, 0, 0, 5), 0.95, 0.5),
        ((90, 0, 0, 10), 0.95, 0.5),
    ],
)
def test_a_quantile_is_interpolated_within_its_bucket(
    counts: tuple[float, ...], share: float, expected: float | None
) -> None:
    """
    As Prometheus estimates it; what lies beyond the last bound counts as that bound.
    """
    found = health.quantile(BOUNDS, counts, share)
    assert found == (None if expected is None else pytest.approx(expected))


@given(
    values=st.lists(st.floats(min_value=0, max_value=0.5), min_size=1, max_size=50),
    share=st.floats(min_value=0.01, max_value=1),
)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(values: list[float], share: float) -> None:
    """
    The estimate is never further from the truth than the bucket is wide.
    """
    edges = (0.0, *BOUNDS)
    buckets = [
        sum(1 for value in values if low < value <= high or (low == 0 == value))
        for low, high in zip(edges, BOUNDS, strict=False)
    ]
    true = sorted(values)[max(-(-len(values) * share // 1) - 1, 0).__int__()]
    low, high = next((low, high) for low, high in zip(edges, BOUNDS, strict=False) if true <= high)
    found = health.quantile(BOUNDS, (*buckets, 0), share)
    assert found is not None
    assert low - 1e-9 <= found <= high + 1e-9


def test_only_what_changed_is_told() -> None:
    """
    Of a first report what is not well; later each verdict that is another than it was.
    """

    def report(**checks: HealthStatus) -> HealthReport:
        return HealthReport(
            status=HealthStatus.PASS,
            checks=tuple(CheckResult(name=name, status=status) for name, status in checks.items()),
        )

    good, poor = HealthStatus.PASS, HealthStatus.WARN
    first, second = report(a=good, b=poor), report(a=poor, b=good)
    assert [check.name for check in health.changed_checks(None, first)] == ["b"]
    assert [check.name for check in health.changed_checks(first, second)] == ["a", "b"]
    assert not list(health.changed_checks(first, first))


def test_all_workers_that_serve_well_pass() -> None:
    """
    The figures say which of them was asked, and tell of each.
    """
    seen = [WorkerSight(number=1, figures={"pid": 7}), WorkerSight(number=2)]
    result = health.judge_workers("workers", seen, 2, 1)
    assert (result.status, result.detail) == (HealthStatus.PASS, "2 of 2 workers serve.")
    assert result.figures == {"asked": 1, "workers": [{"number": 1, "pid": 7}, {"number": 2}]}


def test_whoever_is_asked_tells_of_the_others_trouble() -> None:
    """
    A worker that is missing, and one that has trouble, are told of in one sentence.
    """
    seen = [WorkerSight(number=1), WorkerSight(number=3, troubled=("storage", "disk"))]
    result = health.judge_workers("workers", seen, 3, 1)
    assert result.status is HealthStatus.WARN
    assert result.detail == (
        "2 of 3 workers serve; another is started for each that is missing; "
        "worker 3 has trouble with storage, disk."
    )
