"""
Keys that are about to end: what is counted, and who is warned of what, how often.
"""

import asyncio
from copy import replace
from datetime import timedelta

import pytest

from ctxfy.adapters.auth import key_watch
from ctxfy.adapters.auth.key_watch import KeyWatch
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyId, KeyStatus, Scope
from tests.builders import NOW, make_key_info
from tests.fakes.auth_fakes import FakeApiKeyStore
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


DAY = timedelta(days=1)


class Watch:
    """
    A watch over some keys, and its clock.
    """

    def __init__(self, **lives: int | None) -> None:
        self.now = NOW
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.store = FakeApiKeyStore()
        for name, days in lives.items():
            ends = None if days is None else NOW + days * DAY
            info = make_key_info(key_id=name, expires_at=ends)
            self.store.keys[KeyId(name)] = replace(info, user_id=f"user-of-{name}")
        self.watch = KeyWatch(
            self.store,
            warning=7 * DAY,
            now=lambda: self.now,
            logging=self.logging,
            metrics=self.metrics,
        )

    async def told(self) -> list[tuple[str, object]]:
        """
        Look, and say what was told by that.
        """
        self.logging.events.clear()
        await self.watch.look()
        return [(event, facts.get("key_id")) for event, facts in self.logging.events]


async def test_keys_are_counted_by_state_and_by_what_is_left() -> None:
    """
    Every key once.
    """
    watch = Watch(a=None, b=1, c=7, d=8, e=-1)
    watch.store.keys[KeyId("b")] = replace(watch.store.keys[KeyId("b")], status=KeyStatus.REVOKED)
    await watch.watch.look()
    assert watch.metrics.keys == [
        {
            ("active", "endless"): 1,
            ("revoked", "1d"): 1,
            ("active", "7d"): 1,
            ("active", "30d"): 1,
            ("expired", "over"): 1,
        }
    ]


async def test_a_key_is_warned_of_once_a_day() -> None:
    """
    With whose it is and the days that are left, the first to end first; not before its time.
    """
    watch = Watch(soon=3, sooner=2, later=8, endless=None)
    warned = [("api_key_expiring", "sooner"), ("api_key_expiring", "soon")]
    assert await watch.told() == warned
    _, facts = watch.logging.events[1]
    assert facts == {
        "level": "WARNING",
        "key_id": "soon",
        "user_id": "user-of-soon",
        "days_left": 3,
    }
    watch.now = NOW + timedelta(hours=11)
    assert await watch.told() == []
    watch.now = NOW + timedelta(hours=25)
    assert await watch.told() == [*warned, ("api_key_expiring", "later")]


async def test_warnings_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A thousand keys that end together are no thousand lines.
    """
    monkeypatch.setattr(key_watch, "MAX_WARNINGS", 2)
    watch = Watch(a=1, b=2, c=3, d=4)
    assert [key for _, key in await watch.told()] == ["a", "b"]
    assert await watch.told() == []


async def test_the_end_of_the_last_admin_key_is_told() -> None:
    """
    Once a day, and no more once another one is there.
    """
    watch = Watch(admin=3)
    key_id = KeyId("admin")
    watch.store.keys[key_id] = replace(watch.store.keys[key_id], scope=Scope.ADMIN)
    assert await watch.told() == [("api_key_expiring", "admin"), ("last_admin_key_expiring", None)]
    assert watch.logging.events[1][1]["days_left"] == 3
    assert await watch.told() == []
    watch.now = NOW + DAY
    other = replace(make_key_info(key_id="other", scope=Scope.ADMIN))
    watch.store.keys[KeyId("other")] = other
    assert await watch.told() == [("api_key_expiring", "admin")]


async def test_the_newest_admin_key_is_told_with_the_end_of_the_last() -> None:
    """
    Whoever made it and wherever: the store is asked, so the command line does not escape.
    """
    watch = Watch(old=3, other=9)
    await watch.watch.look()
    assert watch.metrics.admin_keys == [(None, None)]
    for name in ("old", "other"):
        info = watch.store.keys[KeyId(name)]
        watch.store.keys[KeyId(name)] = replace(info, scope=Scope.ADMIN)
    made = NOW - timedelta(minutes=1)
    other = watch.store.keys[KeyId("other")]
    watch.store.keys[KeyId("other")] = replace(other, created_at=made)
    await watch.watch.look()
    newest = max(made, watch.store.keys[KeyId("old")].created_at)
    assert watch.metrics.admin_keys[-1] == (newest, NOW + 9 * DAY)


async def test_the_watch_goes_on_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A store that is away is told by others; an error nobody thought of is logged.
    """
    monkeypatch.setattr(key_watch, "LOOK_SECONDS", 0.001)
    watch = Watch(a=1)
    outages = [UnavailableError("storage", "it is away."), RuntimeError("strange")]
    looks: list[int] = []

    async def count_lives() -> dict[object, int]:
        looks.append(1)
        if outages:
            raise outages.pop(0)
        return {}

    monkeypatch.setattr(type(watch.store), "count_lives", lambda _store: count_lives())
    task = asyncio.create_task(watch.watch.run())
    async with asyncio.timeout(5):
        while len(looks) < 3:  # noqa: ASYNC110 - nothing to wait for but turns
            await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [str(error) for _, error, _ in watch.logging.errors] == ["strange"]
