"""
The life of a key over REST: rotation with overlap, disabling, and who may do what.
"""

import asyncio
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


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Client]:
    """
    An administrator of a running application.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        yield client


def holding(client: Client, key: str) -> Client:
    """
    The same client with another key.
    """
    return Client(app=client.app, http=client.http, key=key)


async def status_of(client: Client) -> int:
    """
    Ask who one is.
    """
    return (await client.get("/auth/api-keys/current", key=True)).status_code


async def test_a_rotation_overlaps_and_keeps_the_id(admin: Client) -> None:
    """
    Both secrets are good while the grace lasts; a second rotation ends the first of all.
    """
    ann = await admin.with_key("ann")
    path = f"/auth/api-keys/{ann.key[6:18]}/rotate"
    made = (await admin.post("{}", path=path)).json()
    assert (made["key_id"], made["api_key"][:18]) == (ann.key[6:18], ann.key[:18])
    new = holding(admin, made["api_key"])
    assert [await status_of(ann), await status_of(new)] == [200, 200]
    newest = (await admin.post('{"grace_hours": 0}', path=path)).json()["api_key"]
    assert [await status_of(each) for each in (ann, new, holding(admin, newest))] == [401, 401, 200]
    refused = await new.get("/auth/api-keys/current", key=True)
    assert "old secret" in refused.json()["detail"]


async def test_one_rotates_ones_own_key_but_not_with_the_old_secret(admin: Client) -> None:
    """
    Who found a secret that was rotated away cannot take the key over with it.
    """
    ann = await admin.with_key("ann")
    path = "/auth/api-keys/current/rotate"
    new = holding(admin, (await ann.post("{}", path=path)).json()["api_key"])
    refused = await ann.post("{}", path=path)
    assert (refused.status_code, "old secret" in refused.json()["detail"]) == (403, True)
    assert (await new.post("{}", path=path)).status_code == 200


async def test_a_rotation_under_one_idempotency_key_is_one(admin: Client) -> None:
    """
    However often and at once it is asked for, there is one new secret and one event.
    """
    ann = await admin.with_key("ann")
    path = f"/auth/api-keys/{ann.key[6:18]}/rotate"
    answers = await asyncio.gather(
        *(admin.post("{}", path=path, idempotency_key="same") for _ in range(8))
    )
    assert len({answer.json()["api_key"] for answer in answers}) == 1
    assert await status_of(ann) == 200
    events = await admin.get(f"/audit/events?action=key_rotated&target={ann.key[6:18]}", key=True)
    assert len(events.json()["events"]) == 1


@pytest.mark.parametrize(("grace_hours", "status"), [(1, 200), (0, 401)])
async def test_a_rotation_without_grace_ends_what_the_old_secret_opened(
    admin: Client, grace_hours: int, status: int
) -> None:
    """
    A browser that logged in with a key that leaked is logged out, unless there is a grace.
    """
    ann = await admin.with_key("ann")
    login = await admin.http.post(
        "/login",
        content=f"key={ann.key}",
        headers={
            "origin": "http://localhost",
            "content-type": "application/x-www-form-urlencoded",
        },
    )
    cookie = login.headers["set-cookie"].partition(";")[0]
    assert (await admin.get("/prompts", cookie=cookie)).status_code == 200
    body = json.dumps({"grace_hours": grace_hours})
    await admin.post(body, path=f"/auth/api-keys/{ann.key[6:18]}/rotate")
    assert (await admin.get("/prompts", cookie=cookie)).status_code == status


async def test_a_disabled_key_is_refused_until_it_is_enabled(admin: Client) -> None:
    """
    It is told so, cannot be rotated meanwhile, and comes back as it was.
    """
    ann = await admin.with_key("ann")
    path = f"/auth/api-keys/{ann.key[6:18]}"
    disabled = await admin.post("", path=f"{path}/disable")
    assert disabled.json()["status"] == "disabled"
    assert "disabled" in (await ann.get("/prompts", key=True)).json()["detail"]
    refused = await admin.post("{}", path=f"{path}/rotate")
    assert (refused.status_code, refused.json()["code"]) == (409, "api_key.not_rotatable")
    assert (await admin.post("", path=f"{path}/enable")).json()["status"] == "active"
    assert await status_of(ann) == 200


async def test_the_last_admin_key_is_not_disabled(admin: Client) -> None:
    """
    Nobody locks themselves out of the server.
    """
    answer = await admin.post("", path="/auth/api-keys/admin0000000/disable")
    assert (answer.status_code, answer.json()["code"]) == (409, "api_key.last_admin")


@pytest.mark.parametrize(
    "body", [{"grace_hours": -1}, {"grace_hours": 721}, {"grace_hours": "1"}, {"grace": 1}]
)
async def test_strange_rotations_are_refused(admin: Client, body: dict[str, object]) -> None:
    """
    With what is wrong; the secret stays.
    """
    ann = await admin.with_key("ann")
    path = f"/auth/api-keys/{ann.key[6:18]}/rotate"
    assert (await admin.post(json.dumps(body), path=path)).status_code == 422
    assert await status_of(ann) == 200


async def test_no_secret_of_a_rotation_is_on_the_disk(admin: Client, tmp_path: Path) -> None:
    """
    Not even the answer that is kept for who asks again.
    """
    ann = await admin.with_key("ann")
    path = f"/auth/api-keys/{ann.key[6:18]}/rotate"
    new = (await admin.post("{}", path=path, idempotency_key="same")).json()["api_key"]
    written = b"".join(map(Path.read_bytes, _files(tmp_path / "var")))
    for secret in (ann.key[19:], new[19:]):
        assert secret.encode() not in written


def _files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_key_that_is_bound_to_networks_hands_on_no_more(admin: Client) -> None:
    """
    It is made, shown and obeyed; it makes and rotates keys within its networks and no others.
    """
    wish = {"user_id": "ann", "scope": "admin", "networks": ["127.0.0.0/8", "2001:db8::/32"]}
    made = (await admin.post(json.dumps(wish), path="/auth/api-keys")).json()
    ann = holding(admin, made["api_key"])
    shown = (await ann.get("/auth/api-keys/current", key=True)).json()
    assert shown["networks"] == made["networks"] == wish["networks"]
    for networks, status in ((["127.0.0.1"], 201), ([], 403), (["0.0.0.0/0"], 403)):
        wish = {"user_id": "bob", "networks": networks}
        assert (await ann.post(json.dumps(wish), path="/auth/api-keys")).status_code == status
    refused = await ann.post("{}", path="/auth/api-keys/admin0000000/rotate")
    assert (refused.status_code, refused.json()["code"]) == (403, "api_key.scope_not_grantable")
    assert (await ann.post("{}", path=f"/auth/api-keys/{made['key_id']}/rotate")).status_code == 200


async def test_a_key_elsewhere_is_refused_and_the_trail_says_so(admin: Client) -> None:
    """
    The refusal names the key and its reason; what was wished for wrongly is told without quoting.
    """
    wish = {"user_id": "ann", "networks": ["10.0.0.0/8"]}
    made = (await admin.post(json.dumps(wish), path="/auth/api-keys")).json()
    refused = await holding(admin, made["api_key"]).get("/prompts", key=True)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.foreign_network")
    path = f"/audit/events?key_id={made['key_id']}"
    (event,) = (await admin.get(path, key=True)).json()["events"]
    assert (event["action"], event["outcome"]) == ("prompts_listed", "network")
    wrong = {"user_id": "ann", "networks": ["10.0.0.1/8"]}
    answer = await admin.post(json.dumps(wrong), path="/auth/api-keys")
    assert (answer.status_code, "10.0.0.1/8" in answer.text) == (422, False)


async def test_keys_that_end_soon_are_listed_and_counted(admin: Client) -> None:
    """
    By a span of time, for all users or one; and among the metrics, by state and what is left.
    """
    for user, hours in (("ann", 24), ("bob", 48), ("ann", 999)):
        wish = {"user_id": user, "ttl_hours": hours}
        await admin.post(json.dumps(wish), path="/auth/api-keys")
    found = []
    for query in ("expiring=2d", "expiring=2d&user_id=ann", "expiring=1h", "expiring=42d"):
        listed = (await admin.get(f"/auth/api-keys?{query}", key=True)).json()["api_keys"]
        found.append([each["user_id"] for each in listed])
    assert found == [["ann", "bob"], ["ann"], [], ["ann", "bob", "ann"]]
    assert (await admin.get("/auth/api-keys?expiring=soon", key=True)).status_code == 422
    await admin.app.wiring.key_watch.look()
    metrics = (await admin.get("/metrics", key=True)).text
    assert 'ctxfy_api_keys{expires="endless",state="active"} 1.0' in metrics
    assert 'ctxfy_api_keys{expires="7d",state="active"} 1.0' in metrics


async def test_what_a_key_is_used_for_is_told_by_day(admin: Client) -> None:
    """
    Requests, refusals, bytes and rendering, with the next batch; an erased person's go.
    """
    ann = await admin.with_key("ann")
    path = "/prompts/greet/execute"
    body = json.dumps({"arguments": {"who": "Ann"}})
    answers = [await ann.post(body, path=path), await ann.get("/auth/api-keys", key=True)]
    assert [answer.status_code for answer in answers] == [200, 403]
    await admin.app.wiring.keys.flush()
    usage = f"/auth/api-keys/{ann.key[6:18]}/usage"
    told = (await admin.get(f"{usage}?days=1", key=True)).json()
    total = told["total"]
    sizes = sum(len(answer.content) for answer in answers)
    assert (total["requests"], total["refusals"]) == (2, 1)
    assert (total["bytes_in"], total["bytes_out"]) == (len(body), sizes)
    assert total["render_ms"] > 0
    assert [each["requests"] for each in told["days"]] == [2]
    await ann.get("/prompts", key=True)
    await admin.http.delete("/privacy/users/ann", headers={"x-api-key": admin.key})
    await admin.app.wiring.keys.flush()
    assert (await admin.get(usage, key=True)).json()["days"] == []
    for query, status in (("days=0", 422), ("days=9999", 422), ("dais=1", 422)):
        assert (await admin.get(f"{usage}?{query}", key=True)).status_code == status
    missing = await admin.get("/auth/api-keys/nobody000000/usage", key=True)
    assert missing.status_code == 404


async def test_a_key_of_the_settings_is_like_any_other(tmp_path: Path) -> None:
    """
    It is audited and counted, says where it lives, opens no session, and is another admin.
    """
    key = compose_key(KeyId("static000000"), b"x" * 32)
    entry = {
        "key_id": "static000000",
        "digest": HmacKeyMaterial({1: b"p" * 32}, bytes).static_digest(key),
        "user_id": "ci",
        "scope": "admin",
        "networks": ["127.0.0.0/8"],
    }
    auth = AuthSettings.model_validate(
        {"bootstrap_key": ADMIN_KEY, "static_keys": json.dumps([entry])}
    )
    async with running(create_app(settings_in(tmp_path, auth=auth))) as admin:
        static = holding(admin, key)
        told = (await static.get("/auth/api-keys/current", key=True)).json()
        assert (told["user_id"], told["networks"]) == ("ci", ["127.0.0.0/8"])
        path = "/auth/api-keys/static000000"
        refused = await admin.http.delete(path, headers={"x-api-key": admin.key})
        assert (refused.status_code, refused.json()["code"]) == (409, "api_key.static")
        events = await admin.get("/audit/events?key_id=static000000", key=True)
        assert [each["action"] for each in events.json()["events"]] == ["key_identified"]
        await admin.app.wiring.keys.flush()
        usage = (await admin.get(f"{path}/usage", key=True)).json()
        assert usage["total"]["requests"] == 1
        origin = {"origin": "http://localhost"}
        login = await admin.http.post("/login", data={"key": key}, headers=origin)
        assert (login.status_code, "static_keys" in login.text) == (409, True)
        path = "/auth/api-keys/admin0000000"
        gone = await admin.http.delete(path, headers={"x-api-key": key})
        assert gone.status_code == 204
