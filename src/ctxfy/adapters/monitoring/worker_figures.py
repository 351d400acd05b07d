"""
The metrics of all workers, told by any of them.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, override

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.registry import Collector

from ctxfy.adapters.monitoring.shared_counts import SharedCounts
from ctxfy.adapters.monitoring.worker_board import Note, WorkerBoard


class Together(StrEnum):
    """
    What becomes of a gauge that each worker has.
    """

    SUM = "sum"
    MOST = "most"
    LEAST = "least"
    FIRST = "first"
    """
    Told by the first worker, which alone looks after it; else by the next one that knows.
    """

    EACH = "each"
    """
    One series for each worker, by the label `worker`.
    """


type Plain = list[Any]
"""
A metric as it is told on the board: name, text, type, and samples of name, labels and value.
"""


class _Series(NamedTuple):
    """
    What the samples of several workers have in common.
    """

    name: str
    labels: tuple[tuple[str, str], ...]


class WorkerFigures(Collector):
    """
    Puts together what this worker knows, what the others told, and what all have counted.

    Args:
        registry: Of this worker: what is no shared count.
        ways: What becomes of each metric, by its name; one series for each worker if not named.
        board: Where the others tell theirs.
        counts: What all have counted.
    """

    def __init__(
        self,
        registry: CollectorRegistry,
        ways: Mapping[str, Together],
        *,
        board: WorkerBoard,
        counts: SharedCounts,
    ) -> None:
        self._registry = registry
        self._ways = ways
        self._board = board
        self._counts = counts
        before = board.note(board.number)
        self._before = {} if before is None else self._grown(before.facts.get("metrics", []))
        board.add("metrics", self.told)

    def told(self) -> list[Plain]:
        """
        Tell what this worker knows, with what whoever was in its place before had counted.
        """
        return [
            [
                metric.name,
                metric.documentation,
                metric.type,
                [
                    [
                        sample.name,
                        sample.labels,
                        sample.value
                        + self._before.get(_series_of(sample.name, sample.labels), 0.0),
                    ]
                    for sample in metric.samples
                ],
            ]
            for metric in self._registry.collect()
        ]

    @override
    def collect(self) -> Iterator[Metric]:
        me = Note(number=self._board.number, age_seconds=0.0, facts={"metrics": self.told()})
        notes = [note for note in self._board.notes() if note.number != me.number]
        yield from self._merge(sorted([me, *notes], key=lambda note: note.number))
        yield from self._counts.sums()

    def _merge(self, notes: Iterable[Note]) -> Iterable[Metric]:
        merged: dict[str, Metric] = {}
        found: dict[str, dict[_Series, list[float]]] = {}
        for note in notes:
            for name, text, kind, samples in note.facts.get("metrics", []):
                # Of a worker that is gone, what it counted stays, and how it was does not.
                if not note.is_fresh and not self._grows(name, kind):
                    continue
                merged.setdefault(name, Metric(name, text, kind))
                series = found.setdefault(name, {})
                more = self._labels_of(name, note)
                for sample, labels, value in samples:
                    series.setdefault(_series_of(sample, labels | more), []).append(value)
        for name, metric in merged.items():
            for each, values in found[name].items():
                metric.add_sample(each.name, dict(each.labels), self._one_of(name, values))
        return merged.values()

    def _labels_of(self, name: str, note: Note) -> dict[str, str]:
        is_of_each = self._ways.get(name, Together.EACH) is Together.EACH
        return {"worker": str(note.number)} if is_of_each else {}

    def _one_of(self, name: str, values: list[float]) -> float:
        match self._ways.get(name, Together.EACH):
            case Together.SUM:
                return sum(values)
            case Together.MOST:
                return max(values)
            case Together.LEAST:
                return min(values)
            case Together.FIRST | Together.EACH:
                return values[0]

    def _grows(self, name: str, kind: str) -> bool:
        return kind == "counter" and self._ways.get(name) is Together.SUM

    def _grown(self, metrics: Iterable[Plain]) -> dict[_Series, float]:
        return {
            _series_of(sample, labels): value
            for name, _, kind, samples in metrics
            if self._grows(name, kind)
            for sample, labels, value in samples
        }


def _series_of(name: str, labels: Mapping[str, str]) -> _Series:
    return _Series(name, tuple(sorted(labels.items())))


def shown_together(
    registry: CollectorRegistry,
    ways: Mapping[str, Together],
    *,
    board: WorkerBoard,
    counts: SharedCounts,
) -> CollectorRegistry:
    """
    Make a registry that shows what all workers know, in place of that of one.
    """
    shown = CollectorRegistry()
    shown.register(WorkerFigures(registry, ways, board=board, counts=counts))
    return shown
