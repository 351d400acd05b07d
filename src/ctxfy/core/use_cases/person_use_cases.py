"""
The judgement about people who were erased.
"""

from collections.abc import Iterable
from datetime import datetime

from ctxfy.core.models.person_models import LedgerEntry


def is_erased(created_at: datetime, marks: Iterable[bytes], entries: Iterable[LedgerEntry]) -> bool:
    """
    Whether a ledger tells that somebody was erased.

    Args:
        created_at: When they came. Who came after an erasure is somebody else of the same name.
        marks: Keyed hashes of their name; one that an entry has too is enough.
        entries: The ledger.
    """
    own = set(marks)
    return any(created_at <= entry.at and not own.isdisjoint(entry.marks) for entry in entries)
