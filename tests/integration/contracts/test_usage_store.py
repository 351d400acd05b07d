"""
What every store of usage does (UsageStorePort), the fake included.
"""

import asyncio
from datetime import date, timedelta

import pytest

from ctxfy.adapters.storage.database import Database
from ctxfy.adapters.storage.usage_store import SqlUsageStore
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import DayOfKey, KeyUse
from ctxfy.core.ports.usage_ports import UsageStorePort
from tests.fakes.usage_fakes import FakeUsageStore


TODAY = date(2026, 11, 22)
YESTERDAY = TODAY - timedelta(days=1)
USE = KeyUse(requests=3, refusals=1, bytes_in=10, bytes_out=2**40, render_us=5)


@pytest.fixture
def store(database: Database | None) -> UsageStorePort:
    """
    Each kind of store, empty.
    """
    return FakeUsageStore() if database is None else SqlUsageStore(database=database)


def day(name: str, at: date = TODAY, use: KeyUse = USE) -> DayOfKey:
    """
    Make a day of the key of that name.
    """
    return DayOfKey(key_id=KeyId(name), day=at, use=use)


async def test_figures_add_up(store: UsageStorePort) -> None:
    """
    By key and day, the oldest day first; of a key that is not known by anybody too.
    """
    await store.add([day("a"), day("b")])
    await store.add([day("a"), day("a", YESTERDAY)])
    await store.add([])
    found = await store.days_of(KeyId("a"), since=YESTERDAY)
    assert found == [day("a", YESTERDAY), day("a", use=USE.plus(USE))]
    assert await store.days_of(KeyId("a"), since=TODAY) == found[1:]
    assert await store.days_of(KeyId("b"), since=YESTERDAY) == [day("b")]
    assert await store.days_of(KeyId("nobody"), since=YESTERDAY) == []


async def test_days_are_forgotten(store: UsageStorePort) -> None:
    """
    Those before a day, of all keys; that day itself stays.
    """
    await store.add([day("a"), day("a", YESTERDAY), day("b", YESTERDAY)])
    assert await store.prune(before=TODAY) == 2
    assert await store.days_of(KeyId("a"), since=YESTERDAY) == [day("a")]
    assert await store.prune(before=TODAY) == 0


async def test_writers_at_once_lose_nothing(store: UsageStorePort) -> None:
    """
    Many batches that begin the same days, some of them large.
    """
    batch = [day(f"key{number}", use=KeyUse(requests=1)) for number in range(600)]
    await asyncio.gather(*(store.add(batch if turn else batch[:5]) for turn in range(4)))
    counts = [
        [each.use.requests for each in await store.days_of(KeyId(name), since=TODAY)]
        for name in ("key0", "key599")
    ]
    assert counts == [[4], [3]]
