"""
What keys were used for, in the database (UsageStorePort).
"""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, tuple_, update

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.people import is_readable
from ctxfy.adapters.storage.tables import api_keys, key_usage, people
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import DayOfKey, KeyUse


_FIGURES = ("requests", "refusals", "bytes_in", "bytes_out", "render_us")
_FIRST_DAY = date(1970, 1, 1)
_CHUNK = 500


class SqlUsageStore:
    """
    Keeps a row for each key and day.
    """

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def add(self, days: Sequence[DayOfKey]) -> None:
        """
        Add to what is kept, all of it or nothing.
        """
        if not days:
            return

        def act(connection: Connection) -> None:
            for start in range(0, len(days), _CHUNK):
                _add(connection, days[start : start + _CHUNK])

        # Alone: a row that is not there must not be made twice, nor for somebody just erased.
        await self._database.write(act)

    async def days_of(self, key_id: KeyId, *, since: date) -> list[DayOfKey]:
        """
        List the days of a key, the oldest first.
        """
        wanted = (
            select(key_usage)
            .where(key_usage.c.key_id == key_id, key_usage.c.day >= _number(since))
            .order_by(key_usage.c.day)
        )
        rows = await self._database.read(
            lambda connection: connection.execute(wanted).mappings().all()
        )
        return [_day_of(row) for row in rows]

    async def prune(self, *, before: date) -> int:
        """
        Forget the days before a day.
        """
        old = delete(key_usage).where(key_usage.c.day < _number(before))
        return await self._database.write(lambda connection: connection.execute(old).rowcount)


def _add(connection: Connection, days: Sequence[DayOfKey]) -> None:
    keys = {each.key_id for each in days}
    erased = connection.scalars(
        select(api_keys.c.key_id)
        .join(people, api_keys.c.person_id == people.c.person_id)
        .where(api_keys.c.key_id.in_(keys), ~is_readable())
    ).all()
    columns = (key_usage.c.day, key_usage.c.key_id)
    rows = [_row_of(each) for each in days if each.key_id not in erased]
    places = [(row["row_day"], row["row_key"]) for row in rows]
    found = connection.execute(select(*columns).where(tuple_(*columns).in_(places)))
    known = {(day, key_id) for day, key_id in found}
    if there := [row for row, place in zip(rows, places, strict=True) if place in known]:
        connection.execute(_ADDING, there)
    if new := [row for row, place in zip(rows, places, strict=True) if place not in known]:
        connection.execute(_INSERTING, new)


_ADDING = (
    update(key_usage)
    .where(key_usage.c.day == bindparam("row_day"), key_usage.c.key_id == bindparam("row_key"))
    .values({name: key_usage.c[name] + bindparam(f"row_{name}") for name in _FIGURES})
)
_INSERTING = insert(key_usage).values(
    {
        "day": bindparam("row_day"),
        "key_id": bindparam("row_key"),
        **{name: bindparam(f"row_{name}") for name in _FIGURES},
    }
)


def _row_of(each: DayOfKey) -> dict[str, int | str]:
    figures = {f"row_{name}": getattr(each.use, name) for name in _FIGURES}
    return {"row_day": _number(each.day), "row_key": each.key_id, **figures}


def _day_of(row: RowMapping) -> DayOfKey:
    return DayOfKey(
        key_id=KeyId(row[key_usage.c.key_id]),
        day=_FIRST_DAY + timedelta(days=row[key_usage.c.day]),
        use=KeyUse(**{name: row[key_usage.c[name]] for name in _FIGURES}),
    )


def _number(day: date) -> int:
    return (day - _FIRST_DAY).days
