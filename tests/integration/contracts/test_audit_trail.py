"""
What every writer of an audit trail does (AuditPort, AuditWriterPort), the fake included.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.ports.audit_ports import AuditWriterPort
from tests.fakes.audit_fakes import FakeAuditTrail
from tests.integration.adapters.storage.storage_kit import ENVELOPE, NOON


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """
    A writer, what reads its events, the oldest first, and what takes its database away.
    """

    trail: AuditWriterPort
    events: Callable[[], Awaitable[list[AuditEvent]]]
    outage: Callable[[], AbstractContextManager[None]]


@pytest.fixture
def writer(database: Database | None) -> Writer:
    """
    Each kind of writer, with nothing to fall back on.
    """
    return writer_in_memory() if database is None else writer_on(database)


def writer_in_memory() -> Writer:
    """
    Make the fake.
    """
    fake = FakeAuditTrail()

    async def events() -> list[AuditEvent]:
        return list(fake.events)

    @contextmanager
    def outage() -> Generator[None]:
        fake.outage = UnavailableError("database", "away")
        yield
        fake.outage = None

    return Writer(trail=fake, events=events, outage=outage)


def writer_on(database: Database) -> Writer:
    """
    Make a writer on a real database, whose door an outage shuts.
    """
    seals = AuditSeals(ENVELOPE)
    door = Door(database)
    trail = AuditTrail(database=door, envelope=ENVELOPE, seals=seals, chain="main")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as much of it as the trail uses
    reader = AuditReader(database=database, envelope=ENVELOPE, seals=seals)

    async def events() -> list[AuditEvent]:
        return [record.event async for record in reader.records(AuditFilter())]

    return Writer(trail=trail, events=events, outage=door.shut)


class Door:
    """
    A database that can be out of reach; the real ways are tried where its adapters are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_shut = False

    async def write[T](self, act: Callable[..., T], *, alone: bool = False) -> T:
        """
        Write, unless the door is shut.
        """
        if self._is_shut:
            raise UnavailableError("database", "away")
        return await self._database.write(act, alone=alone)

    @contextmanager
    def shut(self) -> Generator[None]:
        """
        Be out of reach.
        """
        self._is_shut = True
        yield
        self._is_shut = False


def event(number: int = 0) -> AuditEvent:
    """
    Make an event with something in every field, so many minutes after noon.
    """
    return AuditEvent(
        action="prompt_executed",
        at=NOON + timedelta(minutes=number, microseconds=1),
        outcome="ok",
        request_id=f"r-{number}",
        key_id=KeyId("k" * 12),
        target=f"prompt-{number}",
        details={"network": "203.0.113.0/24", "status": 200},
    )


async def test_an_event_is_there_when_append_returns(writer: Writer) -> None:
    """
    As it was given, and nothing waits.
    """
    await writer.trail.append(event())
    assert await writer.events() == [event()]
    assert (writer.trail.waiting, writer.trail.is_away, writer.trail.lost) == (0, False, 0)


async def test_events_are_kept_in_the_order_they_came(writer: Writer) -> None:
    """
    However many come at once.
    """
    given = [event(number) for number in range(60)]
    await asyncio.gather(*map(writer.trail.append, given))
    await writer.trail.settled()
    assert await writer.events() == given


async def test_what_cannot_be_kept_is_refused_and_counted(writer: Writer) -> None:
    """
    Whoever acted hears of it, and so does whoever looks after the trail, who sees when it is over.
    """
    with writer.outage():
        with pytest.raises(UnavailableError):
            await writer.trail.append(event(1))
        assert (writer.trail.is_away, writer.trail.lost) == (True, 1)
        with pytest.raises(UnavailableError):
            await writer.trail.drain()
        assert writer.trail.is_away
    drained = await writer.trail.drain()
    assert (drained.events, writer.trail.is_away, writer.trail.spooled_bytes) == (0, False, 0)
    await writer.trail.append(event(2))
    assert [each.request_id for each in await writer.events()] == ["r-2"]
