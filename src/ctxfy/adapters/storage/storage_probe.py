"""
Whether the database answers (HealthProbePort).
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, func, select

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.tables import epochs
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus


_NOW = select(func.now())


class StorageProbe:
    """
    Reads one row, within a second.

    Args:
        database: The database.
        can_do_without: Whether known keys are served from memory; as long as they are, the
            absence of the database is a warning.
        limit_seconds: How long to wait for an answer.
    """

    def __init__(
        self,
        *,
        database: Database,
        can_do_without: Callable[[], bool],
        limit_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._can_do_without = can_do_without
        self._limit_seconds = limit_seconds

    async def check(self) -> CheckResult:
        """
        Look after the database; never raises.
        """
        try:
            async with asyncio.timeout(self._limit_seconds):
                await self._database.read(_read_something)
        except UnavailableError as error:
            return self._away(error.sentence)
        except TimeoutError:
            return self._away(
                f"The database {self._database.name} did not answer"
                f" within {self._limit_seconds:g} s."
            )
        return _result(HealthStatus.PASS, f"The database {self._database.name} answers.")

    def _away(self, detail: str) -> CheckResult:
        if self._can_do_without():
            return _result(HealthStatus.WARN, f"{detail} Known keys are served for reads.")
        return _result(HealthStatus.FAIL, detail)


async def moment_of(database: Database) -> datetime:
    """
    Ask the server of a database what time it is there.

    Raises:
        UnavailableError: The database cannot be read.
    """
    return await database.read(lambda connection: connection.execute(_NOW).scalar_one())


def _result(status: HealthStatus, detail: str) -> CheckResult:
    return CheckResult(name="storage", status=status, detail=detail, kind="datastore")


def _read_something(connection: Connection) -> None:
    # Not SELECT 1: SQLite answers that without a look at the file.
    connection.execute(select(epochs.c.value).limit(1)).first()
