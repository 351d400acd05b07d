"""
Counts that somebody keeps anyway, asked for when a scrape comes.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import override

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class WatchedCounts(Collector):
    """
    One metric with one label, whose values come from a function.

    Args:
        name: Of the metric.
        text: What it means.
        label: The label's name.
        values: The label's values, in the order of what `read` returns.
        read: Tells the figures; None while nobody does.
        grows: Whether it counts up without end, so that rates can be made of it.
    """

    def __init__(
        self, name: str, text: str, *, label: str, values: Sequence[str], grows: bool
    ) -> None:
        self.read: Callable[[], Sequence[float]] | None = None
        self.name = name
        self._text = text
        self._label = label
        self._values = values
        self._family = CounterMetricFamily if grows else GaugeMetricFamily

    @override
    def collect(self) -> Iterator[Metric]:
        family = self._family(self.name, self._text, labels=[self._label])
        if self.read is not None:
            for value, figure in zip(self._values, self.read(), strict=True):
                family.add_metric([value], figure)
        yield family
