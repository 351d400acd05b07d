"""
What every directory of people does (PersonDirectoryPort), the fake included.
"""

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.people import find_person
from ctxfy.adapters.storage.person_directory import BELIEVED_SECONDS, SqlPersonDirectory
from ctxfy.core.ports.auth_ports import PersonDirectoryPort
from tests.builders import told
from tests.fakes.auth_fakes import FakePersonDirectory
from tests.fakes.monitoring_fakes import FakeClock
from tests.integration.adapters.storage.storage_kit import ENVELOPE, NOON, key, key_store


@pytest.fixture
def directory(database: Database | None) -> PersonDirectoryPort:
    """
    Each kind of directory, empty.
    """
    return FakePersonDirectory() if database is None else sql_directory(database, FakeClock())


def sql_directory(database: Database, clock: FakeClock) -> SqlPersonDirectory:
    """
    Make a directory, as each process has one of its own.
    """
    return SqlPersonDirectory(
        database=database, envelope=ENVELOPE, now=lambda: NOON, monotonic=clock
    )


async def test_a_person_has_one_id(directory: PersonDirectoryPort) -> None:
    """
    The same each time, and nobody else's.
    """
    ann = await directory.person_of("ann")
    assert await directory.person_of("bob") != ann
    assert await directory.person_of("ann") == ann


async def test_who_holds_a_key_is_the_same_person(sqlite_database: Database) -> None:
    """
    Found by the name, and remembered for a moment, longer only while the store is away.
    """
    await key_store(sqlite_database).add(key("a"), told())
    ann = await sqlite_database.read(lambda connection: find_person(connection, ENVELOPE, "ann"))
    clock = FakeClock()
    directory = sql_directory(sqlite_database, clock)
    assert await directory.person_of("ann") == ann
    await sqlite_database.aclose()
    clock.now += BELIEVED_SECONDS - 1
    assert await directory.person_of("ann") == ann
