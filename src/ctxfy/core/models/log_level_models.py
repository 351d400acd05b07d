"""
Least levels of loggers, changed while the server runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ctxfy.core.models.monitoring_models import LogLevel


type LoggerLevels = Mapping[str, LogLevel]
"""
By name of logger.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """
    What one logger's least level is until then, in place of what the settings say.

    Attributes:
        until: When it falls back by itself; None if it does not while the process runs.
    """

    logger: str
    level: LogLevel
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggerLevel:
    """
    The least level of a logger, for whoever asks.

    Attributes:
        changed: Whether it is another than the settings say, or could be.
        until: When it falls back, if it was changed for a time.
    """

    logger: str
    level: LogLevel
    changed: bool = False
    until: datetime | None = None
