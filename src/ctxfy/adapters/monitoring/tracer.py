"""
`TracerPort`: notes where the time of each request goes, and hands over what is to be kept.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from inspect import iscoroutinefunction
from typing import Protocol, cast

from ctxfy.adapters.monitoring.null_tracer import NO_SPAN, NoSpan
from ctxfy.adapters.monitoring.request_trace import CURRENT_SPAN, RequestTrace, Span
from ctxfy.core.models.trace_models import Step, TraceParent
from ctxfy.core.use_cases.trace_use_cases import decide_sampled, read_traceparent


ID_BYTES = 24


class FinishedTraces(Protocol):
    """
    Takes what is to be kept.
    """

    def offer(self, trace: RequestTrace) -> None:
        """
        Take a trace, or count that there is no room; never waits, never raises.
        """
        ...


class Tracer:
    """
    Makes the spans of requests.

    Args:
        keep: Takes the traces that are to be kept.
        ratio: The share of requests without a parent that is kept, 0 to 1.
        monotonic: A clock in seconds that never goes back.
        now_ns: The clock, nanoseconds since 1970.
        random_bytes: Makes ids.
    """

    def __init__(
        self,
        keep: FinishedTraces,
        *,
        ratio: float,
        monotonic: Callable[[], float],
        now_ns: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._keep = keep
        self._ratio = ratio
        self._monotonic = monotonic
        self._now_ns = now_ns
        self._random_bytes = random_bytes

    def begin(self, headers: Iterable[tuple[bytes, bytes]]) -> Span:
        """
        Make the span of a request; whoever serves the request enters it.
        """
        trace = RequestTrace(
            _parent_in(headers),
            random_bytes=self._random_bytes(ID_BYTES),
            monotonic=self._monotonic,
            began_ns=self._now_ns(),
        )
        return Span(trace, None, {})

    def finish(self, span: Span, facts: Mapping[str, object], *, is_known: bool) -> bool:
        """
        Judge a request that is over, and tell whether its trace is kept.

        Args:
            span: What `begin` made.
            facts: All that was found out about the request.
            is_known: Whether its caller showed a valid key.
        """
        trace = span.trace
        if span.ended_at is None:
            span.ended_at = self._monotonic()
        if not decide_sampled(trace.id, trace.parent, is_known=is_known, ratio=self._ratio):
            return False
        span.facts.update(
            (name, value) for name, value in facts.items() if isinstance(value, str | int)
        )
        self._keep.offer(trace)
        return True

    def span(self, step: Step, /, **facts: str | int) -> Span | NoSpan:
        """
        Make a span below the one that lasts.
        """
        above = CURRENT_SPAN.get()
        return NO_SPAN if above is None else Span(above.trace, step, facts)

    def traced[**P, T](self, step: Step, call: Callable[P, T], /) -> Callable[P, T]:
        """
        Make a callable, or coroutine function, of which every call is such a span.
        """
        return spanned(lambda: self.span(step), call)

    def continue_trace(self, traceparent: object, tracestate: object = None) -> None:
        """
        Let the request being served belong to the span that its message names, if it names one.
        """
        span = CURRENT_SPAN.get()
        if span is not None and (named := read_traceparent(traceparent, tracestate)) is not None:
            span.trace.continue_from(named)


def spanned[**P, T](
    begin: Callable[[], AbstractContextManager[object]], call: Callable[P, T]
) -> Callable[P, T]:
    """
    Make a callable, or coroutine function, whose calls stand in a context of their own.
    """

    @wraps(call)
    def here(*args: P.args, **kwargs: P.kwargs) -> T:
        with begin():
            return call(*args, **kwargs)

    @wraps(call)
    async def awaited(*args: P.args, **kwargs: P.kwargs) -> object:
        with begin():
            return await cast("Awaitable[object]", call(*args, **kwargs))

    return cast("Callable[P, T]", awaited) if iscoroutinefunction(call) else here


def _parent_in(headers: Iterable[tuple[bytes, bytes]]) -> TraceParent | None:
    parents = [value for name, value in headers if name == b"traceparent"]
    if len(parents) != 1:
        return None  # with two of them, nobody could say which
    states = [value for name, value in headers if name == b"tracestate"]
    return read_traceparent(parents[0].decode("latin-1"), b",".join(states).decode("latin-1"))
