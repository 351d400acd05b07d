"""
The judgement about workers that end although nobody asked them to: when another takes the place.
"""

QUICK_SECONDS = 10.0
"""
Who served for so long has not failed at once.
"""

FAILURES_TO_GIVE_UP = 5
LONGEST_DELAY_SECONDS = 30.0


def failures_after(failures: int, served_seconds: float | None) -> int:
    """
    Count the failures in a row in one place; a worker that served for a while ends the row.

    Args:
        failures: Before this end.
        served_seconds: How long the worker served; None if it never did.
    """
    return failures + 1 if served_seconds is None or served_seconds < QUICK_SECONDS else 0


def restart_delay(failures: int) -> float:
    """
    Seconds until the place is filled again: at once after a long life, later with each failure.
    """
    return min(2.0 ** min(failures - 1, 10), LONGEST_DELAY_SECONDS) if failures else 0.0


def gives_up(failures: int, serving: int) -> bool:
    """
    Whether to stop trying: nobody serves, and it has failed too often in a row.
    """
    return serving == 0 and failures >= FAILURES_TO_GIVE_UP
