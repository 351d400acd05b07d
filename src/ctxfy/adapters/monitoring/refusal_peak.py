"""
How often the key that is refused most is refused, without saying which: keys are never labels.
"""

from collections import Counter
from collections.abc import Callable


MINUTE_SECONDS = 60.0
MAX_KEYS = 1000
REFUSALS = frozenset({403, 429})
"""
Statuses by which a key that is known is refused.
"""


class RefusalPeak:
    """
    Counts refusals by key, a minute at a time.

    Args:
        monotonic: A clock in seconds that never goes back.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._minute = 0
        self._counts = Counter[str]()
        self._before = 0

    def count(self, key_id: str) -> None:
        """
        Count a refusal; of the keys of one minute, those after MAX_KEYS are left out.
        """
        self._turn()
        if key_id in self._counts or len(self._counts) < MAX_KEYS:
            self._counts[key_id] += 1

    def most(self) -> int:
        """
        Tell the most refusals of one key in this minute or the one before.
        """
        self._turn()
        return max(self._before, *self._counts.values(), 0)

    def _turn(self) -> None:
        minute = int(self._monotonic() // MINUTE_SECONDS)
        if minute != self._minute:
            is_next = minute == self._minute + 1
            self._before = max(self._counts.values(), default=0) if is_next else 0
            self._minute = minute
            self._counts.clear()
