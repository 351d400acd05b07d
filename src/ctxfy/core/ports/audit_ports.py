"""
Ports about what is remembered of acts and people. All are driven.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from ctxfy.core.models.audit_models import (
    AuditEvent,
    AuditFilter,
    AuditRecord,
    Drained,
    Fate,
    Fault,
    SignedCheckpoint,
    StoredEvent,
    Verdict,
)
from ctxfy.core.models.person_models import Erasure, Holdings
from ctxfy.core.models.retention_models import Pruned


class AuditPort(Protocol):
    """
    Driven port: the trail of acts.
    """

    async def append(self, event: AuditEvent) -> None:
        """
        Keep an event; on return it is safe on the disk.

        Raises:
            UnavailableError: It could not be kept; what it tells of must not be acknowledged.
        """
        ...


class AuditWriterPort(AuditPort, Protocol):
    """
    Driven port: the trail as whoever looks after it sees it.
    """

    @property
    def waiting(self) -> int:
        """
        How many events stand in line.
        """
        ...

    @property
    def is_away(self) -> bool:
        """
        Whether the database was out of reach when last tried.
        """
        ...

    @property
    def spooled_bytes(self) -> int:
        """
        How much waits in the spool.
        """
        ...

    @property
    def lost(self) -> int:
        """
        How many events could not be kept anywhere.
        """
        ...

    async def drain(self) -> Drained:
        """
        Take over what waits in the spool, and so find out whether the database is back.

        Raises:
            UnavailableError: It is not.
        """
        ...

    async def settled(self) -> None:
        """
        Wait until nothing stands in line.
        """
        ...


class AuditWatcherPort(Protocol):
    """
    Driven port: is told what became of events. Synchronous, and never raises.
    """

    def committed(self, seconds: float) -> None:
        """
        Hear how long a transaction took that events were kept in.
        """
        ...

    def told(self, fate: Fate, events: Sequence[AuditEvent | StoredEvent]) -> None:
        """
        Hear what became of events; those that have their place in a chain come with it.
        """
        ...


class AuditQueryPort(Protocol):
    """
    Driven port: reading the trail. Every method may raise UnavailableError.
    """

    async def page(
        self, wanted: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditRecord], str | None]:
        """
        Return events, the newest first, and where the next page begins; None if there is none.

        Raises:
            InvalidRequestError: The cursor is none.
        """
        ...

    def records(self, wanted: AuditFilter) -> AsyncIterator[AuditRecord]:
        """
        Iterate over all events that are meant, the oldest first, without holding them at once.
        """
        ...


class AuditProofPort(Protocol):
    """
    Driven port: whether the trail is whole. Every method may raise UnavailableError.
    """

    async def verify(self, *, gently: bool = False) -> Verdict:
        """
        Look at every event of every chain; gently, with rests between, for whoever is in no hurry.
        """
        ...

    async def compare(self, checkpoint: SignedCheckpoint) -> list[Fault]:
        """
        Find what a checkpoint, kept elsewhere, tells otherwise: a trail cut or rolled back.

        Raises:
            CheckpointError: It is no checkpoint, or was not signed by this server.
        """
        ...

    async def sign_checkpoint(self, *, at: datetime) -> SignedCheckpoint:
        """
        Write down how far all chains have come, keep it, and return it to be kept elsewhere too.
        """
        ...

    async def checkpoints(self, *, limit: int = 100) -> list[SignedCheckpoint]:
        """
        List the newest checkpoints, the newest first.
        """
        ...


class PersonStorePort(Protocol):
    """
    Driven port: who people are. Everything else names them by a random id.

    Every method may raise UnavailableError.
    """

    async def holdings(self, user_id: str) -> Holdings | None:
        """
        Return what is held about a person, the audit trail apart; None if there is nobody.
        """
        ...

    async def erase(
        self, user_id: str, event: AuditEvent, *, keep_admin: bool = True
    ) -> Erasure | None:
        """
        Make a person unreadable for good, and end their keys and sessions; None if there is nobody.

        The event that tells of it is kept in the same transaction; of nobody, nothing is told.
        What refers to the person goes on doing so, by an id that leads nowhere. Whoever comes back
        under the same name is somebody new.

        Raises:
            LastAdminKeyError: With `keep_admin`, no live admin key would remain.
        """
        ...


class RetentionPort(Protocol):
    """
    Driven port: what goes when its time is over. Every method may raise UnavailableError.
    """

    async def settle(self) -> int:
        """
        Bring what tells of erasures beside the database into step with it; how many were missed.
        """
        ...

    async def prune(self, *, at: datetime) -> Pruned:
        """
        Take away what was kept long enough at a moment; tell how many of each kind.
        """
        ...
