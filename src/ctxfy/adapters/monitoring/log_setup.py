"""
Puts the pipeline under everything that logs in this process.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from datetime import datetime
from functools import partial
from typing import Literal, TextIO, override

import structlog
from structlog.stdlib import ProcessorFormatter, filter_by_level

from ctxfy.adapters.monitoring.log_file import FileSink
from ctxfy.adapters.monitoring.log_lines import console_line, json_line
from ctxfy.adapters.monitoring.log_pipeline import Line, LineFormatter, OurRecord
from ctxfy.adapters.monitoring.log_queue import LineQueue
from ctxfy.adapters.monitoring.log_stream import StreamSink
from ctxfy.core.models.monitoring_models import LogLevel


LogFormat = Literal["json", "console", "auto"]

OFF = logging.CRITICAL + 1

# The least level of a library and all below it, however verbose we are asked to be.
# FastMCP and mcp print whole messages at DEBUG, and those hold the arguments of prompts: people's
# text, which is never logged. HTTP clients print whole addresses at INFO, with what is asked there,
# and SQL drivers the values of statements. Our own line replaces uvicorn's access log.
_FLOORS = {
    "fastmcp": logging.WARNING,
    "mcp": logging.WARNING,  # INFO: three lines for every request of the 2025 wire
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpcore2": logging.WARNING,
    "sse_starlette": logging.INFO,
    "asyncio": logging.INFO,
    "python_multipart": logging.INFO,
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "watchfiles": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "sqlalchemy.engine": logging.WARNING,
    "urllib3": logging.WARNING,
    "opentelemetry": OFF,  # of a collector that is gone, for every batch; one line of ours says it
    "uvicorn.access": OFF,
}

# Loggers whose libraries hang handlers of their own on them, FastMCP while it is imported.
_SELF_WILLED = ("fastmcp", "mcp", "uvicorn", "uvicorn.error", "uvicorn.asgi", "uvicorn.access")


def configure_logging(
    *,
    format: LogFormat,  # noqa: A002 - the setting is called so
    level: LogLevel,
    stream: TextIO,
    now: Callable[[], datetime],
    file: FileSink | None = None,
) -> LineQueue:
    """
    Make every record of this process one line on the stream; may be called again.

    Returns what the lines go through. Until it is started, they are written where they are logged.

    Args:
        format: `auto` is `console` on a terminal and `json` elsewhere.
        level: The least level written; some libraries have a higher one of their own.
        stream: Where to write.
        now: The clock.
        file: Where to write instead.
    """
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    on_terminal = file is None and stream.isatty()
    formatter = LineFormatter(_choose_line(format, on_terminal=on_terminal), now)
    queue = LineQueue(file or StreamSink(stream), partial(_missing_line, formatter))
    root.addHandler(_LineHandler(queue, formatter))
    root.setLevel(level.value)
    _tame_libraries(logging.getLevelNamesMapping()[level.value])
    logging.captureWarnings(capture=True)
    # For prompt functions that use structlog by themselves.
    structlog.configure(
        processors=[filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return queue


def _missing_line(formatter: LineFormatter, count: int) -> str:
    record = OurRecord(logging.WARNING, "log_lines_dropped", {"lines": count})
    # In a context of its own: it belongs to no request.
    return f"{Context().run(formatter.format, record)}\n"


class _LineHandler(logging.Handler):
    """
    Hands lines on; drops what is below its library's floor.
    """

    def __init__(self, queue: LineQueue, formatter: logging.Formatter) -> None:
        super().__init__()
        self._queue = queue
        self.setFormatter(formatter)

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        # Here and not only as levels: a library may set the level of a logger of its own.
        return record.levelno >= _floor_of(record.name)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # the standard library would print a traceback, over many lines
            self._queue.put(f"{self.format(record)}\n")


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


def _choose_line(form: LogFormat, *, on_terminal: bool) -> Line:
    if form == "console" or (form == "auto" and on_terminal):
        return partial(console_line, coloured=on_terminal)
    return json_line


def _tame_libraries(level: int) -> None:
    for name in _SELF_WILLED:
        logger = logging.getLogger(name)
        for handler in logger.handlers[:]:
            logger.removeHandler(handler)
        logger.propagate = True
        logger.__class__ = _PropagatingLogger
        logger.setLevel(logging.NOTSET)
    for name, floor in _FLOORS.items():
        logging.getLogger(name).setLevel(max(level, floor))


def _floor_of(name: str) -> int:
    while name:
        if name in _FLOORS:
            return _FLOORS[name]
        name = name.rpartition(".")[0]
    return logging.NOTSET
