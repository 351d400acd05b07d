"""
What one rendering may still put out, and until when.
"""

from collections.abc import Callable
from contextvars import ContextVar


RENDER_SECONDS = 1.0
"""
How long one rendering may take; looked at before every filter that copies its value.
"""


class OutputLimitError(Exception):
    """
    More text than the prompt may put out.
    """


class TimeLimitError(Exception):
    """
    A rendering took too long.
    """


class Spending:
    """
    The account of one prompt's renderings, one after the other.

    Args:
        monotonic: Seconds of a clock that never goes back.
        limit: Bytes that a rendering may put out, and a filter may build.

    Attributes:
        left: Characters, and bytes where they have been counted.
    """

    __slots__ = ("_deadline", "_limit", "_monotonic", "left")

    def __init__(self, monotonic: Callable[[], float], limit: int) -> None:
        self._monotonic = monotonic
        self._limit = limit
        self._deadline = 0.0
        self.left = 0

    def begin(self) -> None:
        """
        Let the time of a rendering run.
        """
        self._deadline = self._monotonic() + RENDER_SECONDS

    def put_out(self, size: int) -> None:
        """
        Count what is put out.

        Raises:
            OutputLimitError: It is too much.
        """
        self.left -= size
        if self.left < 0:
            raise OutputLimitError

    def check_size(self, size: int) -> None:
        """
        Look at what is about to be built.

        Raises:
            OutputLimitError: It is too much.
        """
        if size > self._limit:
            raise OutputLimitError

    def check_time(self) -> None:
        """
        Look at the clock.

        Raises:
            TimeLimitError: It is too late.
        """
        if self._monotonic() > self._deadline:
            raise TimeLimitError


RUNNING: ContextVar[Spending] = ContextVar("ctxfy_rendering")
"""
The account of the rendering that runs. Filters ask it, so that all prompts have the same filters,
and an environment, which the collector of garbage cannot see into, holds nothing of its prompt.
"""
