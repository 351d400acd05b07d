"""
Whether the database answers (HealthProbePort).
"""

import asyncio

from sqlalchemy import Connection, select

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.tables import epochs
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus


class StorageProbe:
    """
    Reads one row, within a second.
    """

    def __init__(
        self, *, database: Database, name: str = "storage", limit_seconds: float = 1.0
    ) -> None:
        self._database = database
        self._name = name
        self._limit_seconds = limit_seconds

    async def check(self) -> CheckResult:
        """
        Look after the database; never raises.
        """
        try:
            async with asyncio.timeout(self._limit_seconds):
                await self._database.read(_read_something)
        except UnavailableError as error:
            return self._result(HealthStatus.FAIL, error.sentence)
        except TimeoutError:
            return self._result(
                HealthStatus.FAIL,
                f"The database {self._database.name} did not answer"
                f" within {self._limit_seconds:g} s.",
            )
        return self._result(HealthStatus.PASS, f"The database {self._database.name} answers.")

    def _result(self, status: HealthStatus, detail: str) -> CheckResult:
        return CheckResult(name=self._name, status=status, detail=detail)


def _read_something(connection: Connection) -> None:
    # Not SELECT 1: SQLite answers that without a look at the file.
    connection.execute(select(epochs.c.value).limit(1)).first()
