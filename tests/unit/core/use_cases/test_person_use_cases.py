"""
Who was erased, by what a ledger tells.
"""

from datetime import timedelta

import pytest

from ctxfy.core.models.person_models import LedgerEntry
from ctxfy.core.use_cases.person_use_cases import is_erased
from tests.builders import NOON


A, B, C = b"a" * 32, b"b" * 32, b"c" * 32
LEDGER = (LedgerEntry(at=NOON, marks=(A, B)),)


@pytest.mark.parametrize(
    ("minutes", "marks", "answer"),
    [
        (-1, [A], True),
        (0, [A], True),
        (1, [A], False),
        (-1, [C, B], True),
        (-1, [C], False),
        (-1, [], False),
    ],
)
def test_who_came_before_an_erasure_of_their_name_is_erased(
    minutes: int, marks: list[bytes], answer: bool
) -> None:
    """
    One mark in common is enough; who came later is somebody else, and so is another name.
    """
    assert is_erased(NOON + timedelta(minutes=minutes), marks, LEDGER) is answer
    assert not is_erased(NOON, marks, ())
