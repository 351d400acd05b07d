"""
When another worker takes the place of one that ended.
"""

import pytest

from ctxfy.core.use_cases.worker_use_cases import (
    FAILURES_TO_GIVE_UP,
    LONGEST_DELAY_SECONDS,
    QUICK_SECONDS,
    failures_after,
    gives_up,
    restart_delay,
)


@pytest.mark.parametrize(
    ("served", "failures"), [(None, 4), (0.0, 4), (QUICK_SECONDS / 2, 4), (QUICK_SECONDS, 0)]
)
def test_who_served_for_a_while_did_not_fail(served: float | None, failures: int) -> None:
    """
    A long life ends the row of failures, a short one or none makes it longer.
    """
    assert failures_after(3, served) == failures


def test_each_failure_makes_the_next_wait_longer() -> None:
    """
    At once after a long life, then after one second, two and four, and never later than the limit.
    """
    assert [restart_delay(failures) for failures in range(4)] == [0.0, 1.0, 2.0, 4.0]
    assert restart_delay(1000) == LONGEST_DELAY_SECONDS


@pytest.mark.parametrize(
    ("failures", "serving", "given_up"),
    [
        (FAILURES_TO_GIVE_UP, 0, True),
        (FAILURES_TO_GIVE_UP - 1, 0, False),
        (FAILURES_TO_GIVE_UP, 1, False),
    ],
)
def test_nobody_gives_up_while_somebody_serves(
    failures: int, serving: int, *, given_up: bool
) -> None:
    """
    Only too many failures in a row, with nobody serving, end the attempts.
    """
    assert gives_up(failures, serving) is given_up
