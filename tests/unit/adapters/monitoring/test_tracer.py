"""
Spans while a request is served, and what is kept of them.
"""

import asyncio
from contextvars import copy_context

import pytest

from ctxfy.adapters.monitoring.null_tracer import NO_SPAN, NullTracer
from ctxfy.adapters.monitoring.request_trace import CURRENT_SPAN, MAX_SPANS, RequestTrace, Span
from ctxfy.adapters.monitoring.tracer import Tracer
from ctxfy.core.exceptions import PromptNotFoundError
from ctxfy.core.models.trace_models import Step
from tests.fakes.monitoring_fakes import FakeClock


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01".encode()


class Desk:
    """
    A tracer, and what it kept.
    """

    def __init__(self, *, ratio: float = 1.0) -> None:
        self.kept: list[RequestTrace] = []
        self.clock = FakeClock()
        self.tracer = Tracer(
            self,
            ratio=ratio,
            monotonic=self.clock,
            now_ns=lambda: 1_000,
            random_bytes=lambda size: bytes(range(1, size + 1)),
        )

    def offer(self, trace: RequestTrace) -> None:
        """
        Keep a trace.
        """
        self.kept.append(trace)

    def shape(self, root: Span) -> list[tuple[Step | None, int | None]]:
        """
        List the spans with the places of those that they belong below.
        """
        return [(span.step, span.parent) for span in root.trace.spans]


def test_spans_belong_below_the_one_that_lasts() -> None:
    """
    In their order, each with its time, and nothing lasts after the request.
    """
    desk = Desk()
    with desk.tracer.begin([]) as root:
        with desk.tracer.span(Step.ACCESS), desk.tracer.span(Step.LIMITS):
            desk.clock.now += 2
        with desk.tracer.span(Step.AUDIT, operation="x"):
            desk.clock.now += 3
    assert desk.shape(root) == [
        (None, None),
        (Step.ACCESS, 0),
        (Step.LIMITS, 1),
        (Step.AUDIT, 0),
    ]
    assert [(span.ended_at or 0) - span.began_at for span in root.trace.spans] == [5, 2, 2, 3]
    assert len({span.id for span in root.trace.spans}) == 4
    assert CURRENT_SPAN.get() is None


async def test_a_task_of_a_request_goes_on_below_its_span() -> None:
    """
    It has a copy of the context, and what it notes there is in the same trace.
    """
    desk = Desk()

    async def render() -> None:
        with desk.tracer.span(Step.RENDER):
            await asyncio.sleep(0)

    with desk.tracer.begin([]) as root, desk.tracer.span(Step.RPC):
        await asyncio.create_task(render())
    assert desk.shape(root) == [(None, None), (Step.RPC, 0), (Step.RENDER, 1)]


def test_a_request_within_a_request_is_a_trace_of_its_own() -> None:
    """
    Its spans do not hang on somebody else's.
    """
    desk = Desk()
    with desk.tracer.begin([]), desk.tracer.begin([]) as inner, desk.tracer.span(Step.ACCESS):
        assert desk.shape(inner) == [(None, None), (Step.ACCESS, 0)]


def test_outside_of_a_request_nothing_is_noted() -> None:
    """
    Neither a span nor a parent.
    """
    desk = Desk()
    desk.tracer.continue_trace(PARENT.decode())
    assert desk.tracer.span(Step.STORAGE) is NO_SPAN
    assert desk.kept == []


async def test_every_call_of_what_is_traced_is_a_span() -> None:
    """
    Of a coroutine function as long as it runs, with whatever goes in and comes out.
    """
    desk = Desk()

    def add(left: int, *, right: int) -> int:
        desk.clock.now += 2
        return left + right

    async def render(text: str) -> str:
        await asyncio.sleep(0)
        desk.clock.now += 3
        return text.upper()

    added = desk.tracer.traced(Step.CATALOG, add)
    rendered = desk.tracer.traced(Step.RENDER, render)
    with desk.tracer.begin([]) as root:
        assert added(1, right=2) == 3
        assert await rendered("x") == "X"
    assert desk.shape(root) == [(None, None), (Step.CATALOG, 0), (Step.RENDER, 0)]
    assert [(span.ended_at or 0) - span.began_at for span in root.trace.spans] == [5, 2, 3]
    assert NullTracer().traced(Step.CATALOG, add) is add


def test_of_an_error_its_kind_is_kept() -> None:
    """
    Our own by their codes; their words never.
    """
    desk = Desk()
    with desk.tracer.begin([]) as root:
        for error in (PromptNotFoundError("x", None), ValueError("a secret")):
            with pytest.raises(type(error)), desk.tracer.span(Step.CATALOG):
                raise error
    assert [span.error for span in root.trace.spans] == [None, "prompt.not_found", "ValueError"]


def test_the_spans_of_one_request_are_bounded() -> None:
    """
    The ones after are counted, and what is below them belongs to the last that is kept.
    """
    desk = Desk()
    with desk.tracer.begin([]) as root, desk.tracer.span(Step.ACCESS):
        for _ in range(MAX_SPANS):
            with desk.tracer.span(Step.STORAGE), desk.tracer.span(Step.LIMITS):
                pass
    assert (len(root.trace.spans), root.trace.dropped) == (MAX_SPANS, MAX_SPANS + 2)
    assert {parent for step, parent in desk.shape(root) if step is Step.STORAGE} == {1}


@pytest.mark.parametrize("headers", [[], [PARENT, PARENT], [b"nonsense"]])
def test_without_one_parent_a_trace_is_new(headers: list[bytes]) -> None:
    """
    Nobody could say which of two it should be.
    """
    trace = Desk().tracer.begin([(b"traceparent", value) for value in headers]).trace
    assert (trace.parent, trace.id) == (None, bytes(range(1, 17)).hex())


def test_a_parent_comes_from_the_header_or_from_the_message() -> None:
    """
    With the state that stands beside it, in the header in one piece or in several.
    """
    desk = Desk()
    states = [(b"tracestate", b"a=1"), (b"tracestate", b"b=2")]
    first = desk.tracer.begin([(b"traceparent", PARENT), *states]).trace
    with desk.tracer.begin([]) as root:
        desk.tracer.continue_trace("nonsense")
        assert root.trace.parent is None
        desk.tracer.continue_trace(PARENT.decode(), "c=3")
    assert [(each.id, each.parent.state) for each in (first, root.trace) if each.parent] == [
        (TRACE, "a=1,b=2"),
        (TRACE, "c=3"),
    ]


@pytest.mark.parametrize(
    ("is_known", "ratio", "kept"), [(True, 0, 1), (False, 0, 0), (False, 1, 1)]
)
def test_a_request_that_is_over_is_judged(is_known: bool, ratio: float, kept: int) -> None:
    """
    By its parent if its caller is known, else by the ratio; what is no plain value is left out.
    """
    desk = Desk(ratio=ratio)
    with desk.tracer.begin([(b"traceparent", PARENT)]) as root:
        desk.clock.now += 1
        desk.tracer.finish(root, {"prompt": "greet", "odd": object()}, is_known=is_known)
        desk.clock.now += 1
    assert len(desk.kept) == kept
    assert (root.ended_at or 0) - root.began_at == 1
    assert root.facts == ({"prompt": "greet"} if kept else {})


def test_a_span_may_end_elsewhere() -> None:
    """
    Where its context is gone, it ends all the same.
    """
    desk = Desk()
    root = desk.tracer.begin([])
    copy_context().run(root.__enter__)
    root.__exit__(None, None, None)
    assert root.ended_at is not None


def test_the_null_tracer_notes_nothing() -> None:
    """
    Every method can be called, and one span does for all.
    """
    tracer = NullTracer()
    tracer.begin([])
    tracer.continue_trace("x")
    tracer.finish(None, {}, is_known=True)
    with tracer.span(Step.ACCESS) as span:
        assert span is NO_SPAN
    assert vars(tracer) == {}
