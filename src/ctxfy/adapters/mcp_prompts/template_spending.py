"""
What one rendering may still put out, and until when.
"""

from collections.abc import Callable

from ctxfy.adapters.mcp_prompts.template_filters import OutputLimitError, show


RENDER_SECONDS = 1.0
"""
How long one rendering may take; looked at before every filter that copies its value.
"""


class TimeLimitError(Exception):
    """
    A rendering took too long.
    """


class Spending:
    """
    The account of one rendering after the other.

    MiniJinja's environment calls it. The environment is out of the collector's sight, so nothing
    that it holds may lead back to it: a prompt that was replaced would never be freed.

    Attributes:
        left: Characters, and bytes where they have been counted.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._deadline = 0.0
        self.left = 0

    def begin(self) -> None:
        """
        Let the time of a rendering run.
        """
        self._deadline = self._monotonic() + RENDER_SECONDS

    def finalize(self, value: object) -> object:
        """
        Count what is put out.

        Raises:
            OutputLimitError: It is too much.
        """
        text = show(value)
        self.left -= len(text)
        if self.left < 0:
            raise OutputLimitError
        return text

    def check_time(self) -> None:
        """
        Look at the clock.

        Raises:
            TimeLimitError: It is too late.
        """
        if self._monotonic() > self._deadline:
            raise TimeLimitError
