"""
The least level of every logger of this process.
"""

import logging

from ctxfy.core.models.log_level_models import LoggerLevels
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.log_level_use_cases import ROOT, nearest


OFF = logging.CRITICAL + 1

# The least level of a library and all below it, however verbose anybody asks it to be.
# FastMCP and mcp print whole messages at DEBUG, and those hold the arguments of prompts: people's
# text, which is never logged. HTTP clients print whole addresses at INFO, with what is asked there,
# SQL drivers the values of statements, and uvicorn what goes over a connection.
FLOORS: LoggerLevels = {
    "fastmcp": LogLevel.WARNING,
    "mcp": LogLevel.WARNING,  # INFO: three lines for every request of the 2025 wire
    "httpx": LogLevel.WARNING,
    "httpx2": LogLevel.WARNING,
    "httpcore": LogLevel.WARNING,
    "httpcore2": LogLevel.WARNING,
    "sse_starlette": LogLevel.INFO,
    "python_multipart": LogLevel.INFO,
    "uvicorn": LogLevel.INFO,
    "sqlalchemy.engine": LogLevel.WARNING,
    "urllib3": LogLevel.WARNING,
}
# What chatters, but for whoever asks for it by name.
_QUIET = {
    "asyncio": logging.INFO,
    "alembic": logging.WARNING,
    "watchfiles": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "opentelemetry": OFF,  # of a collector that is gone, for every batch; one line of ours says it
}
# Our own line replaces it, and it prints raw paths.
_SILENT = {"uvicorn.access": OFF}

# Of the process, as loggers are: what configured logging before may have been another than this.
_NAMED: set[str] = set()

_NUMBERS = logging.getLevelNamesMapping()
_FLOOR_NUMBERS = {name: _NUMBERS[level] for name, level in FLOORS.items()} | _SILENT


class LogLevels:
    """
    Sets the levels, and says of a record whether it may be written.
    """

    def __init__(self) -> None:
        self._asked: dict[str, int] = {}

    def apply(self, levels: LoggerLevels) -> None:
        """
        Put these in force in place of those before; `root` is among them.
        """
        self._asked = {name: _NUMBERS[level] for name, level in levels.items() if name != ROOT}
        logging.getLogger().setLevel(levels[ROOT].value)
        least = _NUMBERS[levels[ROOT]]
        _NAMED.update(self._asked, _FLOOR_NUMBERS, _QUIET)
        for name in _NAMED:
            bound = self.bound_of(name)
            if bound and nearest(name, self._asked) is None:
                bound = max(bound, least)
            logging.getLogger(name).setLevel(bound)

    def bound_of(self, logger: str) -> int:
        """
        Return the least level that is written of a logger, 0 if it is not for us to say.

        A library may set the level of a logger of its own, so that levels alone do not hold.
        """
        asked = nearest(logger, self._asked)
        if asked is None:
            asked = nearest(logger, _QUIET)
        return max(asked or logging.NOTSET, nearest(logger, _FLOOR_NUMBERS) or logging.NOTSET)
