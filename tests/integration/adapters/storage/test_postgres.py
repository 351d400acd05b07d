"""
PostgreSQL: writers of all processes in turn, time-outs that hold, and clear sentences.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from ctxfy.adapters.storage.api_key_store import SqlApiKeyStore
from ctxfy.adapters.storage.database import Database
from ctxfy.core.exceptions import LastAdminKeyError, UnavailableError
from ctxfy.core.models.auth_models import ApiKeyInfo, KeyStatus, Scope
from tests.builders import told
from tests.certificates import server_context
from tests.integration.adapters.storage.storage_kit import NOON, key, key_store
from tests.postgres_kit import PATIENT, TestServer
from tests.tcp_proxy import proxied


@pytest.fixture
async def replicas(postgres: TestServer) -> AsyncIterator[list[Database]]:
    """
    Four replicas on one database, whose owner has odd ideas about isolation.
    """
    name = await postgres.create_migrated()
    await postgres.execute(
        f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'"
    )
    opened = [postgres.open(name) for _ in range(4)]
    yield opened
    for each in opened:
        await each.aclose()
    await postgres.drop(name)


def stores(replicas: list[Database]) -> list[SqlApiKeyStore]:
    """
    Make a store for each replica.
    """
    return [key_store(each) for each in replicas]


async def test_only_one_replica_is_first(replicas: list[Database]) -> None:
    """
    Of replicas that all add the first key at the same moment, one succeeds.
    """
    answers = await asyncio.gather(
        *(
            store.add_first(key(f"k{number}"), told())
            for number, store in enumerate(stores(replicas))
        )
    )
    assert sorted(answers) == [False, False, False, True]


async def test_replicas_leave_one_admin_key(replicas: list[Database]) -> None:
    """
    Revoked from all sides at once, the last admin key stays, again and again.
    """
    sides = stores(replicas)

    async def revoke(store: SqlApiKeyStore, info: ApiKeyInfo) -> bool:
        try:
            await store.set_status(info.key_id, KeyStatus.REVOKED, told(NOON + timedelta(hours=1)))
        except LastAdminKeyError:
            return False
        return True

    left: list[ApiKeyInfo] = []
    for turn in range(5):
        fresh = [key(f"t{turn}n{number}x", scope=Scope.ADMIN) for number in range(4 - len(left))]
        for info in fresh:
            await sides[0].add(info, told())
        admins = [*left, *fresh]
        gone = await asyncio.gather(*map(revoke, sides, admins))
        assert sorted(gone) == [False, True, True, True]
        left = [info for info, is_gone in zip(admins, gone, strict=True) if not is_gone]


async def test_one_person_is_one_row_for_all_replicas(replicas: list[Database]) -> None:
    """
    Keys of one user, added from all sides at once, belong to one person.
    """
    await asyncio.gather(
        *(store.add(key(f"k{number}"), told()) for number, store in enumerate(stores(replicas)))
    )
    counting = text("SELECT count(*) FROM people")
    assert await replicas[0].read(lambda connection: connection.scalar(counting)) == 1


async def test_uses_are_written_side_by_side(replicas: list[Database]) -> None:
    """
    Replicas that write the last uses of the same keys do not lock each other out.
    """
    sides = stores(replicas)
    infos = [key(f"k{number}x") for number in range(20)]
    for info in infos:
        await sides[0].add(info, told())
    uses = {info.key_id: NOON + timedelta(minutes=5) for info in infos}
    backwards = dict(reversed(uses.items()))
    for _ in range(5):
        await asyncio.gather(
            *(store.touch(uses if number % 2 else backwards) for number, store in enumerate(sides))
        )
    assert {info.last_used_at for info in await sides[0].list_keys()} == {
        NOON + timedelta(minutes=5)
    }


async def test_a_slow_statement_is_stopped(postgres: TestServer) -> None:
    """
    A statement that takes too long ends with a sentence; the database is not thought away.
    """
    name = await postgres.create_migrated()
    for cache in (100, 0):
        database = postgres.open(
            name, replace(PATIENT, statement_seconds=0.2, statement_cache=cache)
        )

        def sleep(connection: Connection) -> None:
            connection.execute(text("SELECT pg_sleep(30)"))

        for act in (database.read(sleep), database.write(sleep)):
            with pytest.raises(UnavailableError, match="took too long over a statement"):
                await act
        assert database.outage is None
        await database.read(lambda connection: connection.execute(text("SELECT 1")))
        await database.aclose()


def one(connection: Connection) -> int:
    """
    Read something.
    """
    found: int = connection.execute(text("SELECT 1")).scalar_one()
    return found


async def assert_refused(database: Database) -> None:
    """
    See that a certificate is not believed, and that a sentence says so.
    """
    with pytest.raises(UnavailableError, match=r"^The storage .* the certificate of the database"):
        await database.read(one)
    await database.aclose()


async def test_tls_is_spoken_and_looked_at(postgres: TestServer, tmp_path: Path) -> None:
    """
    `require` believes any certificate, `verify` only one that its authority signed for that name.
    """
    name = await postgres.create()
    believed = replace(PATIENT, tls="verify", tls_ca=tmp_path / "ca.pem")
    async with proxied(postgres.port, tls=server_context(tmp_path)) as proxy:
        for options in (replace(PATIENT, tls="require"), believed):
            database = postgres.open(name, options, port=proxy.port)
            assert await database.read(one) == 1
            await database.aclose()
        await assert_refused(postgres.open(name, replace(believed, tls_ca=None), port=proxy.port))
    async with proxied(postgres.port, tls=server_context(tmp_path, address="192.0.2.1")) as proxy:
        await assert_refused(postgres.open(name, believed, port=proxy.port))


async def test_nothing_is_left_behind_for_a_pooler(postgres: TestServer) -> None:
    """
    Without a statement cache nothing is kept prepared, and each read is one short transaction.
    """
    name = await postgres.create_migrated()
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")
    transaction = text("SELECT current_setting('statement_timeout'), pg_current_xact_id()::text")

    def look(connection: Connection) -> tuple[bool, int, str]:
        first, second = (connection.execute(transaction).one() for _ in range(2))
        keeps = connection.scalar(prepared) != 0
        return keeps, len({first[1], second[1]}), first[0]

    for cache, expected in ((0, (False, 1, "20s")), (100, (True, 2, "20s"))):
        database = postgres.open(name, replace(PATIENT, pool_size=1, statement_cache=cache))
        await database.write(one)
        assert await database.read(look) == expected
        await database.aclose()
