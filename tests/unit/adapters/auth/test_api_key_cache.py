"""
The service behind keys: what it remembers, for how long, and what it writes later.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from ctxfy.adapters.auth import api_key_service
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import ApiKeyInfo, DenialReason, KeyId, KeyStatus
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.builders import told
from tests.unit.adapters.auth.service_kit import NOON, OUTAGE, Bench, outcome


def _unknown(number: int) -> str:
    return compose_key(KeyId(f"{number:012}"), b"s" * 32)


async def test_a_key_is_looked_up_once() -> None:
    """
    The second request of a key needs no store; nor does the second of a key that is not there.
    """
    bench = Bench()
    key, _ = await bench.created()
    for text in (key, _unknown(1)):
        bench.journal.clear()
        for _ in range(3):
            await bench.keys.authenticate(text)
        assert bench.journal.count("find") == 1


async def test_a_poll_that_finds_no_change_forgets_nothing() -> None:
    """
    So a store that goes away takes no key with it that was let in once after the first poll.
    """
    bench = Bench()
    key, _ = await bench.created()
    await bench.keys.poll()
    await bench.keys.authenticate(key)
    await bench.keys.poll()
    bench.store.outage = OUTAGE
    assert outcome(await bench.keys.authenticate(key)) is None


async def test_a_change_elsewhere_is_seen_by_the_next_poll() -> None:
    """
    A key revoked by another process is served until the poll and refused after it.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.poll()
    await bench.keys.authenticate(key)
    await bench.store.set_status(key_id, KeyStatus.REVOKED, told(NOON))
    assert outcome(await bench.keys.authenticate(key)) is None
    await bench.keys.poll()
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.REVOKED


async def test_a_key_created_elsewhere_is_known_after_the_next_poll() -> None:
    """
    That there is no such key is forgotten with all the rest.
    """
    bench = Bench()
    elsewhere = bench.service({1: b"p" * 32})
    await bench.keys.poll()
    key = _unknown(1)
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.UNKNOWN
    assert await elsewhere.create_first_key("ann", key) == key
    await bench.keys.poll()
    assert outcome(await bench.keys.authenticate(key)) is None


async def test_a_poll_without_a_change_keeps_the_cache() -> None:
    """
    Nothing is looked up again for nothing.
    """
    bench = Bench()
    key, _ = await bench.created()
    await bench.keys.poll()
    await bench.keys.authenticate(key)
    await bench.keys.poll()
    await bench.keys.authenticate(key)
    assert bench.journal.count("find") == 1


async def test_what_was_read_before_a_change_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A look-up that was under way while the epoch moved answers, and is not remembered.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.poll()
    before = bench.store.keys[key_id]

    async def slow() -> ApiKeyInfo:
        await bench.store.set_status(key_id, KeyStatus.REVOKED, told(NOON))
        await bench.keys.poll()
        return before

    with monkeypatch.context() as patch:
        patch.setattr(type(bench.store), "find", lambda _store, _key_id: slow())
        assert outcome(await bench.keys.authenticate(key)) is None
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.REVOKED


async def test_known_keys_are_served_while_the_store_is_away() -> None:
    """
    Up to max_stale the cache is believed, for misses too; what is not in it is 503.
    """
    bench = Bench(max_stale=60)
    key, _ = await bench.created()
    await bench.keys.authenticate(key)
    await bench.keys.authenticate(_unknown(1))
    bench.store.outage = OUTAGE
    bench.clock.now += 60
    await bench.keys.poll()
    assert outcome(await bench.keys.authenticate(key)) is None
    assert outcome(await bench.keys.authenticate(_unknown(1))) is DenialReason.UNKNOWN
    with pytest.raises(UnavailableError):
        await bench.keys.authenticate(_unknown(2))


async def test_a_key_can_be_looked_at_anew() -> None:
    """
    Asked to, the service believes no cache: neither while the store is there nor while it is away.
    """
    bench = Bench()
    key, key_id = await bench.created()
    assert outcome(await bench.keys.authenticate(key)) is None
    await bench.store.set_status(key_id, KeyStatus.REVOKED, told(NOON))
    assert outcome(await bench.keys.recognize(key_id)) is None
    assert outcome(await bench.keys.recognize(key_id, fresh=True)) is DenialReason.REVOKED
    bench.store.outage = OUTAGE
    assert outcome(await bench.keys.authenticate(key)) is None
    with pytest.raises(UnavailableError):
        await bench.keys.recognize(key_id, fresh=True)


async def test_nothing_is_believed_for_longer_than_max_stale() -> None:
    """
    Then every key is 503, also if no poll ever came back; and served again once the store is.
    """
    bench = Bench(max_stale=60)
    key, _ = await bench.created()
    await bench.keys.authenticate(key)
    bench.store.outage = OUTAGE
    bench.clock.now += 62
    with pytest.raises(UnavailableError):
        await bench.keys.authenticate(key)
    bench.store.outage = None
    await bench.keys.poll()
    assert outcome(await bench.keys.authenticate(key)) is None


async def test_each_poll_that_answers_starts_the_time_anew() -> None:
    """
    The time counts from when the store was last heard of, not from the start.
    """
    bench = Bench(max_stale=60)
    key, _ = await bench.created()
    for _ in range(5):
        bench.clock.now += 50
        await bench.keys.poll()
    await bench.keys.authenticate(key)
    bench.store.outage = OUTAGE
    bench.clock.now += 50
    await bench.keys.poll()
    assert outcome(await bench.keys.authenticate(key)) is None


async def test_the_cache_is_bounded() -> None:
    """
    Trying out ids fills no memory.
    """
    bench = Bench(cache_size=10)
    for number in range(11):
        await bench.keys.authenticate(_unknown(number))
    bench.journal.clear()
    await bench.keys.authenticate(_unknown(10))
    assert "find" not in bench.journal
    await bench.keys.authenticate(_unknown(0))
    assert "find" in bench.journal


async def test_uses_are_written_in_one_batch() -> None:
    """
    Nothing is written while requests are served; then the last use of each key is.
    """
    bench = Bench()
    (first, first_id), (second, second_id) = await bench.created(), await bench.created("bob")
    for minutes, key in enumerate((first, second, first)):
        bench.now = NOON + timedelta(minutes=minutes)
        await bench.keys.authenticate(key)
    assert bench.store.keys[first_id].last_used_at is None
    moves = bench.store.moves
    await bench.keys.flush()
    assert bench.store.keys[first_id].last_used_at == NOON + timedelta(minutes=2)
    assert bench.store.keys[second_id].last_used_at == NOON + timedelta(minutes=1)
    assert bench.store.moves == moves


async def test_refused_keys_are_not_used() -> None:
    """
    A wrong secret or an ended key leaves no trace as a use.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.revoke_api_key(key_id)
    await bench.keys.authenticate(key)
    await bench.keys.authenticate(compose_key(key_id, b"w" * 32))
    await bench.keys.flush()
    assert bench.store.keys[key_id].last_used_at is None


async def test_uses_survive_an_outage() -> None:
    """
    A failed batch is logged and goes out with the next, unless a later use took its place.
    """
    bench = Bench()
    (first, first_id), (second, second_id) = await bench.created(), await bench.created("bob")
    await bench.keys.authenticate(first)
    await bench.keys.authenticate(second)
    bench.store.outage = OUTAGE
    await bench.keys.flush()
    bench.now = NOON + timedelta(minutes=1)
    await bench.keys.authenticate(first)
    bench.store.outage = None
    await bench.keys.flush()
    assert bench.store.keys[first_id].last_used_at == NOON + timedelta(minutes=1)
    assert bench.store.keys[second_id].last_used_at == NOON
    ((request_id, error, context),) = bench.logging.errors
    assert (request_id, error) == (None, OUTAGE)
    assert context == {"doing": "writing last uses of keys"}


async def test_uses_survive_a_cancelled_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A batch that was cut off, as at the end of a server, is not lost: it is written by the next.
    """
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.authenticate(key)
    hanging = asyncio.Event()

    async def hang() -> None:
        hanging.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as patch:
        patch.setattr(type(bench.store), "touch", lambda _store, _uses: hang())
        task = asyncio.create_task(bench.keys.flush())
        await hanging.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await bench.keys.flush()
    assert bench.store.keys[key_id].last_used_at == NOON


async def _run_for(bench: Bench, turns: int) -> None:
    task = asyncio.create_task(bench.keys.run())
    for _ in range(turns * 5):
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_in_the_background_changes_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The running service polls and writes by itself, and writes what is left when it is cancelled.
    """
    monkeypatch.setattr(api_key_service, "POLL_SECONDS", 0.001)
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.authenticate(key)
    await bench.store.set_status(key_id, KeyStatus.REVOKED, told(NOON))
    await _run_for(bench, 4)
    assert outcome(await bench.keys.authenticate(key)) is DenialReason.REVOKED
    assert bench.store.keys[key_id].last_used_at == NOON


async def test_uses_are_written_while_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Not only at the end: a batch goes out each time its seconds have passed.
    """
    monkeypatch.setattr(api_key_service, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(api_key_service, "FLUSH_SECONDS", 0)
    bench = Bench()
    key, key_id = await bench.created()
    await bench.keys.authenticate(key)
    written = asyncio.Event()
    touch = bench.store.touch

    async def noticed(uses: Mapping[KeyId, datetime]) -> None:
        await touch(uses)
        written.set()

    monkeypatch.setattr(type(bench.store), "touch", lambda _store, uses: noticed(uses))
    task = asyncio.create_task(bench.keys.run())
    async with asyncio.timeout(5):
        await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert bench.store.keys[key_id].last_used_at == NOON


async def test_polling_goes_on_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An error nobody thought of is logged and does not end the poll: no revocation would hold then.
    """
    monkeypatch.setattr(api_key_service, "POLL_SECONDS", 0.001)
    bench = Bench()
    polls: list[int] = []

    async def epoch() -> int:
        polls.append(len(polls))
        if len(polls) == 1:
            raise RuntimeError("nobody thought of this")
        return 0

    monkeypatch.setattr(type(bench.store), "epoch", lambda _store: epoch())
    await _run_for(bench, 8)
    assert len(polls) > 1
    assert str(bench.logging.errors[0][1]) == "nobody thought of this"
