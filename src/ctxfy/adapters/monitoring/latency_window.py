"""
How long requests took in the last minute, read off the histogram that is kept anyway.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from ctxfy.core.use_cases.health_use_cases import quantile


FEWEST = 20
"""
Of fewer requests, nothing is said about 95 of 100.
"""


class LatencyWindow:
    """
    The 95th percentile of each kind of request over the last minute.

    Args:
        kinds: The endpoints of each kind of request.
        bounds: Upper bounds of the histogram's buckets, seconds.
        read: Counts the requests to some endpoints by bucket, since the start.
        monotonic: A clock in seconds that never goes back.
        window_seconds: How far to look back.
    """

    def __init__(
        self,
        kinds: Mapping[str, Sequence[str]],
        *,
        bounds: Sequence[float],
        read: Callable[[Sequence[str]], Sequence[float]],
        monotonic: Callable[[], float],
        window_seconds: float = 60.0,
    ) -> None:
        self._kinds = kinds
        self._bounds = bounds
        self._read = read
        self._monotonic = monotonic
        self._window_seconds = window_seconds
        self._seen = deque[tuple[float, Mapping[str, Sequence[float]]]]()

    def percentiles(self) -> dict[str, float | None]:
        """
        Return the percentile of each kind, seconds; None where too few came.
        """
        now = self._monotonic()
        counts = {kind: self._read(endpoints) for kind, endpoints in self._kinds.items()}
        self._seen.append((now, counts))
        while len(self._seen) > 1 and self._seen[1][0] <= now - self._window_seconds:
            self._seen.popleft()
        before = self._seen[0][1]
        return {kind: self._percentile(before[kind], counts[kind]) for kind in counts}

    def _percentile(self, before: Sequence[float], after: Sequence[float]) -> float | None:
        since = [late - early for early, late in zip(before, after, strict=True)]
        return quantile(self._bounds, since, 0.95) if sum(since) >= FEWEST else None
