"""
How late the event loop is: whatever holds it up holds up every request.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from ctxfy.core.ports.monitoring_ports import MetricsPort


class EventLoopLag:
    """
    Sleeps a little, again and again, and notes how much too long it slept.

    Args:
        monotonic: A clock in seconds that never goes back.
        metrics: Is told every lateness.
        pause_seconds: How long to sleep.
        window_seconds: For how long the worst is remembered.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        metrics: MetricsPort,
        *,
        pause_seconds: float = 0.25,
        window_seconds: float = 30.0,
    ) -> None:
        self._monotonic = monotonic
        self._metrics = metrics
        self._pause_seconds = pause_seconds
        self._seen = deque[float](maxlen=max(round(window_seconds / pause_seconds), 1))

    async def run(self) -> None:
        """
        Measure without end.
        """
        while True:
            before = self._monotonic()
            await asyncio.sleep(self._pause_seconds)
            late = max(self._monotonic() - before - self._pause_seconds, 0.0)
            self._seen.append(late)
            self._metrics.record_loop_lag(late)

    def worst(self) -> float:
        """
        Return the worst lateness of late, seconds.
        """
        return max(self._seen, default=0.0)
