"""
Calls of what authors wrote: how long, how many, and what cannot be ended.
"""

import asyncio
import threading

import anyio
import pytest

from ctxfy.adapters.mcp_prompts.bounded_calls import BoundedCalls
from ctxfy.core.exceptions import UnavailableError


FOREVER = 3600


async def test_a_call_gives_what_it_makes_or_raises() -> None:
    """
    Within the time nothing is changed.
    """

    async def fail() -> str:
        raise KeyError("x")

    async def make() -> str:
        return "made"

    calls = BoundedCalls(5)
    assert await calls.run(make) == "made"
    with pytest.raises(KeyError):
        await calls.run(fail)


async def test_a_call_that_waits_too_long_is_told_to_end() -> None:
    """
    It may clean up, and its caller hears of a timeout.
    """
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.sleep(FOREVER)
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await BoundedCalls(0.01).run(wait)
    assert ended.is_set()


async def test_a_thread_that_hangs_keeps_its_place_and_not_its_caller() -> None:
    """
    The caller is let go; the thread counts until it ends, and then there is room again.
    """
    release, calls = threading.Event(), BoundedCalls(0.01, most=1)

    async def hang() -> None:
        await anyio.to_thread.run_sync(release.wait)

    async def make() -> str:
        return "made"

    with pytest.raises(TimeoutError):
        await calls.run(hang)
    with pytest.raises(UnavailableError, match="1 are running"):
        await calls.run(make)
    release.set()
    while True:
        try:
            assert await calls.run(make) == "made"
            break
        except UnavailableError:
            await asyncio.sleep(0.01)


async def test_a_call_whose_caller_left_is_told_to_end() -> None:
    """
    Whoever stops waiting stops the work too.
    """
    begun, ended = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(FOREVER)
        finally:
            ended.set()

    caller = asyncio.create_task(BoundedCalls(FOREVER).run(wait))
    await begun.wait()
    caller.cancel()
    await asyncio.wait_for(ended.wait(), 5)
    assert (await asyncio.gather(caller, return_exceptions=True))[0].__class__ is (
        asyncio.CancelledError
    )


async def test_a_call_cannot_end_the_program() -> None:
    """
    `sys.exit` of a function is an error of that function.
    """

    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(RuntimeError, match="end the program"):
        await BoundedCalls(5).run(leave)
