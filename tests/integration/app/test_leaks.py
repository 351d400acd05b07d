"""
Reports of leaked keys over REST and the command line, on a real store.
"""

import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ctxfy.adapters.auth.key_material import HmacKeyMaterial
from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.integration.app.app_kit import ADMIN_KEY, Client, running, settings_in
from tests.integration.app.cli_kit import Shell


PATH = "/auth/leak-reports"
STATIC_ID = KeyId("static000000")
STATIC_KEY = compose_key(STATIC_ID, b"x" * 32)
ENTRY = {
    "key_id": STATIC_ID,
    "digest": HmacKeyMaterial({1: b"p" * 32}, bytes).static_digest(STATIC_KEY),
    "user_id": "ci",
}


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Client]:
    """
    An administrator of a running application.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        yield client


async def test_a_reported_key_is_refused_from_the_next_request_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    The answer, the audit trail, the log and the disk hold its id and nothing of its secret.
    """
    async with running(create_app(settings_in(tmp_path))) as admin:
        ann = await admin.with_key("ann")
        key_id = ann.key[6:18]
        assert (await ann.get("/prompts", key=True)).status_code == 200
        report = json.dumps({"text": f"TOKEN={ann.key}\n", "found_at": f"https://x/?key={ann.key}"})
        told = await admin.post(report, path=PATH)
        assert told.json() == {"findings": [{"key_id": key_id, "outcome": "disabled"}]}
        assert (await ann.get("/prompts", key=True)).status_code == 401
        again = await admin.post(report, path=PATH)
        assert again.json() == {"findings": [{"key_id": key_id, "outcome": "already_gone"}]}
        trail = await admin.get(
            f"/audit/events?target={key_id}&action=key_reported_leaked", key=True
        )
        (event,) = trail.json()["events"]
        assert event["details"]["proof"] == "secret"
        asked = await admin.get("/audit/events?action=leak_reported", key=True)
        assert len(asked.json()["events"]) == 2
        written = b"".join(
            path.read_bytes() for path in (tmp_path / "var").iterdir() if path.is_file()
        )
    logged = "".join(capsys.readouterr())
    assert key_id in logged
    for place in (written.decode("latin-1"), logged, told.text, trail.text):
        assert ann.key[19:] not in place


async def test_a_leaked_admin_key_goes_even_as_the_last(admin: Client) -> None:
    """
    By its own report too; nobody can administer the server then, over HTTP.
    """
    by_id = await admin.post('{"key_ids": ["admin0000000"]}', path=PATH)
    assert by_id.json()["findings"][0]["outcome"] == "last_admin"
    shown = await admin.post(json.dumps({"text": ADMIN_KEY}), path=PATH)
    assert shown.json()["findings"][0]["outcome"] == "disabled"
    assert (await admin.get("/prompts", key=True)).status_code == 401


async def test_a_leaked_key_of_the_settings_is_told_to_be_taken_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    It is good until then: the answer says so, the log as an error, and the audit trail.
    """
    auth = AuthSettings.model_validate({"bootstrap_key": ADMIN_KEY, "static_keys": [ENTRY]})
    async with running(create_app(settings_in(tmp_path, auth=auth))) as admin:
        told = await admin.post(json.dumps({"text": STATIC_KEY}), path=PATH)
        assert told.json() == {"findings": [{"key_id": STATIC_ID, "outcome": "static"}]}
        path = f"/audit/events?target={STATIC_ID}&action=key_reported_leaked"
        (event,) = (await admin.get(path, key=True)).json()["events"]
        assert (event["outcome"], event["details"]["means"]) == ("api_key.static", "rest")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [each for each in lines if each["message"] == "key_reported_leaked"]
    assert (line["level"], line["key_id"], line["outcome"]) == ("ERROR", STATIC_ID, "static")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": "nothing"}, 422),
        ({"text": "x" * 70_000}, 422),
        ({"key_ids": ["ctxfy_0123456789ab_secret"]}, 422),
        ({"key_ids": ["0"] * 101}, 422),
        ({"text": 1}, 422),
        ({"text": ADMIN_KEY, "found_at": "a\nb"}, 422),
        ({"text": ADMIN_KEY, "reason": "?"}, 422),
    ],
)
async def test_strange_reports_are_refused_unread(
    admin: Client, body: dict[str, object], status: int
) -> None:
    """
    With a sentence that repeats nothing; no key is touched.
    """
    answer = await admin.post(json.dumps(body), path=PATH)
    assert answer.status_code == status
    assert "secret" not in answer.text
    assert ADMIN_KEY not in answer.text
    assert (await admin.get("/prompts", key=True)).status_code == 200


def test_the_command_reads_what_was_found(ctxfy: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    From standard input alone: a text, or ids; and says what came of each key.
    """
    first, second = (
        ctxfy("keys", "create", "--user", user, "--json").json() for user in ("ann", "bob")
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(f"- old = '{first['api_key']}'\n"))
    ran = ctxfy("keys", "report-leak", "--found-at", "a ticket")
    assert ran.out == f"Key {first['key_id']} is disabled now.\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{first['key_id']}\n{second['key_id']}\n"))
    told = ctxfy("keys", "report-leak", "--json").json()
    assert [each["outcome"] for each in told] == ["already_gone", "disabled"]
    assert ctxfy("keys", "show", second["key_id"], "--json").json()["status"] == "disabled"
    monkeypatch.setattr("sys.stdin", io.StringIO("no key at all"))
    assert "There is no key in this" in ctxfy.fails("keys", "report-leak")
    refused = ctxfy.fails("keys", "report-leak", first["api_key"], code=2)
    assert first["api_key"][19:] not in refused


def test_the_command_knows_the_keys_of_the_settings(
    ctxfy: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    And says where one must be taken out, as the audit trail does that it was reported.
    """
    ctxfy("keys", "create", "--user", "ann")
    ctxfy.set("CTXFY_AUTH__STATIC_KEYS", json.dumps([ENTRY]))
    monkeypatch.setattr("sys.stdin", io.StringIO(STATIC_KEY))
    told = ctxfy("keys", "report-leak").out
    assert told.startswith(f"Key {STATIC_ID} lives in the setting auth.static_keys")
    events = [json.loads(line) for line in ctxfy("audit", "export").out.splitlines()]
    (event,) = [each for each in events if each["action"] == "key_reported_leaked"]
    assert (event["target"], event["outcome"]) == (STATIC_ID, "api_key.static")
