"""
The audit trail while its database is out of reach: the spool, and the way back.
"""

import fcntl
import os
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ctxfy.adapters.storage.audit_proofs import AuditProofs
from ctxfy.adapters.storage.audit_reader import AuditReader
from ctxfy.adapters.storage.audit_seals import AuditSeals
from ctxfy.adapters.storage.audit_spool import AuditSpool
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.audit_models import AuditEvent, AuditFilter, Fate
from tests.fakes.audit_fakes import FakeAuditWatcher
from tests.integration.adapters.storage.storage_kit import (
    ENVELOPE,
    NOON,
    open_copy,
)


@pytest.fixture
async def database(template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """
    A database whose writers soon lose patience.
    """
    opened = open_copy(template, tmp_path, patience=0.05)
    yield opened
    await opened.aclose()


@contextmanager
def outage(folder: Path) -> Generator[None]:
    """
    Keep everybody from writing, as a process would that hangs with the lock.
    """
    file = os.open(folder / "ctxfy.db.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(file)


def trail_on(database: Database, folder: Path, **options: object) -> AuditTrail:
    """
    Open a trail with a spool.
    """
    return AuditTrail(
        database=database,
        envelope=ENVELOPE,
        seals=AuditSeals(ENVELOPE),
        chain="main",
        **({"spool": AuditSpool(folder / "spool", envelope=ENVELOPE)} | options),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - by name
    )


def event(number: int) -> AuditEvent:
    """
    Make an event, so many minutes after noon.
    """
    return AuditEvent(
        action="prompt_executed",
        at=NOON + timedelta(minutes=number),
        target=f"prompt-{number}",
        details={"client": "canary-client"},
    )


async def targets(database: Database) -> list[str | None]:
    """
    Read the trail, and require it to be whole.
    """
    assert (await AuditProofs(database=database, envelope=ENVELOPE).verify()).is_valid
    reader = AuditReader(database=database, envelope=ENVELOPE, seals=AuditSeals(ENVELOPE))
    return [record.event.target async for record in reader.records(AuditFilter())]


async def test_events_wait_in_the_spool_and_move_when_the_database_is_back(
    database: Database, tmp_path: Path
) -> None:
    """
    Nothing that was acknowledged in an outage is lost or doubled, and the file is gone after.
    """
    watcher = FakeAuditWatcher()
    trail = trail_on(database, tmp_path, watcher=watcher)
    await trail.append(event(0))
    with outage(tmp_path):
        for number in (1, 2):
            await trail.append(event(number))
        assert trail.is_away
        assert b"canary" not in (tmp_path / "spool").read_bytes()
        with pytest.raises(UnavailableError):
            await trail.drain()
    drained = await trail.drain()
    await trail.append(event(3))
    assert (drained.events, drained.damaged, trail.is_away, trail.spooled_bytes) == (
        2,
        None,
        False,
        0,
    )
    assert await targets(database) == [f"prompt-{number}" for number in range(4)]
    assert [(fate, each.target) for fate, each in watcher.heard] == [
        (Fate.STORED, "prompt-0"),
        (Fate.SPOOLED, "prompt-1"),
        (Fate.SPOOLED, "prompt-2"),
        (Fate.RECOVERED, "prompt-1"),
        (Fate.RECOVERED, "prompt-2"),
        (Fate.STORED, "prompt-3"),
    ]
    assert len(watcher.commits) == 2


async def test_a_spool_outlives_its_process(database: Database, tmp_path: Path) -> None:
    """
    Another process finds what an earlier one left, goes on behind it, and takes all of it over.
    """
    with outage(tmp_path):
        await trail_on(database, tmp_path).append(event(1))
        await trail_on(database, tmp_path).append(event(2))
    assert (await trail_on(database, tmp_path).drain()).events == 2
    assert await targets(database) == ["prompt-1", "prompt-2"]


async def test_what_another_process_has_left_is_taken_over_too(
    database: Database, tmp_path: Path
) -> None:
    """
    File after file, each once nothing waits in the own one.
    """
    files = [tmp_path / f"spool-{number}" for number in (2, 3)]
    with outage(tmp_path):
        for number, file in enumerate(files):
            left = AuditSpool(file, envelope=ENVELOPE)
            await trail_on(database, tmp_path, spool=left).append(event(number))
    spool = AuditSpool(
        tmp_path / "spool",
        envelope=ENVELOPE,
        left=lambda: [file for file in files if file.exists()],
    )
    spool.inherit()
    trail = trail_on(database, tmp_path, spool=spool)
    while trail.spooled_bytes:
        assert (await trail.drain()).events == 1
    assert await targets(database) == ["prompt-0", "prompt-1"]
    assert not any(file.exists() for file in files)


async def test_a_spool_that_was_taken_over_is_not_taken_twice(
    database: Database, tmp_path: Path
) -> None:
    """
    A process that is killed between the commit and the removal of the file doubles nothing.
    """
    with outage(tmp_path):
        await trail_on(database, tmp_path).append(event(1))
    left = (tmp_path / "spool").read_bytes()
    await trail_on(database, tmp_path).drain()
    (tmp_path / "spool").write_bytes(left)
    await trail_on(database, tmp_path).drain()
    assert await targets(database) == ["prompt-1"]


async def test_a_damaged_spool_is_kept_for_people(database: Database, tmp_path: Path) -> None:
    """
    Lines up to the damage are taken over, and the file is put aside, not thrown away.
    """
    with outage(tmp_path):
        trail = trail_on(database, tmp_path)
        for number in (1, 2, 3):
            await trail.append(event(number))
    first, _second, third = (tmp_path / "spool").read_bytes().splitlines(keepends=True)
    (tmp_path / "spool").write_bytes(first + third)
    drained = await trail_on(database, tmp_path).drain()
    assert (drained.events, drained.damaged) == (1, str(tmp_path / "spool.damaged"))
    assert await targets(database) == ["prompt-1"]


async def test_a_full_spool_refuses(database: Database, tmp_path: Path) -> None:
    """
    With neither database nor room in the spool, a strict trail lets nothing be acknowledged.
    """
    spool = AuditSpool(tmp_path / "spool", envelope=ENVELOPE, max_bytes=10)
    watcher = FakeAuditWatcher()
    trail = trail_on(database, tmp_path, spool=spool, watcher=watcher)
    with outage(tmp_path), pytest.raises(UnavailableError, match="is full"):
        await trail.append(event(1))
    assert (trail.lost, watcher.heard) == (1, [(Fate.LOST, event(1))])


async def test_without_a_spool_an_outage_refuses(database: Database, tmp_path: Path) -> None:
    """
    A trail that may not spool says so at once, and works again by itself.
    """
    trail = trail_on(database, tmp_path, spool=None)
    with outage(tmp_path), pytest.raises(UnavailableError, match="locked"):
        await trail.append(event(1))
    await trail.drain()
    await trail.append(event(2))
    assert await targets(database) == ["prompt-2"]


async def test_a_change_is_never_spooled(database: Database, tmp_path: Path) -> None:
    """
    A change needs the database; it fails in an outage, and leaves no event of itself.
    """
    trail = trail_on(database, tmp_path)
    with outage(tmp_path), pytest.raises(UnavailableError):
        await trail.change(lambda _connection: None, lambda _nothing: event(1))
    await trail.drain()
    assert await targets(database) == []


async def test_a_relaxed_trail_waits_for_nobody(database: Database, tmp_path: Path) -> None:
    """
    The event is on its way when `append` returns, and on the disk soon after.
    """
    trail = trail_on(database, tmp_path, strict=False)
    await trail.append(event(1))
    assert trail.waiting == 1
    await trail.settled()
    assert await targets(database) == ["prompt-1"]
