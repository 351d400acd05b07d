"""
Counters and histograms that the event loop alone counts with, several of them for each request.

They are plain numbers, under no lock, and become samples when a scrape comes. What other threads
count, or several workers together, is kept in the library's own.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import override

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString


class LoopCounter:
    """
    One series of a counter.
    """

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """
        Count.
        """
        self.value += amount


class LoopCounters(Collector):
    """
    A counter by labels.
    """

    def __init__(self, name: str, text: str, names: Sequence[str]) -> None:
        self._name = name
        self._text = text
        self._names = names
        self._series: dict[tuple[str, ...], LoopCounter] = {}

    def labels(self, *values: str) -> LoopCounter:
        """
        Return the series with these labels; it begins at nothing.
        """
        return self._series.setdefault(values, LoopCounter())

    @override
    def collect(self) -> Iterator[Metric]:
        (family,) = self.describe()
        for values, counter in self._series.copy().items():
            family.add_metric(values, counter.value)
        yield family

    def describe(self) -> list[CounterMetricFamily]:
        """
        Return the metric without its series, for the names that it takes.
        """
        return [CounterMetricFamily(self._name, self._text, labels=self._names)]


class LoopHistogram:
    """
    One series of a histogram.

    Args:
        bounds: Upper bounds of the buckets, ascending; beyond the last is one more.
    """

    __slots__ = ("_bounds", "counts", "exemplars", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0.0] * (len(bounds) + 1)
        self.exemplars: list[Exemplar | None] = [None] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:
        """
        Count a value into its bucket; what is no number is in none.
        """
        if amount >= 0:
            place = bisect_left(self._bounds, amount)
            self.counts[place] += 1
            self.total += amount
            if exemplar:
                self.exemplars[place] = Exemplar(exemplar, amount, time.time())


class LoopHistograms(Collector):
    """
    A histogram by labels.

    Args:
        bounds: Upper bounds of the buckets, ascending, none of them negative.
    """

    def __init__(self, name: str, text: str, names: Sequence[str], bounds: Sequence[float]) -> None:
        self._name = name
        self._text = text
        self._names = names
        self._bounds = bounds
        self._written = [*map(floatToGoString, bounds), "+Inf"]
        self._series: dict[tuple[str, ...], LoopHistogram] = {}

    def labels(self, *values: str) -> LoopHistogram:
        """
        Return the series with these labels; it begins at nothing.
        """
        return self._series.setdefault(values, LoopHistogram(self._bounds))

    @override
    def collect(self) -> Iterator[Metric]:
        (family,) = self.describe()
        for values, histogram in self._series.copy().items():
            reached = accumulate(histogram.counts)
            buckets = [
                (bound, count, exemplar) if exemplar else (bound, count)
                for bound, count, exemplar in zip(
                    self._written, reached, histogram.exemplars, strict=True
                )
            ]
            family.add_metric(values, buckets, histogram.total)
        yield family

    def describe(self) -> list[HistogramMetricFamily]:
        """
        Return the metric without its series, for the names that it takes.
        """
        return [HistogramMetricFamily(self._name, self._text, labels=self._names)]
