"""
What every store of sessions does (SessionStorePort), the fake included.
"""

from copy import replace
from datetime import timedelta

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.session_store import SqlSessionStore
from ctxfy.core.models.session_models import Session, SessionLifetimes, TokenDigest
from ctxfy.core.ports.auth_ports import SessionStorePort
from ctxfy.core.use_cases.session_use_cases import begin_session
from tests.builders import told
from tests.fakes.auth_fakes import FakeSessionStore
from tests.integration.adapters.storage.storage_kit import NOON, key, key_store


LIFETIMES = SessionLifetimes(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
KEEP = 3


@pytest.fixture
async def store(database: Database | None) -> SessionStorePort:
    """
    Each kind of store, empty, beside keys that sessions can be of.
    """
    if database is None:
        return FakeSessionStore()
    keys = key_store(database)
    for name in ("a", "b"):
        await keys.add(key(name), told())
    return SqlSessionStore(database=database)


def session(token: str, *, of: str = "a", minutes: float = 0) -> Session:
    """
    Lay out a session of a key, begun so many minutes after noon.
    """
    begun = NOON + timedelta(minutes=minutes, microseconds=1)
    return begin_session(TokenDigest(f"{token:0<64}"), key(of).key_id, LIFETIMES, begun)


async def kept(store: SessionStorePort, *tokens: str) -> list[str]:
    """
    Say which of the sessions are there.
    """
    return [token for token in tokens if await store.find(session(token).token_digest)]


async def test_a_session_comes_back_as_it_was_kept(store: SessionStorePort) -> None:
    """
    Every field survives, to the microsecond; a token that nobody has is no error.
    """
    await store.open(session("a1"), keep=KEEP)
    assert await store.find(session("a1").token_digest) == session("a1")
    assert await store.find(session("a2").token_digest) is None


async def test_a_session_is_found_when_it_is_over(store: SessionStorePort) -> None:
    """
    Whether it is live is not for the store to judge, until the next one begins.
    """
    await store.open(session("old"), keep=KEEP)
    await store.open(session("new", of="b", minutes=29), keep=KEEP)
    assert await kept(store, "old", "new") == ["old", "new"]
    await store.open(session("newer", of="b", minutes=31), keep=KEEP)
    assert await kept(store, "old", "new", "newer") == ["new", "newer"]


async def test_what_outlived_its_hours_is_removed(store: SessionStorePort) -> None:
    """
    A session that was used to the end is removed after its absolute life.
    """
    old = session("old")
    await store.open(old, keep=KEEP)
    await store.touch(replace(old, idle_expires_at=old.expires_at + LIFETIMES.idle))
    await store.open(session("new", minutes=12 * 60 - 1), keep=KEEP)
    assert await kept(store, "old", "new") == ["old", "new"]
    await store.open(session("newer", minutes=12 * 60), keep=KEEP)
    assert await kept(store, "old", "newer") == ["newer"]


async def test_a_key_has_so_many_sessions(store: SessionStorePort) -> None:
    """
    The oldest of a key go when there would be too many; those of other keys stay.
    """
    await store.open(session("b1", of="b"), keep=KEEP)
    for number in range(1, 6):
        await store.open(session(f"a{number}", minutes=number), keep=KEEP)
    assert await kept(store, "a1", "a2", "a3", "a4", "a5", "b1") == ["a3", "a4", "a5", "b1"]


async def test_a_key_may_have_a_single_session(store: SessionStorePort) -> None:
    """
    Begun in the same moment, the one that is opened is the one that stays.
    """
    for token in ("2", "1", "3"):
        await store.open(session(token), keep=1)
    assert await kept(store, "1", "2", "3") == ["3"]


async def test_a_use_moves_the_end(store: SessionStorePort) -> None:
    """
    When it was last seen and when it ends are kept; other sessions are not touched.
    """
    await store.open(session("a1"), keep=KEEP)
    await store.open(session("a2"), keep=KEEP)
    seen = NOON + timedelta(minutes=20)
    used = replace(session("a1"), last_seen_at=seen, idle_expires_at=seen + LIFETIMES.idle)
    await store.touch(used)
    assert await store.find(used.token_digest) == used
    assert await store.find(session("a2").token_digest) == session("a2")


async def test_a_closed_session_stays_closed(store: SessionStorePort) -> None:
    """
    It can be closed twice, and a use that is noted late does not open it again.
    """
    for token in ("a1", "a2"):
        await store.open(session(token), keep=KEEP)
    for _ in range(2):
        await store.close(session("a1").token_digest)
    await store.touch(session("a1"))
    assert await kept(store, "a1", "a2") == ["a2"]
