"""
The spans of one request while it is served: noted by the way, and judged when it is over.

Which trace they belong to, and whether anybody will keep them, is known only at the end: MCP's
message may name a parent after the gate has already spent time, and a stranger's wish to be kept
is not followed. So a span is a few numbers here, and no library is involved.
"""

from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Self

from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.trace_models import Step, TraceParent
from ctxfy.core.use_cases.trace_use_cases import choose_parent


MAX_SPANS = 64
"""
The most spans of one request; the ones after are only counted.
"""

_SPAN_IDS = 2**64


class Span:
    """
    A part of a request's time.

    Attributes:
        step: None is the request itself.
        parent: The place of the span it belongs below; None for the request itself.
        place: Its own, among the spans of its trace; None if there were too many.
        began_at: By the monotonic clock, seconds.
        ended_at: Likewise; None as long as it lasts.
        facts: What there is to say about it.
        error: The kind of what was raised in it.
    """

    __slots__ = (
        "_token",
        "began_at",
        "ended_at",
        "error",
        "facts",
        "parent",
        "place",
        "step",
        "trace",
    )

    def __init__(
        self, trace: "RequestTrace", step: Step | None, facts: dict[str, str | int]
    ) -> None:
        self.trace = trace
        self.step = step
        self.facts = facts
        self.parent: int | None = None
        self.place: int | None = None
        self.began_at = 0.0
        self.ended_at: float | None = None
        self.error: str | None = None
        self._token: Token[Span | None] | None = None

    def __enter__(self) -> Self:
        """
        Begin below the span that lasts; spans begun within belong below this one.
        """
        above = CURRENT_SPAN.get()
        self.parent = None if above is None or above.trace is not self.trace else above.place
        self.trace.add(self)
        self._token = CURRENT_SPAN.set(self)
        self.began_at = self.trace.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """
        End; of an error its kind is kept, never its words.
        """
        if self.ended_at is None:  # a request ends with its answer, and its tasks after that
            self.ended_at = self.trace.monotonic()
        if error is not None:
            self.error = error.code if isinstance(error, CtxfyError) else type(error).__name__
        if self._token is not None:
            with suppress(ValueError):  # what is thrown away may be ended in another context
                CURRENT_SPAN.reset(self._token)
            self._token = None

    @property
    def id(self) -> str:
        """
        Its 16 hexadecimal digits.
        """
        return self.trace.span_id(self.place or 0)


CURRENT_SPAN: ContextVar[Span | None] = ContextVar("ctxfy_span", default=None)
"""
The span that lasts; None outside of a request, and without traces.
"""


class RequestTrace:
    """
    The spans of one request, the request itself first.

    Args:
        parent: What its HTTP header names.
        random_bytes: 24 of them: for the trace's id, and for the ids of the spans.
        monotonic: A clock in seconds that never goes back.
        began_ns: When it began, nanoseconds since 1970.
    """

    __slots__ = (
        "_first_id",
        "_header",
        "_own_id",
        "began_ns",
        "dropped",
        "link",
        "monotonic",
        "parent",
        "spans",
    )

    def __init__(
        self,
        parent: TraceParent | None,
        *,
        random_bytes: bytes,
        monotonic: Callable[[], float],
        began_ns: int,
    ) -> None:
        self._own_id = random_bytes[:16].hex()
        self._first_id = int.from_bytes(random_bytes[16:24])
        self._header = parent
        self.parent = parent
        self.link: TraceParent | None = None
        self.monotonic = monotonic
        self.began_ns = began_ns
        self.dropped = 0
        self.spans: list[Span] = []

    @property
    def id(self) -> str:
        """
        Its 32 hexadecimal digits: the parent's, if there is one.
        """
        return self._own_id if self.parent is None else self.parent.trace_id

    @property
    def root(self) -> Span:
        """
        The request itself.
        """
        return self.spans[0]

    def span_id(self, place: int) -> str:
        """
        Name a span by its place: one random number, and counted on from there.
        """
        # Zero is no id.
        return f"{(self._first_id + place) % (_SPAN_IDS - 1) + 1:016x}"

    def add(self, span: Span) -> None:
        """
        Give a span its place.
        """
        if len(self.spans) < MAX_SPANS:
            span.place = len(self.spans)
            self.spans.append(span)
        else:
            span.place = span.parent  # what is below it belongs to the last one that is kept
            self.dropped += 1

    def continue_from(self, message: TraceParent) -> None:
        """
        Take in what the message names as parent.
        """
        self.parent, self.link = choose_parent(self._header, message)
