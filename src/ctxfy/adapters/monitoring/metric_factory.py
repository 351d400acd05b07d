"""
Makes metrics in one registry, their labels bounded.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ctxfy.adapters.monitoring.bounded_labels import MAX_VALUES, BoundedLabels


BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
"""
Upper bounds of the histograms, seconds: from the quickest answer to a request about to be cut off.
Every target (specification 9.1) is one of them, so that what missed it can be counted.
"""


class MetricFactory:
    """
    What the groups of metrics are made with.

    Args:
        registry: Where the metrics are registered.
        max_values: How many values each label may take.
    """

    def __init__(self, registry: CollectorRegistry, max_values: int = MAX_VALUES) -> None:
        self.registry = registry
        self._max_values = max_values

    def gauge(self, name: str, text: str) -> Gauge:
        """
        Make a value that goes up and down.
        """
        return Gauge(name, text, registry=self.registry)

    def counter(self, name: str, text: str, *labels: str) -> BoundedLabels[Counter]:
        """
        Make a count by labels.
        """
        metric = Counter(name, text, labels, registry=self.registry)
        return BoundedLabels(metric, labels, self._max_values)

    def times(
        self, name: str, text: str, *labels: str, buckets: Sequence[float] = BUCKETS
    ) -> BoundedLabels[Histogram]:
        """
        Make a distribution of times by labels, seconds.
        """
        metric = Histogram(name, text, labels, registry=self.registry, buckets=buckets)
        return BoundedLabels(metric, labels, self._max_values)
