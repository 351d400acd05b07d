"""
Texts that only put values between what is written: no engine is needed for them.
"""

from collections.abc import Callable, Mapping, Sequence

from ctxfy.adapters.mcp_prompts.template_filters import show
from ctxfy.core.models.prompt_models import Value


_MARK = "\x1e"  # between the parts of a text; one that holds it itself is left to the engine


class PlainText:
    """
    A text with gaps.

    Nothing is searched or repeated to fill it, so that there is nothing to bound but its size.

    Args:
        parts: What is written, and the names of what goes between, by turns.
    """

    __slots__ = ("_form", "_names", "_written")

    def __init__(self, parts: Sequence[str]) -> None:
        written = parts[::2]
        self._names = tuple(parts[1::2])
        self._written = sum(map(len, written))
        self._form = "%s".join(text.replace("%", "%%") for text in written)

    def fill(self, values: Mapping[str, Value], limit: int) -> tuple[str, int] | None:
        """
        Put the values in, and tell how many bytes it came to.

        None if that is for the engine to judge: more characters than the limit, other values than
        texts, whole numbers and truth, halves of characters.
        """
        try:
            shown = tuple(
                [
                    value if type(value := values[name]) is str else _shown(value)
                    for name in self._names
                ]
            )
            if self._written + sum(map(len, shown)) > limit:
                return None
            text = self._form % shown
            return text, len(text) if text.isascii() else len(text.encode())
        except (TypeError, UnicodeEncodeError):
            return None


def find_plain_text(
    outputs: Sequence[str], render: Callable[[Mapping[str, str]], str]
) -> PlainText | None:
    """
    Find out what stands between the values of a text, by having it rendered with marks for them.

    Args:
        outputs: The names of the values that it puts out, in order; it does nothing else.
        render: The engine.
    """
    parts = render({name: f"{_MARK}{name}{_MARK}" for name in outputs}).split(_MARK)
    return PlainText(parts) if parts[1::2] == list(outputs) else None


def _shown(value: Value) -> str:
    if type(value) is int:
        return str(value)
    if type(value) is bool:
        return show(value)
    raise TypeError  # the engine makes 2 of 2.0, and more of lists
