"""
`LoggingPort` on the pipeline: our own records, of which each request has exactly one.
"""

import logging
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from ctxfy.adapters.monitoring.log_pipeline import OUR_LOGGER, OurRecord
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.monitoring_use_cases import level_of_status


UserIdForm = Literal["pseudonym", "clear"]

UNNAMED = "[no pseudonym]"

REQUESTS_LOGGER = f"{OUR_LOGGER}.requests"
AUDIT_LOGGER = f"{OUR_LOGGER}.audit"
"""
By which the level of the lines of requests, and of the audit trail, can be set apart. On all lines
of ours the logger is `ctxfy`.
"""

_AUDIT_EVENTS = "audit_"

_NUMBERS = logging.getLevelNamesMapping()


@lru_cache(maxsize=1024)
def _number_of(status_code: int | None) -> int:
    return logging.INFO if status_code is None else _NUMBERS[level_of_status(status_code)]


class StructuredLogger:
    """
    Writes through the pipeline that `configure_logging` laid; never raises.

    Args:
        user_id_form: How people appear in logs.
        pseudonym: Makes the same unreadable name of the same person, always.
    """

    def __init__(self, *, user_id_form: UserIdForm, pseudonym: Callable[[str], str]) -> None:
        self._name_of = pseudonym if user_id_form == "pseudonym" else str
        self._logger = logging.getLogger(OUR_LOGGER)
        self._requests = logging.getLogger(REQUESTS_LOGGER)
        self._audit = logging.getLogger(AUDIT_LOGGER)

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
        Write the one line of a finished request.
        """
        fields = {
            **(extra or {}),
            "request_id": request_id,
            "endpoint": endpoint,
            "latency_ms": round(latency_ms, 3),
            "user_id": user_id,
            "method": method,
            "status_code": status_code,
        }
        self._write(self._requests, _number_of(status_code), "request_served", fields)

    def log_error(
        self, request_id: str | None, error: Exception, context: Mapping[str, object]
    ) -> None:
        """
        Write an error with its structured stack.
        """
        fields = {**context, "request_id": request_id, "exc_info": error}
        self._write(self._logger, logging.ERROR, "error_raised", fields)

    def log_event(self, event: str, **fields: object) -> None:
        """
        Write that something happened; a field `level` says how much it matters (default INFO).
        """
        logger = self._audit if event.startswith(_AUDIT_EVENTS) else self._logger
        level = fields.pop("level", LogLevel.INFO)
        number = _NUMBERS.get(level, logging.INFO) if isinstance(level, str) else logging.INFO
        self._write(logger, number, event, fields)

    def annotate(self, **facts: object) -> None:
        """
        Add facts to the line of the request being served; outside of one, nothing happens.
        """
        if (record := CURRENT_RECORD.get()) is not None:
            record.facts.update(facts)

    def _write(
        self, logger: logging.Logger, number: int, event: str, fields: dict[str, object]
    ) -> None:
        # A failing stream must not fail a request. What cannot be formatted is reported by the
        # pipeline itself. No `suppress`, since that is slow.
        try:
            if logger.isEnabledFor(number):
                if (user_id := fields.get("user_id")) is not None:
                    fields["user_id"] = self._form_of(str(user_id))
                self._logger.handle(OurRecord(number, event, fields))
        except Exception:  # noqa: BLE001, S110 # nosec B110 - as said
            pass

    def _form_of(self, user_id: str) -> str:
        try:
            return self._name_of(user_id)
        except Exception:  # noqa: BLE001 - the line matters more than the name on it
            return UNNAMED
