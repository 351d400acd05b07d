"""
The audit trail of the whole application: every act of every route, proofs, and no private word.
"""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ctxfy.app.main import create_app
from ctxfy.app.routes import route_policies
from ctxfy.core.models.audit_models import AuditFilter, AuditRecord
from ctxfy.core.models.auth_models import Audited, RoutePolicy, Scope
from tests.integration.app.app_kit import Client, running, settings_in
from tests.integration.app.cli_kit import Shell


PROBES = {
    "/health",
    "/health/live",
    "/health/ready",
    "/.well-known/{rest:path}",
    "/register",
    "/login",
    "/login/style.css",
    "/docs/assets/{name}",
}
CANARY = "canary-value-7f3a"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """
    A client of a running application.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        yield client


async def trail(client: Client, **wanted: Any) -> list[AuditRecord]:  # noqa: ANN401 - by name
    """
    Read the trail, the oldest first, and require it to be whole.
    """
    storage = client.app.wiring.storage
    assert (await storage.proofs.verify()).is_valid
    return [record async for record in storage.events.records(AuditFilter(**wanted))]


def path_of(policy: RoutePolicy) -> str:
    """
    Make an address of a route.
    """
    path = policy.path.replace("{name}", "greet").replace("{rest:path}", "x")
    return path.replace("{key_id}", "z" * 12)


def test_every_route_says_what_its_requests_do() -> None:
    """
    A route without an action is a probe, or a page that holds nothing of anybody.
    """
    policies = route_policies(public_metrics=False, docs=True)
    silent = {policy.path for policy in policies if policy.audited is Audited.NEVER}
    assert silent == PROBES
    assert all(policy.action for policy in policies if policy.audited is not Audited.NEVER)


async def test_every_act_of_every_route_has_an_event(client: Client) -> None:
    """
    Walked with a key that may all, each leaves its event; only probes and scrapes leave none.
    """
    for policy in route_policies(public_metrics=False, docs=True):
        for method in policy.methods:
            before = len(await trail(client))
            request_id = f"walk-{before}-{method}"
            answer = await client.http.request(
                method,
                path_of(policy),
                headers={
                    "authorization": f"Bearer {client.key}",
                    "x-request-id": request_id,
                    "origin": "http://localhost",
                }
                | ({"content-type": policy.consumes} if policy.consumes else {}),
                content=_body(policy),
            )
            found = await trail(client, request_id=request_id)
            silent = policy.audited is Audited.NEVER or (
                policy.action == "metrics_read" and answer.is_success
            )
            assert len(found) == (0 if silent else 1), (policy.path, method, answer.status_code)
            assert all(record.user_id == "admin" for record in found)


def _body(policy: RoutePolicy) -> str:
    if policy.path == "/auth/api-keys":
        return '{"user_id": "ann"}'
    if policy.path.startswith("/mcp"):
        return '{"jsonrpc": "2.0", "id": 1, "method": "prompts/list"}'
    return '{"arguments": {"who": "Ann"}}' if policy.consumes == "application/json" else ""


async def test_what_was_done_over_mcp_is_told_by_its_method(client: Client) -> None:
    """
    On both wires: the prompt, its version, and the code of what went wrong.
    """
    ann = await client.with_key("ann")
    for ask in (ann.ask_2025, ann.ask_2026):
        await ask("prompts/list")
        await ask("prompts/get", name="greet", arguments={"who": "Zoë"})
        await ask("prompts/get", name="greet", arguments={})
        await ask("prompts/get", name="nope")
    told = [
        (record.event.action, record.event.outcome, record.event.target)
        for record in await trail(client, user_id="ann")
        if record.event.action != "key_created"
    ]
    once = [
        ("prompts_listed", "ok", None),
        ("prompt_executed", "ok", "greet"),
        ("prompt_executed", "prompt.invalid_arguments", "greet"),
        ("prompt_executed", "prompt.not_found", None),
    ]
    assert told == once * 2


async def test_a_refusal_of_a_known_key_is_its_own(client: Client) -> None:
    """
    Whoever tries what is not theirs leaves their name; whoever has none is folded.
    """
    ann = await client.with_key("ann")
    assert (await ann.get("/auth/api-keys", key=True)).status_code == 403
    assert (await client.get("/prompts", authorization="Bearer nonsense")).status_code == 401
    (record,) = await trail(client, user_id="ann", action="keys_listed")
    assert (record.event.outcome, record.user_id) == ("scope", "ann")
    assert await trail(client, action="prompts_listed") == []
    (folded,) = client.app.wiring.fold.take(everything=True)
    assert folded.details["outcomes"] == {"malformed": 1}


async def test_a_change_of_keys_is_told_once_with_who_did_it_to_whom(client: Client) -> None:
    """
    The event is written with the change, and names the actor, the subject and the key.
    """
    answer = await client.post('{"user_id": "ann"}', path="/auth/api-keys")
    key_id = answer.json()["key_id"]
    await client.http.delete(f"/auth/api-keys/{key_id}", headers={"x-api-key": client.key})
    told = [
        (record.event.action, record.user_id, record.subject, record.event.details["means"])
        for record in await trail(client, target=key_id)
    ]
    assert told == [
        ("key_created", "admin", "ann", "rest"),
        ("key_revoked", "admin", "ann", "rest"),
    ]


async def test_the_trail_is_read_over_rest(client: Client) -> None:
    """
    Filtered and in pages, verified, and reported on; for administrators alone.
    """
    for number in range(3):
        await client.with_key(f"user-{number}")
    first = (await client.get("/audit/events?action=key_created&limit=2", key=True)).json()
    rest = (
        await client.get(
            f"/audit/events?action=key_created&limit=2&cursor={first['next_cursor']}", key=True
        )
    ).json()
    subjects = [event["subject"] for event in first["events"] + rest["events"]]
    assert subjects == ["user-2", "user-1", "user-0", "admin"]
    assert rest["next_cursor"] is None
    verified = (await client.get("/audit/verify", key=True)).json()
    assert (verified["valid"], verified["first_bad"]) == (True, None)
    assert verified["checkpoint"]["text"].startswith("ctxfy audit checkpoint")
    report = (await client.get("/audit/report", key=True)).json()
    assert report["events"]["by_action"]["key_created"] == 4
    assert report["keys"]["live_by_scope"] == {"admin": 1, "read": 3}
    assert (await client.get("/audit/events?sinse=x", key=True)).status_code == 422
    ann = await client.with_key("ann", scope=Scope.WRITE)
    assert (await ann.get("/audit/events", key=True)).status_code == 403


async def test_no_private_word_is_in_the_trail(client: Client, tmp_path: Path) -> None:
    """
    Neither argument values nor keys are in events; names only sealed, in no file in clear.
    """
    ann = await client.with_key("canary-person")
    await ann.ask_2025("prompts/get", name="greet", arguments={"who": CANARY})
    await ann.post(json.dumps({"arguments": {"who": CANARY}}), path="/prompts/greet/execute")
    await ann.get(f"/{CANARY}?x={CANARY}", key=True)
    told = repr(await trail(client))
    assert CANARY not in told
    assert ann.key[19:] not in told
    written = b"".join(map(Path.read_bytes, _files(tmp_path / "var")))
    for private in (CANARY, "canary-person", ann.key, ann.key[19:]):
        assert private.encode() not in written


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_an_older_copy_of_the_database_shows_against_a_kept_checkpoint(ctxfy: Shell) -> None:
    """
    Everything in the copy is as it was written, and verifies; only the checkpoint knows of more.
    """
    ctxfy("keys", "create", "--user", "ann")
    shutil.copytree(ctxfy.folder / "var", ctxfy.folder / "older")
    ctxfy("keys", "create", "--user", "ben")
    (ctxfy.folder / "kept.json").write_text(ctxfy("audit", "checkpoint").out)
    ctxfy("audit", "verify", "--checkpoint", "kept.json")
    shutil.rmtree(ctxfy.folder / "var")
    (ctxfy.folder / "older").rename(ctxfy.folder / "var")
    assert "all as they were written" in ctxfy("audit", "verify").out
    said = ctxfy("audit", "verify", "--checkpoint", "kept.json")
    assert said.code == 1
    assert "missing at the end" in said.out + said.err


def test_the_commands_read_and_prove_the_trail(ctxfy: Shell) -> None:
    """
    What the command line did is told, exported and reported; the export itself is an event too.
    """
    ctxfy("keys", "create", "--user", "ann", "--scope", "admin")
    shown = ctxfy("audit", "tail")
    assert "key_created" in shown.out
    assert "command_line" in shown.out
    (event,) = [json.loads(line) for line in ctxfy("audit", "export").out.splitlines()]
    assert (event["action"], event["subject"]) == ("key_created", "ann")
    rows = ctxfy("audit", "export", "--format", "csv", "--action", "audit_exported").out
    assert rows.splitlines()[0].startswith("at,action,outcome")
    assert len(rows.splitlines()) == 2
    kept = ctxfy("audit", "checkpoint").out
    (ctxfy.folder / "kept.json").write_text(kept)
    assert "all as they were written" in ctxfy("audit", "verify").out
    verdict = ctxfy("audit", "verify", "--checkpoint", "kept.json", "--json").json()
    assert (verdict["valid"], verdict["events"]) == (True, 3)
    assert ctxfy("audit", "report").out.startswith("{")
    (ctxfy.folder / "strange.json").write_text("{}")
    assert "no audit checkpoint" in ctxfy.fails("audit", "verify", "--checkpoint", "strange.json")
    assert "cannot be read" in ctxfy.fails("audit", "verify", "--checkpoint", "none.json")


async def test_the_trail_is_seen_from_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An act has a line in the log with the hash of its row and nobody's name, what is read has none;
    /metrics and /health tell how the writer is.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        await client.with_key(CANARY)
        await client.get("/prompts", key=True)
        (created,) = await trail(client, action="key_created", target=None, user_id=CANARY)
        metrics = (await client.get("/metrics", key=True)).text
        health = (await client.get("/health", key=True)).json()["checks"]["audit"][0]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [line for line in lines if line["message"] == "audit_event_kept"]
    assert created.hash.hex() in {line["hash"] for line in told}
    assert {line["action"] for line in told} == {"key_created"}
    assert CANARY not in json.dumps(told)
    assert 'ctxfy_audit_events_total{fate="stored"}' in metrics
    assert (health["status"], health["figures"]["lost"]) == ("pass", 0)


async def test_the_report_is_a_page_too(client: Client) -> None:
    """
    Under the strict policy, with nothing but its own style; strangers get none.
    """
    assert (await client.get("/audit/report?format=html")).status_code == 401
    answer = await client.get("/audit/report?format=html", key=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "The trail is whole" in answer.text


def test_the_command_writes_the_page(ctxfy: Shell) -> None:
    """
    To standard output, to be kept in a file.
    """
    ctxfy("keys", "create", "--user", "ann")
    assert ctxfy("audit", "report", "--format", "html").out.startswith("<!doctype html>")
