"""
People as a whole (PersonStorePort): what is held about somebody, and how it is made unreadable.
"""

from contextlib import suppress
from copy import replace
from datetime import datetime

from sqlalchemy import Connection, Select, select

from ctxfy.adapters.storage.api_key_rows import infos_of, live_admin_keys, select_keys
from ctxfy.adapters.storage.audit_trail import AuditTrail
from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.envelope import Envelope
from ctxfy.adapters.storage.erasures import Erasures
from ctxfy.adapters.storage.people import find_person
from ctxfy.adapters.storage.session_store import session_of
from ctxfy.adapters.storage.tables import api_keys, people, sessions
from ctxfy.core.exceptions import LastAdminKeyError, UnavailableError
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.person_models import Erasure, Holdings, Person
from ctxfy.core.use_cases.expiry_use_cases import may_go


class SqlPersonStore:
    """
    Reads and erases people.
    """

    def __init__(
        self, *, database: Database, envelope: Envelope, trail: AuditTrail, erasures: Erasures
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._trail = trail
        self._erasures = erasures

    async def holdings(self, user_id: str) -> Holdings | None:
        """
        Return what is held about a person, as it is at one moment; None if there is nobody.
        """

        def act(connection: Connection) -> Holdings | None:
            person = self._find(connection, user_id)
            if person is None:
                return None
            owned = select_keys().where(api_keys.c.person_id == person.person_id)
            of_keys = select(sessions).where(sessions.c.key_id.in_(_keys_of(person)))
            oldest_first = of_keys.order_by(sessions.c.created_at, sessions.c.token_digest)
            return Holdings(
                person=person,
                keys=tuple(infos_of(connection.execute(owned).mappings(), self._envelope)),
                sessions=tuple(map(session_of, connection.execute(oldest_first).mappings())),
            )

        return await self._database.snapshot(act)

    async def erase(
        self, user_id: str, event: AuditEvent, *, keep_admin: bool = True
    ) -> Erasure | None:
        """
        Make a person unreadable for good, and end their keys and sessions.

        Raises:
            LastAdminKeyError: With `keep_admin`, no live admin key would remain.
        """

        def act(connection: Connection) -> Erasure | None:
            person = self._find(connection, user_id)
            if person is None:
                return None
            if keep_admin:
                _require_other_admin(connection, person.person_id, event.at)
            return self._erasures.carry_out(connection, person, event.at)

        erased = await self._trail.change(act, lambda erased: _told(event, erased))
        if erased is not None:
            # It is done, and written down: pruning scrubs again what could not be scrubbed now.
            with suppress(UnavailableError):
                await self._database.scrub()
        return erased

    def _find(self, connection: Connection, user_id: str) -> Person | None:
        person_id = find_person(connection, self._envelope, user_id)
        if person_id is None:
            return None
        begun = select(people.c.created_at).where(people.c.person_id == person_id)
        created_at = connection.execute(begun).scalar_one()
        return Person(person_id=person_id, user_id=user_id, created_at=created_at)


def _told(event: AuditEvent, erased: Erasure | None) -> AuditEvent | None:
    if erased is None:
        return None
    ended = {"keys": erased.keys, "sessions": erased.sessions}
    return replace(event, subject_id=erased.person_id, details={**event.details, **ended})


def _keys_of(person: Person) -> Select[tuple[str]]:
    return select(api_keys.c.key_id).where(api_keys.c.person_id == person.person_id)


def _require_other_admin(connection: Connection, person_id: str, at: datetime) -> None:
    admins = live_admin_keys(connection, at)
    others = [info for info in admins if info.person_id != person_id]
    if not all(may_go(info, others, at) for info in admins if info.person_id == person_id):
        raise LastAdminKeyError(
            "This person holds the last keys that can administer this server; create an admin key"
            " for somebody else first, good for a day or longer."
        )
