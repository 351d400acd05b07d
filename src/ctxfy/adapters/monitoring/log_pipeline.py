"""
The one way every log record takes: record -> LogEntry -> fields, laid out and redacted -> line.

Whoever wrote it, ctxfy, uvicorn, FastMCP or a prompt function that uses structlog: all end in one
`ProcessorFormatter` on the root logger, and look alike from there on. Our own, of which every
request writes one, are laid out without the steps between.
"""

import logging
import sys
from collections.abc import Callable, MutableMapping
from datetime import datetime
from typing import cast, override

from structlog.stdlib import ProcessorFormatter

from ctxfy.adapters.monitoring.log_exceptions import describe_exception, safe_text
from ctxfy.adapters.monitoring.log_layout import READ, current_request_id, lay_out
from ctxfy.adapters.monitoring.log_lines import Fields
from ctxfy.adapters.monitoring.request_trace import CURRENT_SPAN
from ctxfy.core.models.monitoring_models import LogEntry, LogLevel
from ctxfy.core.use_cases.monitoring_use_cases import log_fields


EventDict = MutableMapping[str, object]
Line = Callable[[Fields], str]

OUR_LOGGER = "ctxfy"

_LEVELS = (
    (logging.CRITICAL, LogLevel.CRITICAL),
    (logging.ERROR, LogLevel.ERROR),
    (logging.WARNING, LogLevel.WARNING),
    (logging.INFO, LogLevel.INFO),
)
_BY_NUMBER = {number: level.value for number, level in _LEVELS}
# What a record of the standard library always has; the rest was given as `extra`.
_STANDARD = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "color_message"})


class OurRecord(logging.LogRecord):
    """
    A record of our own, with its fields beside it.

    It skips what foreign records need: the search for the caller, thread and process, structlog's
    copies. That is half of the time that a line takes, and every request writes one.
    """

    # What handlers of others may look for.
    args = ()
    created = msecs = 0.0
    exc_info = exc_text = stack_info = None
    pathname = filename = module = funcName = ""  # noqa: N815 - the name it has there
    lineno = 0

    def __init__(self, level: int, event: str, fields: dict[str, object]) -> None:  # pyright: ignore[reportMissingSuperCall] - it would look for all that is skipped
        self.name = OUR_LOGGER
        self.levelno = level
        self.levelname = logging.getLevelName(level)
        self.msg = event
        self.fields = fields


class LineFormatter(ProcessorFormatter):
    """
    Writes every record as one line, even one that cannot be formatted.

    Args:
        line: How the fields become text.
        now: The clock; records of the standard library are dated by it too.
    """

    def __init__(self, line: Line, now: Callable[[], datetime]) -> None:
        self._line = line
        self._now = now
        self._lay_out = _LayOut(now)
        super().__init__(
            foreign_pre_chain=[_add_extras],
            processors=[self._lay_out, lambda _logger, _method, fields: line(fields)],
        )

    @override
    def format(self, record: logging.LogRecord) -> str:
        try:
            return self._write(record) if isinstance(record, OurRecord) else super().format(record)
        except Exception as error:  # noqa: BLE001 - `logger.info("%d", "x")` is no reason to fail
            return self._write(_bare_record(record, error))

    def _write(self, record: OurRecord) -> str:
        told = record.fields
        if "exc_info" in told or "stack_info" in told:
            return self._line(self._lay_out.fields_of(record, record.msg, {**told}))
        # Nearly always it is one of them.
        level = _BY_NUMBER.get(record.levelno) or _level_of(record.levelno).value
        return self._line(lay_out(self._now(), level, record.msg, record.name, told))


class _LayOut:
    """
    The processor that makes a `LogEntry` of whatever came, and lets the core lay it out.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def __call__(self, _logger: object, _method: str, event: EventDict) -> dict[str, object]:
        record = cast("logging.LogRecord", event.pop("_record"))
        del event["_from_structlog"]
        return self.fields_of(record, safe_text(event.pop("event", "")), event)

    def fields_of(
        self, record: logging.LogRecord, message: str, event: EventDict
    ) -> dict[str, object]:
        """
        Return the fields of one line; `event` is used up.
        """
        _ = event.pop("stack_info", None)  # text over many lines, full of paths
        error = _error_of(event.pop("exc_info", None))
        span = CURRENT_SPAN.get()
        known = {name: read(event.pop(name)) for name, read in READ.items() if name in event}
        entry = LogEntry(
            timestamp=self._now(),
            level=_level_of(record.levelno),
            message=message.strip(),
            request_id=known.pop("request_id", None) or current_request_id(),
            trace_id=known.pop("trace_id", None) or (span.trace.id if span else None),
            span_id=known.pop("span_id", None) or (span.id if span else None),
            logger=record.name,
            extra=event,
            exception=None if error is None else describe_exception(error),
            **known,
        )
        return log_fields(entry)


def _add_extras(_logger: object, _method: str, event: EventDict) -> EventDict:
    record = cast("logging.LogRecord", event["_record"])
    for name, value in record.__dict__.items():
        if name not in _STANDARD and name not in event:
            event[name] = value
    return event


def _level_of(number: int) -> LogLevel:
    # A library may have numbers of its own between.
    return next((level for least, level in _LEVELS if number >= least), LogLevel.DEBUG)


def _error_of(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True | 1:
            return sys.exception()
        case _:
            return None


def _bare_record(record: logging.LogRecord, error: Exception) -> OurRecord:
    # What cannot be the trouble is kept: a request has its line, even if one fact of it is lost.
    given = record.fields if isinstance(record, OurRecord) else {"exc_info": record.exc_info}
    fields = {
        name: value
        for name, value in given.items()
        if value is None or name == "exc_info" or isinstance(value, str | int | float)
    }
    fields["unformatted_because"] = f"{type(error).__name__}: {safe_text(error)}"
    bare = OurRecord(record.levelno, safe_text(record.msg), fields)
    bare.name = record.name
    return bare
