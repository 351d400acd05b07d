"""
Databases: one PostgreSQL server for all tests that ask for it, and a database for each of them.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ctxfy.adapters.storage.database import Database
from tests.integration.adapters.storage.storage_kit import make_template, open_copy
from tests.postgres_kit import TestServer


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    One migrated SQLite database, to be copied.
    """
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    """
    One server for the whole run, or for each worker of xdist.
    """
    with TestServer() as server:
        yield server


@pytest.fixture
async def sqlite_database(template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """
    A migrated, empty SQLite database.
    """
    database = open_copy(template, tmp_path)
    yield database
    await database.aclose()


@pytest.fixture
async def postgresql_database(postgres: TestServer) -> AsyncIterator[Database]:
    """
    A migrated, empty database of the server.
    """
    name = await postgres.create_migrated()
    database = postgres.open(name)
    yield database
    await database.aclose()
    await postgres.drop(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request: pytest.FixtureRequest) -> Database:
    """
    A migrated, empty database of each kind.
    """
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found
