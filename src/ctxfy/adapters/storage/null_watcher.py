"""
`AuditWatcherPort` that does nothing: for commands, and for tests.
"""

from collections.abc import Sequence

from ctxfy.core.models.audit_models import AuditEvent, Fate, StoredEvent


class NullAuditWatcher:
    """
    Takes everything and does nothing.
    """

    def committed(self, seconds: float) -> None:
        """
        Do nothing.
        """

    def told(self, fate: Fate, events: Sequence[AuditEvent | StoredEvent]) -> None:
        """
        Do nothing.
        """
