"""
A database whose every use shows in the trace of the request that it was for.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ctxfy.adapters.storage.database import Connected, Connecting, Opening
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.monitoring_ports import TracerPort


class TracedOpening:
    """
    An opening, with a span from the wish for a connection to the end of what was done with it.

    Args:
        system: What OpenTelemetry calls this kind of database.
    """

    def __init__(self, opening: Opening, tracer: TracerPort, *, system: str) -> None:
        self._opening = opening
        self._tracer = tracer
        self._system = system

    @property
    def name(self) -> str:
        """
        What to call the database in a sentence.
        """
        return self._opening.name

    @property
    def exists(self) -> bool:
        """
        Whether there is anything to read at all.
        """
        return self._opening.exists

    @property
    def outage(self) -> UnavailableError | None:
        """
        Why the database is known to be out of reach.
        """
        return self._opening.outage

    @property
    def connections(self) -> tuple[int, int]:
        """
        How many connections are in use, and how many there may be.
        """
        return self._opening.connections

    def reading(self) -> Connecting:
        """
        Connect for statements that each see their own moment.
        """
        return self._watched(self._opening.reading(), "read")

    def writing(self, *, alone: bool) -> Connecting:
        """
        Connect for one transaction.
        """
        return self._watched(self._opening.writing(alone=alone), "write")

    def maintaining(self) -> Connecting:
        """
        Connect for one transaction that may take its time, alone.
        """
        return self._watched(self._opening.maintaining(), "write")

    def snapshotting(self) -> Connecting:
        """
        Connect for statements that all see the same moment, and may take their time.
        """
        return self._watched(self._opening.snapshotting(), "read")

    async def scrub(self) -> bool:
        """
        Take what was deleted out of files that only we write; False if somebody was in the way.
        """
        return await self._opening.scrub()

    async def aclose(self) -> None:
        """
        Close every connection. May be called again.
        """
        await self._opening.aclose()

    @asynccontextmanager
    async def _watched(self, connecting: Connecting, operation: str) -> AsyncGenerator[Connected]:
        with self._tracer.span(Step.STORAGE, operation=operation, system=self._system):
            async with connecting as connection:
                yield connection
