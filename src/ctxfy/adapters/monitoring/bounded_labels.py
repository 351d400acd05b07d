"""
Labels that cannot grow without bound, whatever is counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, cast

from prometheus_client import Metric
from prometheus_client.samples import Sample

from ctxfy.core.use_cases.monitoring_use_cases import OTHER


MAX_VALUES = 1000
NONE = "none"
"""
The label of what is absent or empty: to Prometheus, an empty label is no label.
"""


class Labelled[M](Protocol):
    """
    A metric by labels: the library's, or one of ours.
    """

    def labels(self, *labelvalues: str) -> M:
        """
        Return the metric with these labels.
        """
        ...

    def collect(self) -> Iterable[Metric]:
        """
        List what was counted so far.
        """
        ...


class BoundedLabels[M]:
    """
    A metric whose labels take a limited number of values each; the ones after become `other`.

    Args:
        metric: The metric, not labelled yet.
        names: Its labels.
        limit: How many values each label may have.
    """

    def __init__(self, metric: Labelled[M], names: Sequence[str], limit: int = MAX_VALUES) -> None:
        self._metric = metric
        self._seen: list[set[str]] = [set() for _ in names]
        self._limit = limit
        # Without labels it is the metric itself.
        self._metrics: dict[tuple[str | None, ...], M] = {} if names else {(): cast("M", metric)}

    def of(self, *values: str | None) -> M:
        """
        Return the metric for these labels, in the order of their names.
        """
        known = self._metrics.get(values)
        if known is not None:
            return known
        folded = tuple(map(self._fold, self._seen, values))
        metric = self._metric.labels(*folded)
        if OTHER not in folded:  # what was folded has no bound, and is not remembered
            self._metrics[values] = metric
        return metric

    def samples(self) -> Iterator[Sample]:
        """
        List what was counted so far.
        """
        for metric in self._metric.collect():
            yield from metric.samples

    def _fold(self, seen: set[str], value: str | None) -> str:
        value = value or NONE
        if value not in seen:
            if len(seen) >= self._limit:
                return OTHER
            seen.add(value)
        return value
