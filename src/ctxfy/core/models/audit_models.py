"""
What is remembered of who did what, and how it is known not to have been changed since.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from ctxfy.core.models.auth_models import KeyId


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """
    One act, or one refusal.

    Attributes:
        action: What was done, past-tense snake case (`key_revoked`).
        outcome: `ok`, or the stable code of why not.
        key_id: The key that acted; None for the command line and for callers without one.
        person_id: Whose key that is, by random id; the details are sealed under this person's key.
        subject_id: The person it was done to, by random id, if it was done to one.
        target: The key id, prompt name or setting it was done to.
        details: Names and sizes; never the value of an argument, never a secret. Kept only sealed.
    """

    action: str
    at: datetime
    outcome: str = "ok"
    request_id: str | None = None
    key_id: KeyId | None = None
    person_id: str | None = None
    subject_id: str | None = None
    target: str | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """
    An event as it is kept: every field is covered by the hash, and what is personal is sealed.

    Attributes:
        chain: The chain it belongs to; each has one order.
        seq: Its place in the chain, from 1 without gaps.
        at_us: Microseconds since 1970, UTC.
        seal: What `sealed` is sealed under: a person's id, or a month such as `2026-11`.
        sealed: The details, as ciphertext. Once the key is destroyed nobody reads them, and the
            chain goes on being verifiable.
        hash: SHA-256 over the hash before it and all other fields, 32 bytes.
    """

    chain: str
    seq: int
    at_us: int
    action: str
    outcome: str
    request_id: str | None
    key_id: str | None
    person_id: str | None
    subject_id: str | None
    target: str | None
    seal: str
    sealed: bytes = field(repr=False)
    hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """
    How far a chain has come: the place and the hash of an event in it.

    The head of a chain without events has the place 0 and an empty hash.
    """

    chain: str
    seq: int = 0
    hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    The first thing that is wrong with a chain.

    Attributes:
        seq: The place of the first event that is not as it was written, is missing or is new.
    """

    chain: str
    seq: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What came of looking at every event.

    Attributes:
        events: How many were looked at.
        faults: At most one for each chain; empty if all is well.
    """

    events: int
    chains: int
    faults: tuple[Fault, ...] = ()

    @property
    def is_valid(self) -> bool:
        """
        Whether nothing is wrong.
        """
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    The heads of all chains at one moment; signed and kept elsewhere, it shows a rollback.

    Attributes:
        signer: Which master key the signing key was derived from.
        previous: SHA-256 of the text of the checkpoint before, hex; empty for the first.
    """

    at: datetime
    signer: int
    heads: tuple[ChainHead, ...]
    previous: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """
    The text of a checkpoint, and the Ed25519 signature of exactly this text (RFC 8032), 64 bytes.
    """

    text: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """
    An event as an auditor reads it.

    Attributes:
        user_id: The name of whoever acted; empty once that person was erased.
        subject: The name of the person it was done to; empty once that person was erased.
        event: With its details, empty once their key was destroyed.
        is_readable: Whether the details could be opened.
    """

    chain: str
    seq: int
    hash: bytes
    event: AuditEvent
    user_id: str | None = None
    subject: str | None = None
    is_readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """
    Which events are meant; what is None is not asked about.

    Attributes:
        since: The first moment that counts.
        until: The first moment that does not count any more.
        user_id: Who acted, or to whom it was done.
    """

    since: datetime | None = None
    until: datetime | None = None
    action: str | None = None
    outcome: str | None = None
    key_id: str | None = None
    user_id: str | None = None
    target: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """
    Who does something, and by what means.

    Attributes:
        means: `rest`, `mcp`, `browser`, `command_line` or `server`.
        network: Where the request came from; empty if there was none.
    """

    means: str
    key_id: KeyId | None = None
    person_id: str | None = None
    request_id: str | None = None
    network: str = ""


COMMAND_LINE = Actor(means="command_line")
"""
Whoever may read the server's secrets on its machine.
"""

SERVER = Actor(means="server")
"""
The server by itself: at its start, or on its clock.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """
    What was taken over from a spool.

    Attributes:
        damaged: Where a file that was not whole is kept; its events up to the damage were taken.
    """

    events: int = 0
    damaged: str | None = None


class Fate(StrEnum):
    """
    What became of an event: `recovered` is what was spooled before, and has its place now.
    """

    STORED = "stored"
    SPOOLED = "spooled"
    RECOVERED = "recovered"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailState:
    """
    How the writer of a trail is.

    Attributes:
        waiting: How many entries stand in line.
        is_away: Whether the database was out of reach when last tried.
        lost: How many events could not be kept anywhere since the start.
        checkpoint_age: Since the last checkpoint was signed, or since the start.
    """

    waiting: int
    spooled_bytes: int
    is_away: bool
    lost: int
    checkpoint_age: timedelta
