"""
Backups of either database, in one snapshot, and their way back into either.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    column,
    delete,
    insert,
    select,
    table,
)
from sqlalchemy.types import TypeEngine

from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.backup_file import (
    BATCH,
    BackupSummary,
    BackupTable,
    Columns,
    Kind,
    Row,
    batches_of,
    check_backup,
    new_backup,
)
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.sealed_file import SealingKeys
from ctxfy.adapters.storage.tables import epochs, metadata, schema_floor
from ctxfy.core.exceptions import ConfigurationError


_TYPES: Mapping[Kind, type[Text | BigInteger | LargeBinary]] = {
    "text": Text,
    "integer": BigInteger,
    "bytes": LargeBinary,
}


async def back_up(database: Database, path: Path, keys: SealingKeys | None = None) -> BackupSummary:
    """
    Write all our tables to a new file, as they are at one moment; nobody who writes is hindered.

    Args:
        database: What to read.
        path: The file.
        keys: What to seal it under; None leaves it without a seal.

    Raises:
        ConfigurationError: The file is there already, or it does not read as it was written.
        UnavailableError: The database cannot be read, or is of no known revision.
    """
    revision = await migrate.require_some_revision(database)
    with new_backup(path, revision=revision, keys=keys) as writer:

        def act(connection: Connection) -> None:
            for each in _own_tables(connection):
                writer.add_table(_described(each), _rows(connection, each))

        await database.snapshot(act)
    return writer.summary()


async def restore(database: Database, path: Path, keys: SealingKeys | None = None) -> BackupSummary:
    """
    Fill an empty database from a backup, and bring it to this version's revision: all or nothing.

    Args:
        database: What to fill.
        path: The file.
        keys: What it may be sealed under.

    Raises:
        ConfigurationError: The backup is none, or not whole, or under another key, or the database
            is not empty.
        UnavailableError: A newer version made the backup, or the database cannot be written.
    """
    summary = check_backup(path, keys)
    migrate.require_known(database, summary.revision)
    migrate.require_known(database, await migrate.current_revision(database))

    def act(connection: Connection) -> None:
        _require_empty(connection, database.name)
        migrate.rebuild(connection, summary.revision)
        for each in reversed(_own_tables(connection)):
            connection.execute(delete(each))  # what a migration puts into a fresh table
        for described, rows in batches_of(path, keys):
            connection.execute(insert(_target(described)), rows)
        migrate.move(connection, migrate.HEAD)

    await database.maintain(act)
    return summary


def _own_tables(connection: Connection) -> list[Table]:
    """
    Find those of our tables that there are, as they are; those that others refer to come first.
    """
    found = MetaData()
    # The floor is the migrations' own, as the revision is.
    names = metadata.tables.keys() - {schema_floor.name}
    found.reflect(connection, only=lambda name, _: name in names)
    return found.sorted_tables


def _described(source: Table) -> BackupTable:
    # SQLAlchemy's names are more than text.
    columns: Columns = {str(each.name): _kind(each.type) for each in source.c}
    return BackupTable(name=str(source.name), columns=columns)


def _kind(kind: TypeEngine[Any]) -> Kind:
    if isinstance(kind, LargeBinary):
        return "bytes"
    return "integer" if isinstance(kind, Integer) else "text"


def _rows(connection: Connection, source: Table) -> Iterator[Row]:
    wanted = select(source).order_by(*source.primary_key)
    for row in connection.execute(wanted, execution_options={"yield_per": BATCH}):
        yield tuple(row)


def _target(described: BackupTable) -> Table:
    columns = [column(name, _TYPES[kind]()) for name, kind in described.columns.items()]
    return table(described.name, *columns)  # type: ignore[return-value] # pyright: ignore[reportReturnType] - what insert takes


def _require_empty(connection: Connection, name: str) -> None:
    for each in _own_tables(connection):
        if each.name != epochs.name and connection.execute(select(each).limit(1)).first():
            raise ConfigurationError(
                f"The database {name} is not empty; restore into a new one, and name that with"
                " CTXFY_STORAGE__URL."
            )
