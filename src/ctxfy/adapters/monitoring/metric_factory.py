"""
Makes metrics in one registry, their labels bounded.
"""

from collections.abc import Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from ctxfy.adapters.monitoring.bounded_labels import MAX_VALUES, BoundedLabels
from ctxfy.adapters.monitoring.loop_metrics import LoopCounters, LoopHistograms
from ctxfy.adapters.monitoring.watched_counts import WatchedCounts
from ctxfy.adapters.monitoring.worker_figures import Together


BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
"""
Upper bounds of the histograms, seconds: from the quickest answer to a request about to be cut off.
Every target (specification 9.1) is one of them, so that what missed it can be counted.
"""


class Counting(Protocol):
    """
    One series of a counter.
    """

    def inc(self, amount: float = 1) -> None:
        """
        Count.
        """
        ...


class Timing(Protocol):
    """
    One series of a histogram of times.
    """

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """
        Count a time, seconds; the exemplar stands for those in its bucket.
        """
        ...


class MetricFactory:
    """
    What the groups of metrics are made with.

    Args:
        registry: Where the metrics are registered.
        max_values: How many values each label may take.
        shares_counts: Whether counts are kept in files together with other workers; they are not
            in the registry then, which holds what this worker alone knows.

    Attributes:
        ways: What becomes of each gauge where several workers have it.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        max_values: int = MAX_VALUES,
        *,
        shares_counts: bool = False,
    ) -> None:
        self.registry = registry
        self.ways: dict[str, Together] = {}
        self._max_values = max_values
        self._counted = None if shares_counts else registry

    def gauge(
        self, name: str, text: str, *labels: str, together: Together = Together.EACH
    ) -> Gauge:
        """
        Make a value that goes up and down.
        """
        self.ways[name] = together
        return Gauge(name, text, labels, registry=self.registry)

    def info(self, name: str, text: str) -> Info:
        """
        Make what has a name and no value; where workers differ, each is shown.
        """
        self.ways[name] = Together.FIRST
        return Info(name, text, registry=self.registry)

    def watched(self, watched: WatchedCounts, *, together: Together = Together.SUM) -> None:
        """
        Register counts that somebody keeps anyway.
        """
        self.ways[watched.name] = together
        self.registry.register(watched)

    def counter(self, name: str, text: str, *labels: str) -> BoundedLabels[Counting]:
        """
        Make a count by labels.
        """
        metric = Counter(name, text, labels, registry=self._counted)
        return BoundedLabels[Counting](metric, labels, self._max_values)

    def times(
        self, name: str, text: str, *labels: str, buckets: Sequence[float] = BUCKETS
    ) -> BoundedLabels[Timing]:
        """
        Make a distribution of times by labels, seconds.
        """
        metric = Histogram(name, text, labels, registry=self._counted, buckets=buckets)
        return BoundedLabels[Timing](metric, labels, self._max_values)

    def loop_counter(self, name: str, text: str, *labels: str) -> BoundedLabels[Counting]:
        """
        Make a count by labels that the event loop alone counts with: many times a request.
        """
        if self._counted is None:
            return self.counter(name, text, *labels)
        metric = LoopCounters(name, text, labels)
        self._counted.register(metric)
        return BoundedLabels(metric, labels, self._max_values)

    def loop_times(self, name: str, text: str, *labels: str) -> BoundedLabels[Timing]:
        """
        Make such a distribution of times, seconds.
        """
        if self._counted is None:
            return self.times(name, text, *labels)
        metric = LoopHistograms(name, text, labels, BUCKETS)
        self._counted.register(metric)
        return BoundedLabels(metric, labels, self._max_values)
