"""
Two scrapes of one server tell what went on between them.
"""

import pytest

from ctxfy.core.models.scrape_models import Labels, Percentiles, Scrape
from ctxfy.core.use_cases.scrape_use_cases import (
    EXECUTION_TIMES,
    EXECUTIONS,
    IN_PROGRESS,
    REQUEST_TIMES,
    REQUESTS,
    figures_between,
)


def _labels(**labels: str) -> Labels:
    return tuple(sorted(labels.items()))


def _requests(endpoint: str, status: str) -> Labels:
    return _labels(endpoint=endpoint, method="GET", status=status)


def _scrape(at: float, served: float, *, bad: float = 0.0, running: float = 0.0) -> Scrape:
    buckets = {"0.1": served, "0.2": served, "+Inf": served + bad}
    return Scrape(
        at=at,
        samples={
            REQUESTS: {
                _requests("/a", "200"): served,
                _requests("/b", "500"): bad,
                _requests("/b", "429"): bad,
            },
            REQUEST_TIMES: {
                _labels(endpoint="/a", method="GET", le=le): value for le, value in buckets.items()
            },
            IN_PROGRESS: {(): running},
            EXECUTIONS: {
                _labels(prompt="greet", outcome="ok"): served,
                _labels(prompt="greet", outcome="failed"): bad,
                _labels(prompt="idle", outcome="ok"): 7.0,
            },
            EXECUTION_TIMES: {
                _labels(prompt="greet", le=le): value for le, value in buckets.items()
            },
        },
    )


def test_rates_and_shares_are_those_between_two_scrapes() -> None:
    """
    What was counted before the first is none of the second's; what stood still is no row.
    """
    figures = figures_between(_scrape(10, 100), _scrape(20, 180, bad=10, running=3))
    assert (figures.seconds, figures.per_second, figures.in_progress) == (10, 10.0, 3)
    assert figures.failed_share == pytest.approx(0.1)
    assert figures.refused_per_second == 1.0
    rows = [(row.name, row.per_second, row.failed_per_second) for row in figures.endpoints]
    assert rows == [("/a", 8.0, 0.0), ("/b", 2.0, 1.0)]
    (greet,) = figures.prompts
    assert (greet.name, greet.per_second, greet.failed_per_second) == ("greet", 9.0, 1.0)
    assert figures.gauges == {IN_PROGRESS: 3.0}


def test_times_are_read_off_the_buckets() -> None:
    """
    Of the requests in between; an endpoint without any has none.
    """
    figures = figures_between(_scrape(10, 100), _scrape(20, 200))
    times = (figures.times.p50, figures.times.p95, figures.times.p99)
    assert times == pytest.approx((0.05, 0.095, 0.099))
    still = figures_between(_scrape(10, 100), _scrape(20, 100))
    assert (still.times, still.per_second, still.failed_share) == (Percentiles(), 0.0, 0.0)


def test_a_server_that_began_anew_counts_from_nothing() -> None:
    """
    A counter that went down is taken as it is.
    """
    assert figures_between(_scrape(10, 100), _scrape(20, 30)).per_second == 3.0


def test_a_first_scrape_is_compared_with_nothing() -> None:
    """
    Against an empty one all that was counted is news, and a scrape without metrics is quiet.
    """
    assert figures_between(Scrape(at=0), _scrape(10, 50)).per_second == 5.0
    assert figures_between(Scrape(at=0), Scrape(at=0)).endpoints == ()


def test_what_each_worker_has_is_added_up() -> None:
    """
    A gauge of each worker is one of the server; one with other labels is none.
    """
    samples = {
        "memory": {_labels(worker="1"): 3.0, _labels(worker="2"): 4.0},
        "checks": {_labels(check="disk"): 1.0},
    }
    after = Scrape(at=2, samples=samples)
    assert figures_between(Scrape(at=1, samples={}), after).gauges == {"memory": 7.0}
