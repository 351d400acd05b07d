"""
The whole application on PostgreSQL: what only that database minds.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.main import create_app
from ctxfy.app.storage_settings import StorageSettings
from tests.integration.app.app_kit import ADMIN_KEY, Client, running, settings_in
from tests.postgres_kit import TestServer


@pytest.fixture
async def client(postgres: TestServer, tmp_path: Path) -> AsyncIterator[Client]:
    """
    A server that keeps its keys there.
    """
    settings = settings_in(
        tmp_path,
        auth=AuthSettings.model_validate(
            {"bootstrap_key": ADMIN_KEY, "key_file": tmp_path / "ctxfy.keys"}
        ),
        storage=StorageSettings(
            url=postgres.url(await postgres.create()),
            pool_seconds=20,
            connect_seconds=20,
            statement_seconds=20,
        ),
    )
    async with running(create_app(settings)) as client:
        yield client


BODIES = (
    ("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": {"name": "TEXT"}}),
    ("/prompts/greet/execute", {"arguments": {"who": "TEXT"}}),
    ("/auth/api-keys", {"user_id": "TEXT"}),
    ("/auth/api-keys", {"user_id": "ann", "name": "TEXT"}),
)
PATHS = (
    "/TEXT",
    "/audit/events?action=TEXT",
    "/audit/events?cursor=TEXT",
    "/audit/events?key_id=TEXT",
    "/audit/events?target=TEXT",
    "/audit/events?user_id=TEXT",
    "/auth/api-keys/TEXT",
    "/auth/api-keys?cursor=TEXT",
    "/auth/api-keys?user_id=TEXT",
    "/prompts/TEXT",
)


async def test_no_text_from_outside_upsets_the_database(client: Client) -> None:
    """
    What PostgreSQL cannot keep, or UTF-8 not write, is refused or not found, and is no outage.
    """
    answers = [
        await client.post(json.dumps(body).replace("TEXT", escaped), path=path)
        for path, body in BODIES
        for escaped in ("a\\u0000b", "a\\ud800b")
    ]
    answers += [
        await client.get(path.replace("TEXT", encoded), key=True)
        for path in PATHS
        for encoded in ("a%00b", "a%ED%A0%80b", "a%FFb")
    ]
    assert {answer.status_code for answer in answers} <= {200, 201, 400, 404, 422}
    assert not client.app.wiring.storage.trail.is_away
    assert (await client.get("/audit/verify", key=True)).json()["valid"]
