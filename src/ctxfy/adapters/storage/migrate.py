"""
Brings a database to the tables this version knows, in one transaction under the write lock.

Alembic is imported only when there is something to do: at nearly every start there is not, and one
look tells.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, inspect, select, text

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.tables import schema_floor
from ctxfy.core.exceptions import UnavailableError


if TYPE_CHECKING:
    from alembic.config import Config


REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""
Every revision, oldest first; a test keeps this in step with the scripts in `migrations`.
"""

HEAD = REVISIONS[-1]
FLOORS: Mapping[str, str] = {"0008": "0007"}
"""
For a revision, the oldest one whose versions may serve on its tables, if not itself alone.

What only adds is not yet compatible: an older version would not know of a column that takes
something from a key, and let everybody in whom it keeps out.
"""
SCRIPTS = Path(__file__).parent / "migrations"


async def current_revision(database: Database) -> str | None:
    """
    Return the revision of a database, None for an empty one.

    Raises:
        UnavailableError: The database cannot be read.
    """
    return await database.read(_revision) if database.exists else None


async def newer_revision(database: Database) -> str | None:
    """
    Return the revision of a database that a newer version changed, if this one may serve on it.

    Raises:
        UnavailableError: It may not, or the database cannot be read; the sentence says what to do.
    """
    found = await current_revision(database)
    if found is None or found in REVISIONS:
        return None
    floor = await database.read(_floor)
    if floor is None:
        require_known(database, found)
    elif floor > HEAD:
        raise UnavailableError(
            "storage",
            f"the database {database.name} is at revision {found}, on which only versions of ctxfy"
            f" with revision {floor} or newer may serve, and this one has {HEAD}; use such a"
            f" version, or take the tables back with it: 'ctxfy db downgrade {HEAD}'.",
        )
    return found


async def check(database: Database) -> None:
    """
    Refuse a database on which this version may not serve.

    Raises:
        UnavailableError: It may not, or it cannot be read; the sentence says what to do.
    """
    if await newer_revision(database) is not None:
        return
    found = await current_revision(database)
    if found != HEAD:
        state = "is empty" if found is None else f"is at revision {found}"
        raise UnavailableError(
            "storage",
            f"the database {database.name} {state} and this version of ctxfy needs revision"
            f" {HEAD}; run 'ctxfy db upgrade', or start the server once with"
            " CTXFY_STORAGE__MIGRATE=auto.",
        )


async def require_some_revision(database: Database) -> str:
    """
    Return the revision of a database, which must be one that this version knows.

    Raises:
        UnavailableError: It is another, or there is none.
    """
    require_known(database, found := await current_revision(database))
    if found is None:
        raise UnavailableError("storage", f"the database {database.name} is empty.")
    return found


async def upgrade(database: Database, revision: str = HEAD) -> bool:
    """
    Bring a database up to a revision; tells whether there was anything to do.

    One that a newer version changed is left as it is, if this one may serve on it.

    Raises:
        UnavailableError: It may not, there is no such revision, or it cannot be written.
    """
    require_known(database, revision)
    if await newer_revision(database) is not None:
        return False
    found = await current_revision(database)
    if found is not None and found >= revision:
        return False
    # Half a second or more, for which nobody should have to wait at the lock.
    import_module("alembic.command")
    await database.maintain(lambda connection: move(connection, revision))
    return True


async def downgrade(database: Database, revision: str | None = None) -> None:
    """
    Take a database back to a revision, or with None to nothing: what only newer ones keep is lost.

    Raises:
        UnavailableError: A newer version made it, there is no such revision, or it cannot be
            written.
    """
    require_known(database, await current_revision(database))
    require_known(database, revision)
    await database.maintain(lambda connection: _downgrade(connection, revision or "base"))


def require_known(database: Database, revision: str | None) -> None:
    """
    Refuse a revision of a newer version; None is an empty database.

    Raises:
        UnavailableError: It is one.
    """
    if revision is not None and revision not in REVISIONS:
        raise UnavailableError(
            "storage",
            f"this version of ctxfy does not know revision {revision} of the database"
            f" {database.name}; use the version that made it, or restore a backup.",
        )


def move(connection: Connection, revision: str) -> None:
    """
    Bring a database up to a revision, within a transaction.
    """
    # Whoever had the lock before may have done it.
    if _revision(connection) == revision:
        return
    from alembic import command  # noqa: PLC0415 - see the module's docstring

    command.upgrade(_configuration(connection), revision)
    _write_floor(connection, revision)


def rebuild(connection: Connection, revision: str) -> None:
    """
    Make the tables of a revision anew, within a transaction; what was in any is lost.
    """
    if _revision(connection) is not None:
        _downgrade(connection, "base")
    move(connection, revision)


def _revision(connection: Connection) -> str | None:
    # Looked for first: a SELECT that fails would take PostgreSQL's transaction with it.
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _downgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - see the module's docstring

    command.downgrade(_configuration(connection), revision)
    _write_floor(connection, revision)


def _floor(connection: Connection) -> str | None:
    if not inspect(connection).has_table(schema_floor.name):
        return None
    return connection.scalar(select(schema_floor.c.revision))


def _write_floor(connection: Connection, revision: str) -> None:
    if inspect(connection).has_table(schema_floor.name):
        before = [each for each in REVISIONS if each <= revision]
        connection.execute(delete(schema_floor))
        floor = max(FLOORS.get(each, each) for each in before)
        connection.execute(insert(schema_floor).values(revision=floor))


def _configuration(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - see the module's docstring

    configuration = Config(attributes={"connection": connection})
    # The percent sign begins a substitution there.
    configuration.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return configuration
