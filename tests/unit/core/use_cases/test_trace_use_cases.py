"""
Which parent a trace goes on from, which traces are kept, and what may be named in them.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.trace_models import TraceParent
from ctxfy.core.use_cases.trace_use_cases import (
    MAX_STATE,
    choose_parent,
    client_label,
    decide_sampled,
    is_in_sample,
    read_headers,
    read_traceparent,
)


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OURS = TraceParent(trace_id=TRACE, span_id=SPAN, sampled=True)
OTHERS = TraceParent(trace_id="a" * 32, span_id="b" * 16, sampled=True)

trace_ids = st.integers(1, 2**128 - 1).map("{:032x}".format)
span_ids = st.integers(1, 2**64 - 1).map("{:016x}".format)


@given(trace_ids, span_ids, st.integers(0, 255))
def test_every_traceparent_of_the_first_version_is_read(trace: str, span: str, flags: int) -> None:
    """
    The ids as they are, and of the flags the one that says whether it is kept.
    """
    assert read_traceparent(f"00-{trace}-{span}-{flags:02x}") == TraceParent(
        trace_id=trace, span_id=span, sampled=flags % 2 == 1
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        7,
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_is_none(text: object) -> None:
    """
    Nor is anything made of it: the request begins a trace of its own.
    """
    assert read_traceparent(text) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """
    W3C asks for it: more may follow after another dash.
    """
    assert read_traceparent(f"01-{TRACE}-{SPAN}-01-what-comes") == OURS


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    """
    Whatever it is, it is a parent or none.
    """
    assert isinstance(read_traceparent(text), TraceParent | None)
    assert isinstance(read_headers(text), dict | None)
    assert isinstance(client_label(text), str)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", True),
        ("", True),
        (None, False),
        ("x" * (MAX_STATE + 1), False),
        ("a=\n", False),
        ("a=é", False),
    ],
)
def test_a_strange_tracestate_is_left_out(state: object, kept: bool) -> None:
    """
    It is handed on as it is or not at all, and the parent counts all the same.
    """
    parent = read_traceparent(f"00-{TRACE}-{SPAN}-01", state)
    assert parent is not None
    assert parent.state == (state if kept else "")


def test_the_message_names_the_trace_and_the_header_what_is_nearest_in_it() -> None:
    """
    A proxy's own trace is linked to; within one trace, the HTTP request is the parent.
    """
    near = TraceParent(trace_id=TRACE, span_id="1" * 16, sampled=True)
    assert choose_parent(None, None) == (None, None)
    assert choose_parent(OURS, None) == (OURS, None)
    assert choose_parent(None, OURS) == (OURS, None)
    assert choose_parent(near, OURS) == (near, None)
    assert choose_parent(OTHERS, OURS) == (OURS, OTHERS)


@given(trace_ids)
def test_all_or_none_are_kept_at_the_ends_of_the_ratio(trace: str) -> None:
    """
    At 1 every trace, at 0 none.
    """
    assert is_in_sample(trace, 1.0)
    assert not is_in_sample(trace, 0.0)


@given(trace_ids, st.floats(0, 1), st.floats(0, 1))
def test_what_a_small_ratio_keeps_a_larger_one_keeps_too(
    trace: str, one: float, other: float
) -> None:
    """
    So servers with different ratios keep whole traces as far as the smaller one goes.
    """
    small, large = sorted((one, other))
    assert is_in_sample(trace, large) or not is_in_sample(trace, small)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_parent_decides_for_known_callers_alone(sampled: bool) -> None:
    """
    A stranger's wish neither keeps a request nor hides one.
    """
    parent = TraceParent(trace_id=TRACE, span_id=SPAN, sampled=sampled)
    ratio = 0.0 if sampled else 1.0
    assert decide_sampled(TRACE, parent, is_known=True, ratio=ratio) is sampled
    assert decide_sampled(TRACE, parent, is_known=False, ratio=ratio) is not sampled
    assert decide_sampled(TRACE, None, is_known=True, ratio=ratio) is not sampled


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (None, None),
        ("claude-code", "claude-code"),
        ("Visual Studio Code - Insiders", "Visual Studio Code - Insiders"),
        ("1.2.3+build", "1.2.3+build"),
        ("", "other"),
        (["a"], "other"),
        ("x" * 65, "other"),
        ("two\nlines", "other"),
        ("/home/ann", "other"),
        ("password=hunter2", "other"),
        ("ctxfy_aaaaaaaaaaaa_bbbbbbbbbbbb", "other"),
    ],
)
def test_a_client_names_itself_as_names_look(text: object, label: str | None) -> None:
    """
    Whatever else it sends is `other`.
    """
    assert client_label(text) == label


def test_headers_are_read_with_commas_between() -> None:
    """
    Names in small letters, values as they are; what is no such list is none.
    """
    assert read_headers("") == {}
    assert read_headers("Authorization=Basic YWI=, x-team = a b ,") == {
        "authorization": "Basic YWI=",
        "x-team": "a b",
    }
    for wrong in ("authorization", "=x", "a=", "a b=c", "a=b\nc: d", "a=\x00"):
        assert read_headers(wrong) is None
