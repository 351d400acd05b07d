"""
How long things are kept, and what went.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Periods:
    """
    How long things are kept; None is for ever.

    Attributes:
        events: Events of the audit trail, and with them checkpoints and the keys of months.
        ended_keys: API keys, from when they were revoked or expired.
        erasures: What a restored backup is compared with; at least as long as the oldest backup.
    """

    events: timedelta | None
    ended_keys: timedelta | None
    erasures: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """
    How many of each kind went because their time was over.

    Attributes:
        answers: To rotations, kept for who asks again.
        people: Whom no key and no event refers to any more.
    """

    events: int = 0
    checkpoints: int = 0
    months: int = 0
    sessions: int = 0
    answers: int = 0
    keys: int = 0
    people: int = 0
    erasures: int = 0
