"""
The whole application on PostgreSQL, with the network to it failing and healing.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.main import create_app
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import ADMIN_KEY, Client, health_says, running, settings_in
from tests.postgres_kit import TestServer
from tests.tcp_proxy import TcpProxy, proxied


ADMIN = ("/auth/api-keys", "/auth/api-keys/admin0000000")


@pytest.fixture
async def network(postgres: TestServer) -> AsyncIterator[TcpProxy]:
    """
    A network to the server that may fail.
    """
    async with proxied(postgres.port) as proxy:
        yield proxy


@pytest.fixture
async def client(postgres: TestServer, network: TcpProxy, tmp_path: Path) -> AsyncIterator[Client]:
    """
    A server that keeps its keys behind that network.
    """
    url = postgres.url(await postgres.create(), port=network.port)
    settings = settings_in(
        tmp_path,
        auth=AuthSettings.model_validate(
            {"bootstrap_key": ADMIN_KEY, "key_file": tmp_path / "ctxfy.keys"}
        ),
        storage=StorageSettings(
            url=url, pool_seconds=0.5, connect_seconds=2, statement_seconds=1.5
        ),
    )
    async with running(create_app(settings)) as client:
        yield client


async def status_of(client: Client, path: str) -> int:
    """
    GET something with the client's key.
    """
    return (await client.get(path, key=True)).status_code


async def test_an_outage_is_503_but_for_reads_with_known_keys(
    client: Client, network: TcpProxy
) -> None:
    """
    Never 401: what is remembered is served, the rest is told to come again, and later all is well.
    """
    known = await client.with_key("ann", scope=Scope.ADMIN)
    unseen = await client.with_key("ben")
    assert await status_of(known, "/prompts") == 200
    assert await status_of(known, "/auth/api-keys") == 200
    network.swallow()
    crowd = [client_.get(path, key=True) for client_ in (unseen, known) for path in ADMIN] * 5
    answers = await asyncio.gather(*crowd)
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert "database" not in "".join(answer.text for answer in answers)
    assert await status_of(unseen, "/prompts") == 503
    assert await status_of(known, "/prompts") == 200
    assert (await known.ask_2025("prompts/list"))["result"]["prompts"]
    reload = await known.post("{}", path="/prompts/reload")
    assert (reload.status_code, reload.json()["code"]) == (503, "unavailable")
    assert (await client.get("/health/ready")).status_code == 200
    assert (await health_says(known, "storage", "warn"))["age_seconds"] < 5
    network.heal()
    async with asyncio.timeout(60):
        while await status_of(unseen, "/prompts") == 503:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)
    assert await status_of(known, "/auth/api-keys") == 200


async def test_a_revocation_holds_at_once_for_what_changes_something(
    postgres: TestServer, client: Client
) -> None:
    """
    A key revoked behind this server's back is refused there before a poll could have told.
    """
    known = await client.with_key("ann", scope=Scope.ADMIN)
    assert await status_of(known, "/auth/api-keys") == 200
    # As another replica would, but without moving the epoch: no poll will ever tell.
    storage = client.app.wiring.settings.storage
    statement = "UPDATE api_keys SET status = 'revoked' WHERE created_by IS NULL"
    await postgres.execute(statement, database=storage.url.rpartition("/")[2])
    assert await status_of(known, "/prompts") == 200
    assert await status_of(known, "/auth/api-keys") == 401


async def test_a_start_without_the_database_is_one_sentence(
    postgres: TestServer, network: TcpProxy, tmp_path: Path
) -> None:
    """
    It names the database and where it should be, and not the password.
    """
    network.swallow()
    settings = settings_in(
        tmp_path,
        auth=AuthSettings(key_file=tmp_path / "ctxfy.keys"),
        storage=StorageSettings(
            url=postgres.url("prompts", port=network.port), connect_seconds=0.2
        ),
    )
    with pytest.raises(UnavailableError) as caught:
        async with running(create_app(settings)):
            pass
    assert str(caught.value) == (
        f"The storage is not available: the database prompts on 127.0.0.1:{network.port}"
        " does not answer; check the server, and the network to it."
    )
