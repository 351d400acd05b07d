"""
The judgement about least levels: how they are written, which may be, and which one counts.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from ctxfy.core.exceptions import InvalidRequestError
from ctxfy.core.models.log_level_models import LevelChange, LoggerLevel, LoggerLevels
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


ROOT = "root"
"""
Stands for every logger that has no level of its own.
"""

LOGGER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}(\.[A-Za-z0-9_-]{1,64}){0,9}$"
MAX_LEVELS = 50
"""
How many loggers may have a level of their own: a logger, once named, is never given up by Python.
"""

_LOGGER = re.compile(LOGGER_PATTERN)
_ORDER = tuple(LogLevel)


def parse_levels(text: str) -> dict[str, str]:
    """
    Read `ctxfy.audit=debug, uvicorn=warning`; whether those are levels is not looked at.

    Raises:
        ValueError: It is not written so.
    """
    levels: dict[str, str] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        logger, equals, level = map(str.strip, entry.partition("="))
        if not equals:
            raise ValueError("write LOGGER=LEVEL, such as ctxfy.audit=debug, with commas between")
        if logger in levels:
            raise ValueError(f"the logger '{logger[:64]}' comes twice")
        levels[logger] = level
    return levels


def check_levels(levels: Mapping[str, object], floors: LoggerLevels) -> dict[str, LogLevel]:
    """
    Make levels of what was written.

    Raises:
        ValueError: A name is none of a logger, a level is unknown or too low, or they are too many.
    """
    if len(levels) > MAX_LEVELS:
        raise ValueError(f"it holds at most {MAX_LEVELS} loggers")
    if ROOT in levels:
        raise ValueError(f"'{ROOT}' is what CTXFY_LOGGING__LEVEL is for")
    checked = {logger: _level(logger, level) for logger, level in levels.items()}
    for logger, level in checked.items():
        if reason := _unfit(logger, level, floors):
            raise ValueError(reason)
    return checked


def check_change(
    change: LevelChange, changes: Mapping[str, LevelChange], floors: LoggerLevels
) -> None:
    """
    Refuse a change that may not be.

    Raises:
        InvalidRequestError: It names no logger, is too verbose for one, or is one too many.
    """
    check_logger(change.logger)
    if reason := _unfit(change.logger, change.level, floors):
        raise _mistake("level", ErrorCode.OUT_OF_RANGE, f"'level' does not fit: {reason}.")
    if change.logger not in changes and len(changes) >= MAX_LEVELS:
        raise _mistake(
            "logger",
            ErrorCode.OUT_OF_RANGE,
            f"{MAX_LEVELS} loggers have a changed level already; take one of them back first.",
        )


def check_logger(logger: str) -> None:
    """
    Refuse what is no name of a logger.

    Raises:
        InvalidRequestError: It is none.
    """
    if not _LOGGER.fullmatch(logger):
        raise _mistake(
            "logger", ErrorCode.PATTERN, "'logger' is no name of a logger, such as ctxfy.audit."
        )


def still_changed(changes: Iterable[LevelChange], now: datetime) -> dict[str, LevelChange]:
    """
    Leave out the changes whose time is over.
    """
    return {
        change.logger: change for change in changes if change.until is None or now < change.until
    }


def levels_in_force(settings: LoggerLevels, changes: Mapping[str, LevelChange]) -> LoggerLevels:
    """
    Lay the changes over the settings.
    """
    return {**settings, **{logger: change.level for logger, change in changes.items()}}


def describe_levels(
    settings: LoggerLevels, changes: Mapping[str, LevelChange]
) -> list[LoggerLevel]:
    """
    Tell the level of every logger that has one of its own, `root` first.
    """
    levels = levels_in_force(settings, changes)
    return [
        LoggerLevel(
            logger=logger,
            level=levels[logger],
            changed=logger in changes,
            until=changes[logger].until if logger in changes else None,
        )
        for logger in sorted(levels, key=lambda name: (name != ROOT, name))
    ]


def nearest[Value](logger: str, table: Mapping[str, Value]) -> Value | None:
    """
    Find what a table says of a logger, or else of the nearest one above it.
    """
    while logger:
        if logger in table:
            return table[logger]
        logger = logger.rpartition(".")[0]
    return None


def _level(logger: str, level: object) -> LogLevel:
    if not _LOGGER.fullmatch(logger):
        raise ValueError(f"'{logger[:64]}' is no name of a logger")
    try:
        return LogLevel(str(level).upper())
    except ValueError:
        known = ", ".join(LogLevel)
        # pydantic makes a sentence of a ValueError.
        raise ValueError(
            f"the level of '{logger}' is '{str(level)[:32]}', which is none of {known}"
        ) from None


def _unfit(logger: str, level: LogLevel, floors: LoggerLevels) -> str | None:
    floor = nearest(logger, floors)
    if floor is None or _ORDER.index(level) >= _ORDER.index(floor):
        return None
    return f"'{logger}' is not written below {floor}, since its lines would hold what people send"


def _mistake(field: str, code: ErrorCode, sentence: str) -> InvalidRequestError:
    mistake = ValidationError(field=field, message=sentence, code=code)
    return InvalidRequestError(ValidationResult(errors=(mistake,)))
