"""
What every store of people does (PersonStorePort), the fake included.
"""

from collections.abc import Awaitable, Callable
from copy import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.core.exceptions import LastAdminKeyError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Scope
from ctxfy.core.models.person_models import Holdings, Person
from ctxfy.core.models.session_models import Session, SessionLifetimes, TokenDigest
from ctxfy.core.ports.audit_ports import PersonStorePort
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.builders import told
from tests.fakes.audit_fakes import FakePersonStore
from tests.integration.adapters.storage.storage_kit import NOON, key, key_store, person_store


LATER = NOON + timedelta(hours=1)
LIVES = SessionLifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=12))

type Fill = Callable[..., Awaitable[PersonStorePort]]


@pytest.fixture
def filled(database: Database | None, tmp_path: Path) -> Fill:
    """
    A store of each kind, with keys in it and perhaps a session.
    """

    async def fill(*keys: ApiKeyInfo, session: Session | None = None) -> PersonStorePort:
        if database is None:
            return FakePersonStore(people=_people_of(keys, session))
        for info in keys:
            await key_store(database).add(info, told())
        if session is not None:
            await SqlSessionStore(database=database).open(session, keep=5)
        return person_store(database, tmp_path)

    return fill


def _people_of(keys: tuple[ApiKeyInfo, ...], session: Session | None) -> dict[str, Holdings]:
    found: dict[str, Holdings] = {}
    for number, info in enumerate(keys):
        person = Person(
            person_id=f"{number:032x}", user_id=info.user_id, created_at=info.created_at
        )
        held = found.setdefault(info.user_id, Holdings(person=person))
        mine = (session,) if session is not None and session.key_id == info.key_id else ()
        found[info.user_id] = replace(
            held, keys=(*held.keys, info), sessions=(*held.sessions, *mine)
        )
    return found


def session_of(info: ApiKeyInfo) -> Session:
    """
    Lay out a session that began with a key.
    """
    return begin_session(TokenDigest("s" * 64), info.key_id, LIVES, NOON)


async def test_everything_of_a_person_is_held_together(filled: Fill) -> None:
    """
    Keys, oldest first, and sessions; nothing of anybody else, and nothing of nobody.
    """
    mine = [key("a", user_id="Zoë | 李"), key("b", user_id="Zoë | 李", minutes=1)]
    store = await filled(*mine, key("c", user_id="ben"), session=session_of(mine[1]))
    held = await store.holdings("Zoë | 李")
    assert held is not None
    assert (held.person.user_id, held.person.created_at) == ("Zoë | 李", NOON)
    assert (list(held.keys), list(held.sessions)) == (mine, [session_of(mine[1])])
    assert await store.holdings("zoë | 李") is None


async def test_an_erased_person_is_nobody(filled: Fill) -> None:
    """
    What was ended is counted; asked for again there is nobody, and nothing to erase.
    """
    mine = [key("a"), key("b"), replace(key("c"), status=KeyStatus.REVOKED, revoked_at=NOON)]
    store = await filled(*mine, key("d", user_id="ben"), session=session_of(mine[0]))
    before = await store.holdings("ann")
    assert before is not None
    erased = await store.erase("ann", told(LATER))
    assert erased is not None
    assert erased.person_id == before.person.person_id
    assert (erased.keys, erased.sessions) == (2, 1)
    assert await store.holdings("ann") is None
    assert await store.erase("ann", told(LATER)) is None
    others = await store.holdings("ben")
    assert others is not None
    assert others.keys == (key("d", user_id="ben"),)


async def test_nobody_to_erase_is_told_of_by_nothing(filled: Fill) -> None:
    """
    A name that is not known is None.
    """
    store = await filled(key("a"))
    assert await store.erase("ben", told(LATER)) is None


async def test_the_last_administrator_stays(filled: Fill) -> None:
    """
    Whoever holds the only live admin keys is not erased, however many, unless the caller says so.
    """
    admins = [key("a", scope=Scope.ADMIN), key("b", scope=Scope.ADMIN)]
    store = await filled(*admins, key("c", user_id="ben"))
    with pytest.raises(LastAdminKeyError):
        await store.erase("ann", told(LATER))
    held = await store.holdings("ann")
    assert held is not None
    assert list(held.keys) == admins
    assert await store.erase("ben", told(LATER)) is not None
    assert await store.erase("ann", told(LATER), keep_admin=False) is not None


async def test_an_administrator_goes_if_there_is_another(filled: Fill) -> None:
    """
    A live admin key of somebody else is enough, but none that is over within a day.
    """
    other = key("b", user_id="ben", scope=Scope.ADMIN)
    store = await filled(key("a", scope=Scope.ADMIN), replace(other, expires_at=LATER))
    with pytest.raises(LastAdminKeyError):
        await store.erase("ann", told(NOON))
    assert await store.erase("ann", told(LATER - timedelta(hours=25))) is not None
