"""
People: who they are, what is held about them, and what came of their erasure.
"""

from dataclasses import dataclass, field
from datetime import datetime

from ctxfy.core.models.auth_models import ApiKeyInfo
from ctxfy.core.models.session_models import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """
    Somebody keys were made for.

    Attributes:
        person_id: Random; what everything else names this person by.
        user_id: The name, clear.
        created_at: When the first key was made in this name.
    """

    person_id: str
    user_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """
    What is held about a person, the audit trail apart.
    """

    person: Person
    keys: tuple[ApiKeyInfo, ...] = ()
    sessions: tuple[Session, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """
    What came of an erasure.

    Attributes:
        person_id: What history goes on naming; it leads to nobody any more.
        keys: How many keys were revoked by it.
        sessions: How many browser sessions it ended.
    """

    person_id: str
    keys: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """
    That somebody was erased, but not whom: that tells only a name, with the master key.

    Attributes:
        at: Whoever came under the name later is somebody else.
        marks: Keyed hashes of the name, one under each master key that was known.
    """

    at: datetime
    marks: tuple[bytes, ...] = field(repr=False)
