"""
Ports about what is remembered of acts and people. Driven; not implemented yet.
"""

from typing import Protocol

from ctxfy.core.models.audit_models import AuditEvent


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


class PersonStorePort(Protocol):
    """
    Driven port: who people are. Everything else names them by a random id.
    """

    async def export(self, user_id: str) -> dict[str, object] | None:
        """
        Return everything held about a person, as JSON data; None if nothing is.
        """
        ...

    async def erase(self, user_id: str) -> bool:
        """
        Make a person unreadable for good and end their keys; False if there was nobody.
        """
        ...
