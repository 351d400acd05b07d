"""
A number that grows with every change that nothing remembered of keys and people must outlive.

Changes move it in their own transaction; every process compares it with what it saw last.
"""

from sqlalchemy import Connection, ScalarSelect, select, update

from ctxfy.adapters.storage.tables import epochs


_NAME = "api_keys"


def select_epoch() -> ScalarSelect[int]:
    """
    Select the number, alone or as a column of another statement.
    """
    return select(epochs.c.value).where(epochs.c.name == _NAME).scalar_subquery()


def read_epoch(connection: Connection) -> int:
    """
    Read the number.
    """
    return connection.scalars(select(select_epoch())).one()


def move_epoch(connection: Connection) -> None:
    """
    Move it on.
    """
    connection.execute(
        update(epochs).where(epochs.c.name == _NAME).values(value=epochs.c.value + 1)
    )
