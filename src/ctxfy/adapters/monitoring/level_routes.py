"""
The handlers of /logging/levels.
"""

from datetime import UTC, datetime
from typing import Annotated, TypedDict

from fastapi import Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ctxfy.adapters.monitoring.level_service import LevelService
from ctxfy.core.models.log_level_models import LoggerLevel
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.audit_use_cases import actor_of_request
from ctxfy.core.use_cases.log_level_use_cases import LOGGER_PATTERN


HOUR = 3600
LONGEST_SECONDS = 7 * 24 * HOUR

type LoggerPath = Annotated[
    str,
    Path(
        description="A logger, with all below it; `root` is what has no level of its own.",
        json_schema_extra={"pattern": LOGGER_PATTERN},
    ),
]


class LevelBody(BaseModel):
    """
    Another level, and how long it counts.
    """

    model_config = ConfigDict(extra="forbid")

    level: LogLevel = Field(description="Least level written.")
    seconds: Annotated[int, Field(strict=True, ge=1, le=LONGEST_SECONDS)] | None = Field(
        default=HOUR, description="Until it falls back by itself; null: when the server ends."
    )


class LoggerLevelData(TypedDict):
    """
    The least level of a logger, and of all below it that have none of their own.
    """

    logger: Annotated[str, Field(examples=["ctxfy.requests"])]
    level: LogLevel
    changed: Annotated[bool, Field(description="Whether it was changed since the start.")]
    until: Annotated[
        str | None,
        Field(
            description="When it falls back, UTC; null if it does not.",
            json_schema_extra={"format": "date-time"},
        ),
    ]


class LevelsData(TypedDict):
    """
    Every logger that has a level of its own, in the process that answers.
    """

    levels: list[LoggerLevelData]


class LevelRoutes:
    """
    Levels of loggers over REST.
    """

    def __init__(self, levels: LevelService) -> None:
        self._levels = levels

    async def show(self) -> Response:
        """
        Tell the least level of every logger that has one of its own.
        """
        return self._all()

    async def change(self, request: Request, logger: LoggerPath, body: LevelBody) -> Response:
        """
        Change the least level of a logger, for a time, without a restart.
        """
        actor = actor_of_request(request.scope["state"])
        await self._levels.change(logger, body.level, seconds=body.seconds, actor=actor)
        return self._all()

    async def take_back(self, request: Request, logger: LoggerPath) -> Response:
        """
        Give a logger the level of the settings again. Idempotent.
        """
        await self._levels.take_back(logger, actor=actor_of_request(request.scope["state"]))
        return self._all()

    def _all(self) -> Response:
        found: LevelsData = {"levels": [plain_level(level) for level in self._levels.levels()]}
        return JSONResponse(found)


def plain_level(level: LoggerLevel) -> LoggerLevelData:
    """
    Lay a level out as JSON data.
    """
    return {
        "logger": level.logger,
        "level": level.level,
        "changed": level.changed,
        "until": None if level.until is None else _moment(level.until),
    }


def _moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
