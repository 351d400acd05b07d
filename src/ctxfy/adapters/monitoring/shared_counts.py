"""
Counts that the workers of one machine keep together: in files that outlive a worker that dies.

Each place among the workers has files of its own, in memory of the worker that writes them. Whoever
takes a dead worker's place goes on where that one stopped, so that no sum ever falls: to Prometheus
a sum that falls has begun anew, and all of it would count once more.
"""

from collections.abc import Iterable
from pathlib import Path
from threading import Lock
from typing import Any

from prometheus_client import Metric, values
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector


COUNTED = ("counter", "histogram")
"""
The types that are kept in files; of gauges each worker tells how they are now.
"""


class SharedCounts:
    """
    The files of one worker, and the sums of all.

    Args:
        folder: Where the files of all workers are.
        number: The place of this worker.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._files = {
            kind: MmapedDict(str(folder / f"{kind}_{number}.db"))  # type: ignore[no-untyped-call]
            for kind in COUNTED
        }
        self._lock = Lock()
        self._value_class = values.ValueClass

    def install(self) -> None:
        """
        Have all counters and histograms of this process, made from now on, keep their values here.

        As the library does by itself where `PROMETHEUS_MULTIPROC_DIR` is set when it is imported;
        it would name the files after processes, and there would be more with each that dies.
        """
        values.ValueClass = self._make_value

    def close(self) -> None:
        """
        Leave what is made from now on to the library again, and the files as they are.
        """
        values.ValueClass = self._value_class
        for file in self._files.values():
            file.close()  # type: ignore[no-untyped-call]

    def sums(self) -> Iterable[Metric]:
        """
        Add up what all workers have counted, those before them in their places too.
        """
        files = sorted(str(file) for kind in COUNTED for file in self._folder.glob(f"{kind}_*.db"))
        summed: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return summed

    def _make_value(self, kind: str, *names: Any, **rest: Any) -> Any:  # noqa: ANN401 - the library's
        if kind not in COUNTED:
            return self._value_class(kind, *names, **rest)
        return _FileValue(self._files[kind], self._lock, mmap_key(*names))


class _FileValue:
    """
    A number in a file, in the shape that prometheus_client gives its own.
    """

    def __init__(self, file: MmapedDict, lock: Lock, key: str) -> None:
        self._file = file
        self._lock = lock
        self._key = key
        with lock:
            self._value: float = file.read_value(key)[0]  # type: ignore[no-untyped-call]

    def inc(self, amount: float) -> None:
        with self._lock:
            self._value += amount
            self._file.write_value(self._key, self._value, 0.0)  # type: ignore[no-untyped-call]

    def set(self, value: float, timestamp: float | None = None) -> None:  # noqa: ARG002 - the library's
        with self._lock:
            self._value = value
            self._file.write_value(self._key, value, 0.0)  # type: ignore[no-untyped-call]

    def get(self) -> float:
        return self._value

    def set_exemplar(self, exemplar: object) -> None:
        pass  # there is no place for it in the file

    def get_exemplar(self) -> None:
        return None
