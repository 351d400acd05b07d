"""
`TracerPort` for when nobody takes traces: next to no cost.
"""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from ctxfy.core.models.trace_models import Step


class NoSpan:
    """
    A part of a request's time that nobody notes.
    """

    __slots__ = ()

    def __enter__(self) -> Self:
        """
        Do nothing.
        """
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """
        Do nothing.
        """


NO_SPAN = NoSpan()


class NullTracer:
    """
    Notes nothing.
    """

    def begin(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """
        Make no span.
        """

    def finish(self, span: object, facts: Mapping[str, object], *, is_known: bool) -> bool:  # noqa: ARG002 - as the other
        """
        Keep nothing.
        """
        return False

    def span(self, step: Step, /, **facts: str | int) -> NoSpan:  # noqa: ARG002 - as in the port
        """
        Make a span that notes nothing.
        """
        return NO_SPAN

    def traced[**P, T](self, step: Step, call: Callable[P, T], /) -> Callable[P, T]:  # noqa: ARG002 - as in the port
        """
        Give the callable back: a span that nobody notes costs nothing this way.
        """
        return call

    def continue_trace(self, traceparent: object, tracestate: object = None) -> None:
        """
        Do nothing.
        """
