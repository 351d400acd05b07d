"""
`LoggingPort` for when nothing is to be written.
"""

from collections.abc import Mapping


class NullLogging:
    """
    Writes nothing.
    """

    def log_request(
        self,
        request_id: str,
        endpoint: str,
        latency_ms: float,
        user_id: str | None,
        *,
        method: str | None = None,
        status_code: int | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """
        Do nothing.
        """

    def log_error(
        self, request_id: str | None, error: Exception, context: Mapping[str, object]
    ) -> None:
        """
        Do nothing.
        """

    def log_event(self, event: str, **fields: object) -> None:
        """
        Do nothing.
        """

    def annotate(self, **facts: object) -> None:
        """
        Do nothing.
        """
