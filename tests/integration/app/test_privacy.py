"""
What people may ask for, over the whole application and by the command line.
"""

import json
import sys
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

import httpx2
import pytest

from ctxfy.adapters.storage.backup import back_up, restore
from ctxfy.adapters.storage.engine import open_database
from ctxfy.app.main import create_app
from ctxfy.core.models.audit_models import AuditFilter, AuditRecord
from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import Client, running, settings_in
from tests.integration.app.cli_kit import Shell


NAME = "Zoë | 李 <zoe@example.com>"
PATH = "/privacy/users/Zo%C3%AB%20%7C%20%E6%9D%8E%20%3Czoe@example.com%3E"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """
    A client of a running application.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        yield client


async def told_of(client: Client, action: str) -> list[AuditRecord]:
    """
    Read the events of one action, of a trail that is whole.
    """
    storage = client.app.wiring.storage
    assert (await storage.proofs.verify()).is_valid
    return [record async for record in storage.events.records(AuditFilter(action=action))]


async def test_everything_held_is_exported(client: Client) -> None:
    """
    Keys without digests, and every event by and about the person, the export itself among them.
    """
    zoe = await client.with_key(NAME)
    await zoe.ask_2025("prompts/get", name="greet", arguments={"who": "Ben"})
    answer = await client.get(PATH, key=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    held = answer.json()
    assert (held["user_id"], len(held["api_keys"]), held["sessions"]) == (NAME, 1, [])
    assert [event["action"] for event in held["events"]] == [
        "key_created",
        "prompt_executed",
        "person_exported",
    ]
    assert held["events"][1]["details"]["route"] == "/mcp"
    assert not {"digest", "api_key", "pepper_id"} & held["api_keys"][0].keys()
    (event,) = await told_of(client, "person_exported")
    assert (event.user_id, event.subject) == ("admin", NAME)


async def test_an_erased_person_is_out_at_once(client: Client) -> None:
    """
    Key refused, name nowhere, one event with who did it; asked for again there is nobody.
    """
    zoe = await client.with_key(NAME)
    assert (await zoe.get("/prompts", key=True)).status_code == 200
    answer = await _delete(client, PATH)
    assert answer.status_code == 200
    assert (answer.json()["keys_revoked"], answer.json()["sessions_ended"]) == (1, 0)
    assert (await zoe.get("/prompts", key=True)).status_code == 401
    for again in (await _delete(client, PATH), await client.get(PATH, key=True)):
        assert (again.status_code, again.json()["code"]) == (404, "person.not_found")
    for path in ("/auth/api-keys", "/audit/events?limit=500"):
        assert "Zo" not in (await client.get(path, key=True)).text
    (event, *refusals) = await told_of(client, "person_erased")
    assert (event.user_id, event.subject, event.event.outcome) == ("admin", "", "ok")
    assert event.event.details["keys"] == 1
    assert [each.event.outcome for each in refusals] == ["person.not_found"]


async def test_only_administrators_may_ask_and_the_last_one_stays(client: Client) -> None:
    """
    403 for others, and 409 for whom nobody could follow.
    """
    writer = await client.with_key("ann", scope=Scope.WRITE)
    assert (await writer.get("/privacy/users/ann", key=True)).status_code == 403
    assert (await _delete(writer, "/privacy/users/ann")).status_code == 403
    refused = await _delete(client, "/privacy/users/admin")
    assert (refused.status_code, refused.json()["code"]) == (409, "api_key.last_admin")
    other = await client.with_key("ben", scope=Scope.ADMIN)
    assert (await _delete(other, "/privacy/users/ben")).status_code == 200
    assert (await other.get("/prompts", key=True)).status_code == 401


async def _delete(client: Client, path: str) -> httpx2.Response:
    return await client.http.delete(path, headers={"x-api-key": client.key})


def test_the_command_line_exports_and_erases(ctxfy: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The erasure is asked about, and refused where nobody can answer; of nobody both fail.
    """
    ctxfy("keys", "create", "--user", "root", "--scope", "admin")
    ctxfy("keys", "create", "--user", "https://id.example/ann")
    held = json.loads(ctxfy("privacy", "export", "https://id.example/ann").out)
    assert [event["action"] for event in held["events"]] == ["key_created", "person_exported"]
    monkeypatch.setattr(sys, "stdin", StringIO())
    erase = ("privacy", "erase", "https://id.example/ann")
    assert "give --yes" in ctxfy.fails(*erase)
    monkeypatch.setattr(sys, "stdin", _Terminal("ann\nhttps://id.example/ann\n"))
    assert ctxfy(*erase).err.endswith("That is not the name; nothing was erased.\n")
    assert f"the records name {held['person_id']}. Ended: 1 key, 0 sessions." in ctxfy(*erase).out
    assert "There is nobody" in ctxfy.fails(*erase, "--yes")
    assert "There is nobody" in ctxfy.fails("privacy", "export", "https://id.example/ann")
    assert "(erased)" not in ctxfy("audit", "tail").out
    ended = ctxfy("privacy", "erase", "root", "--yes")
    assert "last keys that can administer" in ended.err
    ctxfy("keys", "create", "--user", "ben", "--scope", "admin")
    assert ctxfy("privacy", "erase", "root", "--yes", "--json").json()["keys_revoked"] == 1


def test_a_restored_backup_does_not_bring_the_erased_back(ctxfy: Shell) -> None:
    """
    With the secrets at hand they are erased again at once, and told of; not yet at hand, later, for
    a backup without a seal is restored without them.
    """
    ctxfy("keys", "create", "--user", "root", "--scope", "admin")
    ctxfy("keys", "create", "--user", "ann")
    ctxfy("db", "backup", "old.backup", "--plain")
    ctxfy("privacy", "erase", "ann", "--yes")
    ctxfy.set("CTXFY_PRIVACY__LEDGER_FILE", "var/ctxfy.erasures")
    ctxfy.set("CTXFY_STORAGE__URL", "sqlite:///without.db")
    assert "carried out again at the next start" in ctxfy("db", "restore", "old.backup").out
    ctxfy.set("CTXFY_AUTH__KEY_FILE", "var/ctxfy.keys")
    assert "Carried out again: 1 erasure" in ctxfy("db", "upgrade").out
    ctxfy.set("CTXFY_STORAGE__URL", "sqlite:///with.db")
    restored = ctxfy("db", "restore", "old.backup", "--json")
    assert restored.json()["file"] == "old.backup"
    assert restored.err == "Carried out again: 1 erasure since the backup.\n"
    listed = ctxfy("keys", "list", "--json").json()
    assert [(each["user_id"], each["status"]) for each in listed] == [
        ("root", "active"),
        ("", "revoked"),
    ]
    assert "erasure" not in ctxfy("db", "upgrade").out


async def test_a_start_erases_again_before_it_answers(tmp_path: Path) -> None:
    """
    The key of a person whom a backup brought back is refused in the first request.
    """
    settings = settings_in(tmp_path)
    async with running(create_app(settings)) as client:
        ann = await client.with_key("ann")
        await back_up(client.app.wiring.storage.database, tmp_path / "old.backup")
        await _delete(client, "/privacy/users/ann")
    for name in ("ctxfy.db", "ctxfy.db-wal", "ctxfy.db-shm"):
        (tmp_path / "var" / name).unlink(missing_ok=True)
    database = open_database(settings.storage.url)
    await restore(database, tmp_path / "old.backup")
    await database.aclose()
    async with running(create_app(settings)) as client:
        refused = await client.get("/prompts", authorization=f"Bearer {ann.key}")
        assert (refused.status_code, "revoked" in refused.text) == (401, True)
        assert (await client.get("/privacy/users/ann", key=True)).status_code == 404
        (again,) = await told_of(client, "person_erased")
        assert again.event.details == {"means": "server", "again": True, "keys": 1, "sessions": 0}


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True
