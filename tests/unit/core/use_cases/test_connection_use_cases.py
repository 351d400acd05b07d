"""
What a client may take its time for.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.core.models.connection_models import ConnectionLimits, ConnectionPhase, CutReason
from ctxfy.core.use_cases.connection_use_cases import is_slow_reader, judge_connection


LIMITS = ConnectionLimits(
    head_seconds=5, body_seconds=8, answer_seconds=9, idle_seconds=6, bytes_per_second=1000
)


@pytest.mark.parametrize(
    ("phase", "seconds", "reason"),
    [
        (ConnectionPhase.SILENT, 5, CutReason.SILENT),
        (ConnectionPhase.HEAD, 5, CutReason.SLOW_HEAD),
        (ConnectionPhase.BODY, 8, CutReason.SLOW_BODY),
        (ConnectionPhase.LEFTOVER, 8, CutReason.SLOW_BODY),
        (ConnectionPhase.IDLE, 6, CutReason.IDLE),
    ],
)
def test_each_phase_has_its_time_and_not_a_moment_more(
    phase: ConnectionPhase, seconds: float, reason: CutReason
) -> None:
    """
    At the limit a connection may go on, beyond it there is a reason to end it.
    """
    assert judge_connection(phase, seconds, 0, LIMITS) is None
    assert judge_connection(phase, seconds + 0.001, 0, LIMITS) is reason


@given(st.floats(min_value=0, max_value=1e9), st.integers(min_value=0))
def test_a_client_is_not_blamed_for_the_time_an_answer_takes(seconds: float, received: int) -> None:
    """
    Nothing of ours ends a connection whose request is whole.
    """
    for phase in (ConnectionPhase.ANSWER, ConnectionPhase.ENDED):
        assert judge_connection(phase, seconds, received, LIMITS) is None


@given(st.floats(min_value=0, max_value=1e5), st.floats(min_value=1, max_value=1e6))
def test_a_body_and_an_answer_at_the_least_rate_are_never_cut_off(
    seconds: float, rate: float
) -> None:
    """
    Whoever sends or takes as many bytes a second as asked for may do so for as long as it takes.
    """
    moved = int(seconds * LIMITS.bytes_per_second * rate) + 1
    assert judge_connection(ConnectionPhase.BODY, seconds, moved, LIMITS) is None
    assert not is_slow_reader(seconds, moved, LIMITS)


@given(st.floats(min_value=0, max_value=0.99))
def test_a_drip_is_cut_off_however_long_it_has_dripped(share: float) -> None:
    """
    Below the least rate the end comes, and for one byte a second within a hundredth of its time.
    """
    enough = 10 * LIMITS.answer_seconds / (1 - share)
    moved = int(enough * LIMITS.bytes_per_second * share)
    assert judge_connection(ConnectionPhase.BODY, enough, moved, LIMITS) is CutReason.SLOW_BODY
    assert is_slow_reader(enough, moved, LIMITS)
    assert judge_connection(ConnectionPhase.BODY, 8.1, 8, LIMITS) is CutReason.SLOW_BODY


def test_what_comes_behind_its_answer_earns_no_time() -> None:
    """
    A body whose request was refused already has the bare seconds, whatever its rate.
    """
    phase = ConnectionPhase.LEFTOVER
    assert judge_connection(phase, 8.1, 10**9, LIMITS) is CutReason.SLOW_BODY
