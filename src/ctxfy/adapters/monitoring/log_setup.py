"""
Puts the pipeline under everything that logs in this process.
"""

import logging
from collections.abc import Callable
from contextvars import Context
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple, TextIO, override

import structlog
from structlog.stdlib import ProcessorFormatter, filter_by_level

from ctxfy.adapters.monitoring.log_file import FileSink
from ctxfy.adapters.monitoring.log_levels import LogLevels
from ctxfy.adapters.monitoring.log_lines import Fields, console_line, json_line
from ctxfy.adapters.monitoring.log_pipeline import Line, LineFormatter, OurRecord
from ctxfy.adapters.monitoring.log_queue import LineQueue, Sink
from ctxfy.adapters.monitoring.log_stream import StreamSink
from ctxfy.adapters.monitoring.log_turns import SinkInTurns
from ctxfy.core.models.log_level_models import LoggerLevels
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.log_level_use_cases import ROOT


NO_LEVELS: LoggerLevels = MappingProxyType({})

LogFormat = Literal["json", "console", "auto"]

# Loggers whose libraries hang handlers of their own on them, FastMCP while it is imported.
_SELF_WILLED = ("fastmcp", "mcp", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")


class LogWorker(NamedTuple):
    """
    One of several processes that write to one place.

    Attributes:
        number: Which; each line bears it.
        lock: Under which they write.
    """

    number: int
    lock: Path


class LogOutput(NamedTuple):
    """
    What the log goes through.

    Attributes:
        queue: Of the lines; until it is started, they are written where they are logged.
        levels: Of the loggers; they may change at any time.
    """

    queue: LineQueue
    levels: LogLevels


def configure_logging(
    *,
    format: LogFormat,  # noqa: A002 - the setting is called so
    level: LogLevel,
    stream: TextIO,
    now: Callable[[], datetime],
    levels: LoggerLevels = NO_LEVELS,
    file: FileSink | None = None,
    json_form: Line = json_line,
    worker: LogWorker | None = None,
) -> LogOutput:
    """
    Make every record of this process one line on the stream; may be called again.

    Args:
        format: `auto` is `console` on a terminal and `json` elsewhere.
        level: The least level written; some libraries have a higher one of their own.
        stream: Where to write.
        now: The clock.
        levels: Of single loggers, in place of `level`.
        file: Where to write instead.
        json_form: How a line is written as JSON.
        worker: Which of several processes this is that write to the one place.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    on_terminal = file is None and stream.isatty()
    people = format == "console" or (format == "auto" and on_terminal)
    line = partial(console_line, coloured=on_terminal) if people else json_form
    sink: Sink = file or StreamSink(stream)
    if worker is not None:
        line, sink = partial(_numbered, line, worker.number), SinkInTurns(sink, worker.lock)
    formatter = LineFormatter(line, now)
    queue = LineQueue(sink, partial(_missing_line, formatter))
    in_force = LogLevels()
    root.addHandler(_LineHandler(queue, formatter, in_force))
    _tame_libraries()
    in_force.apply({**levels, ROOT: level})
    logging.captureWarnings(capture=True)
    # For prompt functions that use structlog by themselves.
    structlog.configure(
        processors=[filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return LogOutput(queue, in_force)


def _numbered(line: Line, worker: int, fields: Fields) -> str:
    return line({**fields, "worker": worker})


def _missing_line(formatter: LineFormatter, count: int) -> str:
    record = OurRecord(logging.WARNING, "log_lines_dropped", {"lines": count})
    # In a context of its own: it belongs to no request.
    return f"{Context().run(formatter.format, record)}\n"


class _LineHandler(logging.Handler):
    """
    Hands lines on; drops what is below its logger's level.
    """

    def __init__(self, queue: LineQueue, formatter: logging.Formatter, levels: LogLevels) -> None:
        super().__init__()
        self._queue = queue
        self._lines = formatter
        self._levels = levels
        self.setFormatter(formatter)  # for whoever asks

    @override
    def handle(self, record: logging.LogRecord) -> bool:
        # Of ours it was decided before it was made, by the part of the server that it is of.
        if isinstance(record, OurRecord) or record.levelno >= self._levels.bound_of(record.name):
            self.emit(record)  # under no lock: the queue has its own
            return True
        return False

    @override
    def emit(self, record: logging.LogRecord) -> None:
        # The standard library would print a traceback, over many lines. No `suppress`: it is slow.
        try:  # noqa: SIM105 - as said
            self._queue.put(f"{self._lines.format(record)}\n")
        except Exception:  # noqa: BLE001, S110 # nosec B110 - a line lost fails nobody
            pass


class _PropagatingLogger(logging.Logger):
    """
    A logger that takes no handlers and always hands its records on.

    FastMCP installs a handler for coloured boxes, and cuts the way to the root, whenever it is
    imported or asked to run; uvicorn does the same from its own configuration. Both may happen
    after ours, so clearing their handlers once is not enough.
    """

    @override
    def addHandler(self, hdlr: logging.Handler) -> None:
        pass

    @override
    def __setattr__(self, name: str, value: object) -> None:
        if name != "propagate":
            super().__setattr__(name, value)


def _tame_libraries() -> None:
    for name in _SELF_WILLED:
        logger = logging.getLogger(name)
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
        logger.propagate = True
        logger.__class__ = _PropagatingLogger
        logger.setLevel(logging.NOTSET)
