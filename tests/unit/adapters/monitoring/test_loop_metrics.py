"""
What the event loop counts by itself looks as if the library had counted it.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.openmetrics import exposition
from prometheus_client.registry import Collector

from ctxfy.adapters.monitoring.loop_metrics import LoopCounters, LoopHistogram, LoopHistograms
from ctxfy.adapters.monitoring.metric_factory import BUCKETS


NAMES = ("endpoint", "method")
labels = st.tuples(st.text(max_size=3), st.sampled_from(["GET", "POST"]))


def scraped(*metrics: Collector) -> tuple[bytes, bytes]:
    """
    Write what was counted, in both formats.
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    for metric in metrics:
        registry.register(metric)
    openmetrics: bytes = exposition.generate_latest(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), openmetrics


@settings(max_examples=30)
@given(st.lists(st.tuples(labels, st.integers(0, 2**40) | st.floats(0, 1e12))))
def test_a_counter_is_written_like_the_librarys(
    counted: list[tuple[tuple[str, str], float]],
) -> None:
    """
    Byte for byte, whatever the labels.
    """
    ours, theirs = (
        LoopCounters("a_things", "Things", NAMES),
        Counter("a_things", "Things", NAMES, registry=None),
    )
    for values, amount in counted:
        ours.labels(*values).inc(amount)
        theirs.labels(*values).inc(amount)
    assert scraped(ours) == scraped(theirs)


@settings(max_examples=30)
@given(st.lists(st.tuples(labels, st.floats(0, 20) | st.sampled_from(BUCKETS))))
def test_a_histogram_is_written_like_the_librarys(
    timed: list[tuple[tuple[str, str], float]],
) -> None:
    """
    A time that is a bound is within it.
    """
    ours = LoopHistograms("a_seconds", "Times", NAMES, BUCKETS)
    theirs = Histogram("a_seconds", "Times", NAMES, registry=None, buckets=BUCKETS)
    for values, seconds in timed:
        ours.labels(*values).observe(seconds)
        theirs.labels(*values).observe(seconds)
    assert scraped(ours) == scraped(theirs)


def test_an_exemplar_is_the_last_one_of_its_bucket() -> None:
    """
    With its value; other buckets have none.
    """
    metric = LoopHistograms("a_seconds", "Times", ("method",), (1.0, 2.0))
    for trace, seconds in (("first", 0.5), ("second", 0.7), ("third", 1.5)):
        metric.labels("GET").observe(seconds, {"trace_id": trace})
    metric.labels("GET").observe(0.1)
    lines = scraped(metric)[1].decode().splitlines()
    buckets = [line.split(" # ") for line in lines if "_bucket" in line]
    assert [bucket[1].rsplit(" ", 1)[0] for bucket in buckets[:2]] == [
        '{trace_id="second"} 0.7',
        '{trace_id="third"} 1.5',
    ]
    assert len(buckets[2]) == 1


@pytest.mark.parametrize("amount", [math.nan, -1.0])
def test_what_is_no_time_spoils_no_sum(amount: float) -> None:
    """
    One of these would be in the sum for ever.
    """
    histogram = LoopHistogram(BUCKETS)
    histogram.observe(amount)
    histogram.observe(0.5)
    assert (histogram.total, sum(histogram.counts)) == (0.5, 1)


def test_names_are_taken_once() -> None:
    """
    As the library has it, also for the names that a type adds.
    """
    registry = CollectorRegistry()
    registry.register(LoopCounters("a_things", "Things", NAMES))
    with pytest.raises(ValueError, match="a_things_total"):
        Counter("a_things", "Things", NAMES, registry=registry)
