"""
Who the keys belong to: the one place where a name is turned into a `person_id` and back.

A name is on the disk only sealed. It is found again by a keyed hash, so that the database alone
does not even tell whether a given person is in it.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, union, update

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import KEY_BYTES, Envelope, Place
from ctxfy.adapters.storage.tables import audit_chains, audit_months, people
from ctxfy.core.models.person_models import Person


ERASED = ""
"""
The name of whoever was erased; no key can be asked for in this name.
"""

_PERSON_ID_BYTES = 16
_LOOKUP_BYTES = 32


def find_person(connection: Connection, envelope: Envelope, user_id: str) -> str | None:
    """
    Return the id of a person, or None.
    """
    # Under every master key: whoever came before the newest is still the same person.
    known = people.c.lookup.in_(envelope.lookups(user_id))
    found: str | None = connection.scalar(select(people.c.person_id).where(known))
    return found


def find_or_create_person(
    connection: Connection, envelope: Envelope, user_id: str, *, at: datetime
) -> str:
    """
    Return the id of a person, who is kept if new.

    Raises:
        UnavailableError: The master key is not the one that the people here are sealed under.
    """
    person_id = find_person(connection, envelope, user_id)
    if person_id is None:
        # With a wrong key nobody is found: each known person would become a second one.
        require_fit(connection, envelope)
        person_id = _create_person(connection, envelope, user_id, at)
    return person_id


def name_of(person: RowMapping, envelope: Envelope) -> str:
    """
    Open the name in a row that holds all columns of `people`, empty ones if erased.

    Raises:
        UnavailableError: The master key does not fit.
    """
    # None: the outer join found nobody. Empty: the person was erased.
    if not person[people.c.ciphertext]:
        return ERASED
    person_id = person[people.c.person_id]
    data_key = _data_key(person, envelope)
    return envelope.open(
        person[people.c.ciphertext], _place("ciphertext", person_id), data_key=data_key
    )


def names_of(
    connection: Connection, envelope: Envelope, person_ids: Iterable[str]
) -> dict[str, str]:
    """
    Open the names of several people; whoever is not there is left out.

    Raises:
        UnavailableError: The master key does not fit.
    """
    wanted = select(people).where(people.c.person_id.in_(list(person_ids)))
    rows = connection.execute(wanted).mappings()
    return {row[people.c.person_id]: name_of(row, envelope) for row in rows}


def page_of_names(
    connection: Connection, envelope: Envelope, *, after: str, limit: int
) -> list[Person]:
    """
    Open the names of people in the order of their ids, some at a time; the erased have none.

    Raises:
        UnavailableError: The master key does not fit.
    """
    wanted = select(people).where(people.c.person_id > after, is_readable())
    rows = connection.execute(wanted.order_by(people.c.person_id).limit(limit)).mappings()
    return [
        Person(
            person_id=row[people.c.person_id],
            user_id=name_of(row, envelope),
            created_at=row[people.c.created_at],
        )
        for row in rows
    ]


def is_readable() -> ColumnElement[bool]:
    """
    The condition that a person was not erased.
    """
    return func.length(people.c.ciphertext) > 0


def data_key_of(connection: Connection, envelope: Envelope, person_id: str) -> bytes | None:
    """
    Unwrap the key that a person's data is sealed under; None once the person is erased.

    Raises:
        UnavailableError: The master key does not fit.
    """
    wanted = select(people).where(people.c.person_id == person_id)
    row = connection.execute(wanted).mappings().first()
    return _data_key(row, envelope) if row is not None and row[people.c.wrapped_key] else None


def require_fit(connection: Connection, envelope: Envelope) -> None:
    """
    Refuse master keys that do not open what is here.

    Raises:
        UnavailableError: They do not.
    """
    # One person of each master key is enough: all of them are sealed alike.
    samples = select(func.min(people.c.person_id)).where(is_readable()).group_by(people.c.master_id)
    for row in connection.execute(select(people).where(people.c.person_id.in_(samples))).mappings():
        name_of(row, envelope)


def erase_person(connection: Connection, envelope: Envelope, person_id: str) -> None:
    """
    Destroy what leads to a person and reads about them; the row stays for what refers to it.
    """
    connection.execute(
        update(people)
        .where(people.c.person_id == person_id)
        # Not empty but random, for the column is unique, and nobody's: nothing is found by it.
        .values(lookup=envelope.random_bytes(_LOOKUP_BYTES), wrapped_key=b"", ciphertext=b"")
    )


def rewrap_person(connection: Connection, envelope: Envelope, person: RowMapping) -> int:
    """
    Bring a person under the master key in use; returns 1, for who counts.

    Raises:
        UnavailableError: The master key they are under does not fit, or is not here.
    """
    person_id = person[people.c.person_id]
    name = name_of(person, envelope)
    connection.execute(
        update(people)
        .where(people.c.person_id == person_id)
        .values(
            lookup=envelope.lookups(name)[0],
            wrapped_key=envelope.wrap(
                _data_key(person, envelope), _place("wrapped_key", person_id)
            ),
            master_id=envelope.master_id,
        )
    )
    return 1


async def check_master_key(database: Database, envelope: Envelope) -> None:
    """
    Tell at the start, not at the first request, that the master key does not fit the database.

    Raises:
        UnavailableError: It does not, or the database cannot be read.
    """

    def act(connection: Connection) -> None:
        needed = union(
            select(people.c.master_id).where(is_readable()),
            select(audit_months.c.master_id),
            select(audit_chains.c.master_id),
        )
        for master_id in sorted(connection.scalars(needed)):
            envelope.require_master(master_id)
        require_fit(connection, envelope)

    await database.read(act)


def _data_key(person: RowMapping, envelope: Envelope) -> bytes:
    return envelope.unwrap(
        person[people.c.wrapped_key],
        _place("wrapped_key", person[people.c.person_id]),
        master_id=person[people.c.master_id],
    )


def _create_person(connection: Connection, envelope: Envelope, user_id: str, at: datetime) -> str:
    person_id = envelope.random_bytes(_PERSON_ID_BYTES).hex()
    data_key = envelope.random_bytes(KEY_BYTES)
    connection.execute(
        insert(people).values(
            person_id=person_id,
            lookup=envelope.lookups(user_id)[0],
            wrapped_key=envelope.wrap(data_key, _place("wrapped_key", person_id)),
            ciphertext=envelope.seal(user_id, _place("ciphertext", person_id), data_key=data_key),
            master_id=envelope.master_id,
            created_at=at,
        )
    )
    return person_id


def _place(column: str, person_id: str) -> Place:
    return Place(table="people", column=column, row=person_id)
