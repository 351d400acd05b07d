"""
What keys are used for: counted in memory, written in batches.
"""

import asyncio
from datetime import date, timedelta

import pytest

from ctxfy.adapters.auth import key_usage
from ctxfy.adapters.auth.key_usage import KeyUsage
from ctxfy.adapters.auth.usage_fields import plain_usage
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.models.usage_models import DayOfKey, KeyUse
from tests.builders import NOW
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.fakes.usage_fakes import FakeUsageStore
from tests.unit.adapters.auth.service_kit import OUTAGE


A, B = KeyId("a" * 12), KeyId("b" * 12)
ONE = KeyUse(requests=1, refusals=1, bytes_in=2, bytes_out=3, render_us=4500)
TODAY = NOW.date()


class Meter:
    """
    A counter over the fake store, and its clock.
    """

    def __init__(self) -> None:
        self.now = NOW
        self.store = FakeUsageStore()
        self.logging = RecordingLogging()
        self.usage = KeyUsage(self.store, keep_days=2, now=lambda: self.now, logging=self.logging)


async def test_requests_are_counted_by_key_and_day() -> None:
    """
    Nothing is written before the batch; a request counts for the day on which it ended.
    """
    meter = Meter()
    for key_id in (A, B, A):
        meter.usage.note(key_id, ONE)
    meter.now = NOW + timedelta(days=1)
    meter.usage.note(A, ONE)
    assert meter.store.days == {}
    await meter.usage.flush()
    assert {place: use.requests for place, use in meter.store.days.items()} == {
        (A, TODAY): 2,
        (B, TODAY): 1,
        (A, TODAY + timedelta(days=1)): 1,
    }
    await meter.usage.flush()
    days = await meter.usage.days_of(A, days=2)
    assert [each.use.requests for each in days] == [2, 1]
    assert len(await meter.usage.days_of(A, days=1)) == 1


async def test_old_days_are_forgotten_once_a_day() -> None:
    """
    As many as are to be kept stay.
    """
    meter = Meter()
    for back in range(5):
        meter.store.days[A, TODAY - timedelta(days=back)] = ONE
    await meter.usage.flush()
    assert min(day for _, day in meter.store.days) == TODAY - timedelta(days=2)
    meter.store.days[A, date(2000, 1, 1)] = ONE
    await meter.usage.flush()
    assert (A, date(2000, 1, 1)) in meter.store.days
    meter.now = NOW + timedelta(days=1)
    await meter.usage.flush()
    assert (A, date(2000, 1, 1)) not in meter.store.days


async def test_counts_wait_for_a_database_that_is_away() -> None:
    """
    Nothing is lost or counted twice, and the failure is logged.
    """
    meter = Meter()
    meter.store.outage = OUTAGE
    meter.usage.note(A, ONE)
    await meter.usage.flush()
    meter.usage.note(A, ONE)
    meter.usage.note(B, ONE)
    meter.store.outage = None
    await meter.usage.flush()
    assert [use.requests for use in meter.store.days.values()] == [2, 1]
    ((_, error, context),) = meter.logging.errors
    assert (error, context) == (OUTAGE, {"doing": "writing what keys were used for"})


async def test_what_is_cut_off_is_written_by_the_next_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    As at the end of a server; what was counted meanwhile is added.
    """
    meter = Meter()
    meter.usage.note(A, ONE)
    hanging = asyncio.Event()

    async def hang() -> None:
        hanging.set()
        await asyncio.sleep(3600)

    with monkeypatch.context() as patch:
        patch.setattr(type(meter.store), "add", lambda _store, _days: hang())
        task = asyncio.create_task(meter.usage.flush())
        await hanging.wait()
        meter.usage.note(A, ONE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await meter.usage.flush()
    assert meter.store.days[A, TODAY].requests == 2


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What does not fit is told; a key that is counted already goes on being counted.
    """
    monkeypatch.setattr(key_usage, "MAX_WAITING", 1)
    meter = Meter()
    for key_id in (A, B, B, A):
        meter.usage.note(key_id, ONE)
    await meter.usage.flush()
    await meter.usage.flush()
    assert meter.store.days == {(A, TODAY): ONE.plus(ONE)}
    assert meter.logging.events == [("key_usage_lost", {"level": "WARNING", "requests": 2})]


def test_figures_are_laid_out_by_day_and_together() -> None:
    """
    Times in milliseconds.
    """
    days = [DayOfKey(key_id=A, day=TODAY, use=ONE)] * 2
    told = plain_usage(A, days)
    figures = {"requests": 1, "refusals": 1, "bytes_in": 2, "bytes_out": 3, "render_ms": 4.5}
    assert told["days"] == [{"day": "2026-11-22", **figures}] * 2
    assert told["total"] == {key: 2 * value for key, value in figures.items()}
