"""
Statements that every batch of events needs, compiled once for each kind of database.

From an expression to the driver, SQLAlchemy goes a way that takes longer than the driver does.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.expression import ClauseElement


class PreparedStatement:
    """
    A statement that goes to the driver as it is: values must be of types the driver knows.

    Args:
        statement: With its values as parameters.
        columns: Those that are set, for a statement that sets any.
    """

    def __init__(self, statement: ClauseElement, columns: Sequence[str] = ()) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, tuple[str, tuple[tuple[str, object], ...]]] = {}

    def run(self, connection: Connection, values: Mapping[str, object]) -> CursorResult[Any]:
        """
        Execute it once; what is selected comes by the names of columns.
        """
        text, fixed = self._for(connection.dialect)
        given = tuple([values.get(name, value) for name, value in fixed])
        return connection.exec_driver_sql(text, given)

    def run_for_each(self, connection: Connection, rows: Sequence[object]) -> None:
        """
        Execute it for each row, given as an object whose attributes are the values.
        """
        text, fixed = self._for(connection.dialect)
        values_of = attrgetter(*(name for name, _ in fixed))
        connection.exec_driver_sql(text, list(map(values_of, rows)))

    def _for(self, dialect: Dialect) -> tuple[str, tuple[tuple[str, object], ...]]:
        if dialect.name not in self._compiled:
            compiled: Any = self._statement.compile(
                dialect=dialect, column_keys=list(self._columns) or None
            )
            # Some parameters have their value in the statement itself.
            fixed = tuple((name, compiled.params[name]) for name in compiled.positiontup)
            self._compiled[dialect.name] = (str(compiled), fixed)
        return self._compiled[dialect.name]
