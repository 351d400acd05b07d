"""
PostgreSQL out of reach: told at once, never waited for, found again by itself, nothing lost.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import Connection, text

from ctxfy.adapters.storage.postgres_server import ServerOptions
from ctxfy.core.exceptions import UnavailableError
from tests.builders import told
from tests.integration.adapters.storage.storage_kit import key, key_store
from tests.postgres_kit import PATIENT, TestServer
from tests.postgres_process import PASSWORD
from tests.tcp_proxy import TcpProxy, proxied


# As little patience as a busy machine allows: a healthy server must answer within it.
IMPATIENT = ServerOptions(
    password=PASSWORD, pool_size=3, pool_seconds=0.5, connect_seconds=2, statement_seconds=1.5
)


@pytest.fixture(scope="module")
def mortal() -> Iterator[TestServer]:
    """
    A server that may be killed.
    """
    with TestServer() as server:
        yield server


@pytest.fixture
async def network(postgres: TestServer) -> AsyncIterator[TcpProxy]:
    """
    A network to the server that may fail.
    """
    async with proxied(postgres.port) as proxy:
        yield proxy


def one(connection: Connection) -> int:
    """
    Read something.
    """
    found: int = connection.execute(text("SELECT 1")).scalar_one()
    return found


async def until(condition: Callable[[], bool]) -> None:
    """
    Wait for something that happens by itself.
    """
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.02)


def holds_more_than(known: Collection[str], count: int) -> bool:
    """
    Tell whether so many are known.
    """
    return len(known) > count


async def test_a_network_that_swallows_is_told_and_found_again(
    postgres: TestServer, network: TcpProxy
) -> None:
    """
    However many ask, all are refused, over no more connections than allowed; later all is well.
    """
    name = await postgres.create_migrated()
    database = postgres.open(name, IMPATIENT, port=network.port)
    await asyncio.gather(*(database.read(one) for _ in range(3)))
    network.swallow()
    crowd = [database.write(one) if turn % 3 else database.read(one) for turn in range(60)]
    answers = await asyncio.gather(*crowd, return_exceptions=True)
    assert {type(answer) for answer in answers} == {UnavailableError}
    assert database.outage is not None
    assert f"{name} on 127.0.0.1:{network.port} does not answer; check" in str(database.outage)
    with pytest.raises(UnavailableError, match="does not answer"):
        await database.read(one)
    network.heal()
    await until(lambda: database.outage is None)
    assert await asyncio.gather(*(database.read(one) for _ in range(20))) == [1] * 20
    counting = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    count = await database.read(lambda connection: connection.scalar(counting))
    assert count is not None
    assert count <= IMPATIENT.pool_size
    await database.aclose()


async def test_a_server_that_stands_still_is_told_and_found_again(mortal: TestServer) -> None:
    """
    Stopped in the middle, it is given up; when it goes on, so does everything.
    """
    database = mortal.open(await mortal.create_migrated(), IMPATIENT)
    await database.read(one)
    mortal.signal(signal.SIGSTOP)
    with pytest.raises(UnavailableError, match="does not answer"):
        await database.read(one)
    mortal.signal(signal.SIGCONT)
    await until(lambda: database.outage is None)
    assert await database.read(one) == 1
    await database.aclose()


async def test_a_killed_server_loses_nothing_it_acknowledged(mortal: TestServer) -> None:
    """
    Killed under writes, it has every key that was acknowledged when it is back, and takes more.
    """
    name = await mortal.create_migrated()
    # A database that would acknowledge what is not yet on its disk is told not to.
    await mortal.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database = mortal.open(name, replace(PATIENT, pool_seconds=1, connect_seconds=5))
    store = key_store(database)
    acknowledged = set[str]()

    async def write(writer: str) -> None:
        for number in range(1_000_000):
            info = key(f"{writer}{number}x")
            await store.add(info, told())
            acknowledged.add(info.key_id)

    for turn in range(3):
        writers = [asyncio.create_task(write(f"{letter}{turn}n")) for letter in "ab"]
        await until(partial(holds_more_than, acknowledged, len(acknowledged) + 25))
        mortal.signal(signal.SIGKILL)
        ends = await asyncio.gather(*writers, return_exceptions=True)
        assert [type(end) for end in ends] == [UnavailableError] * 2
        mortal.start_again()
        await until(lambda: database.outage is None)
        await store.add(key(f"after{turn}x"), told())
        kept = {info.key_id for info in await store.list_keys()}
        assert kept >= acknowledged
        assert len(kept) == await store.epoch()
    await database.aclose()


async def test_connections_of_a_server_that_was_started_anew_are_not_used(
    mortal: TestServer,
) -> None:
    """
    What the pool keeps of the old server is noticed before a request is given to it.
    """
    database = mortal.open(await mortal.create_migrated())
    await asyncio.gather(*(database.read(one) for _ in range(5)))
    mortal.signal(signal.SIGKILL)
    await asyncio.to_thread(mortal.start_again)
    assert await asyncio.gather(*(database.read(one) for _ in range(5))) == [1] * 5
    assert database.outage is None
    await database.aclose()


async def test_a_server_that_is_gone_is_told(mortal: TestServer) -> None:
    """
    Where nobody listens, one sentence says so; closing does not wait for the server.
    """
    name = await mortal.create_migrated()
    mortal.signal(signal.SIGKILL)
    database = mortal.open(name, IMPATIENT)
    with pytest.raises(UnavailableError, match=f"{name} on .* cannot be reached; check") as caught:
        await database.read(one)
    assert PASSWORD not in str(caught.value)
    await database.aclose()
    mortal.start_again()
    database = mortal.open(name)
    assert await database.read(one) == 1
    await database.aclose()


async def test_a_server_that_refuses_is_told(postgres: TestServer) -> None:
    """
    A wrong password, a missing database, no TLS: each has its sentence, and none has the password.
    """
    name = await postgres.create()
    for database, options, sentence in (
        (name, replace(PATIENT, password="wr@ng"), "refuses this user"),
        ("nowhere", PATIENT, "the server knows no database nowhere on"),
        (name, replace(PATIENT, tls="require"), "does not speak TLS"),
        (name, PATIENT, "lacks tables"),
    ):
        opened = postgres.open(database, options)
        with pytest.raises(UnavailableError, match=sentence) as caught:
            await key_store(opened).epoch()
        assert "wr@ng" not in str(caught.value)
        assert PASSWORD not in str(caught.value)
        await opened.aclose()
