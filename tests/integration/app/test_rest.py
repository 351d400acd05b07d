"""
REST over the whole application: prompts and keys, and what is refused.
"""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from ctxfy.app.main import create_app
from ctxfy.app.rest import build_rest, rest_handlers
from ctxfy.app.routes import REST
from ctxfy.core.models.auth_models import KeyId, Scope
from tests.integration.app.app_kit import Client, running, settings_in


CANARY = "hunter2-a-value-that-nobody-may-see"


async def ask(
    client: Client, method: str, path: str, body: object = None, **query: str | int
) -> httpx2.Response:
    """
    Send one request with the client's key.
    """
    headers = {"authorization": f"Bearer {client.key}"}
    if body is None:
        return await client.http.request(method, path, headers=headers, params=query or None)
    return await client.http.request(method, path, headers=headers, params=query, json=body)


def problem(answer: httpx2.Response) -> tuple[int, str]:
    """
    Take status and code out of a refusal, after a look at its shape.
    """
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= body.keys()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, body["code"]


async def names(client: Client, **query: str | int) -> list[str]:
    """
    List the names of the prompts on one page.
    """
    return [
        item["name"] for item in (await ask(client, "GET", "/prompts", **query)).json()["prompts"]
    ]


async def test_prompts_are_listed_with_what_they_take(server: Client) -> None:
    """
    By name, each in the version that is served, for admins also what only they see.
    """
    answer = await ask(server, "GET", "/prompts")
    body = answer.json()
    assert [item["name"] for item in body["prompts"]] == [
        "broken", "code-review", "greet", "secret-plan",
    ]  # fmt: skip
    assert body["next_cursor"] is None
    greet = body["prompts"][2]
    assert (greet["version"], greet["versions"]) == ("2.0.0", ["2.0.0", "1.0.0"])
    assert (greet["owner"], greet["tags"], greet["model"], greet["scope"]) == (
        "platform-team", ["demo"], "some-model", "read",
    )  # fmt: skip
    tone = greet["arguments"][1]
    assert (tone["type"], tone["choices"], tone["default"]) == ("enum", ["warm", "cool"], "warm")


async def test_prompts_come_in_pages_and_by_tag_and_text(server: Client) -> None:
    """
    The cursor of one page leads to the next.
    """
    first = (await ask(server, "GET", "/prompts", limit=3)).json()
    second = (await ask(server, "GET", "/prompts", limit=3, cursor=first["next_cursor"])).json()
    assert [item["name"] for item in second["prompts"]] == ["secret-plan"]
    assert second["next_cursor"] is None
    assert await names(server, tag="demo") == ["greet"]
    assert await names(server, q="GREETING") == ["greet"]
    assert await names(server, tag="demo", q="review") == []


async def test_a_prompt_is_shown_in_full_but_for_its_text(server: Client) -> None:
    """
    With schema, changes and digest; the older version under its own number.
    """
    answer = await ask(server, "GET", "/prompts/greet")
    body = answer.json()
    assert body["schema"]["required"] == ["who"]
    assert body["changes"] == [
        {"version": "2.0.0", "changes": ""},
        {"version": "1.0.0", "changes": ""},
    ]
    assert len(body["digest"]) == 64
    assert "Say hello" not in answer.text
    old = await ask(server, "GET", "/prompts/greet", version="1.0.0")
    assert (old.json()["version"], old.json()["digest"] != body["digest"]) == ("1.0.0", True)
    assert (await ask(server, "HEAD", "/prompts/greet")).status_code == 200


async def test_a_prompt_is_executed(server: Client) -> None:
    """
    Messages in MCP's shape, their text, and where it came from.
    """
    answer = await ask(
        server, "POST", "/prompts/greet/execute", {"arguments": {"who": "Ada", "times": 2}}
    )
    body = answer.json()
    assert body.pop("execution_time_ms") > 0
    assert body.pop("request_id") == answer.headers["x-request-id"]
    assert body == {
        "template_id": "greet",
        "version": "2.0.0",
        "llm_model": "some-model",
        "messages": [
            {
                "role": "user",
                "content": {"type": "text", "text": "Say hello to Ada, warm, 2 times."},
            },
            {"role": "assistant", "content": {"type": "text", "text": "To Ada."}},
        ],
        "result": "Say hello to Ada, warm, 2 times.\n\nTo Ada.",
    }
    old = {"arguments": {"who": "Ada"}, "version": "1.0.0"}
    answer = await ask(server, "POST", "/prompts/greet/execute", old)
    assert answer.json()["result"].startswith("Hail to Ada")


async def test_every_wrong_argument_is_told_at_once(server: Client) -> None:
    """
    422 with field, message and code of each, and no value.
    """
    wrong = {"times": CANARY, "tone": CANARY, "colour": CANARY}
    answer = await ask(server, "POST", "/prompts/greet/execute", {"arguments": wrong})
    assert problem(answer) == (422, "prompt.invalid_arguments")
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [
        ("who", "missing"), ("tone", "invalid_choice"), ("times", "wrong_type"),
        ("colour", "unknown"),
    ]  # fmt: skip
    assert CANARY not in answer.text


async def test_a_template_that_fails_is_422(server: Client) -> None:
    """
    Without the engine's words.
    """
    answer = await ask(server, "POST", "/prompts/broken/execute", {"arguments": {"n": 0}})
    assert problem(answer) == (422, "prompt.render_failed")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/prompts/nope", None),
        ("GET", "/prompts/greet?version=9", None),
        ("GET", "/prompts/execute", None),
        ("POST", "/prompts/nope/execute", {}),
        ("POST", "/prompts/greet/execute", {"version": "9"}),
    ],
)
async def test_an_unknown_prompt_is_404(
    server: Client, method: str, path: str, body: object
) -> None:
    """
    By name or by version.
    """
    assert problem(await ask(server, method, path, body)) == (404, "prompt.not_found")


async def test_what_a_key_may_not_use_does_not_exist_for_it(server: Client) -> None:
    """
    Not in lists, not by name, not to execute; nor is the answer another than for what is nowhere.
    """
    reader = await server.with_key("ann")
    narrow = await server.with_key("bob", prompts=("code-*",))
    assert await names(reader) == ["broken", "code-review", "greet"]
    assert await names(narrow) == ["code-review"]
    for client, name in ((reader, "secret-plan"), (narrow, "greet")):
        for method, path in (("GET", f"/prompts/{name}"), ("POST", f"/prompts/{name}/execute")):
            hidden = await ask(client, method, path, {} if method == "POST" else None)
            absent_path = path.replace(name, "nope")
            absent = await ask(client, method, absent_path, {} if method == "POST" else None)
            assert problem(hidden) == problem(absent) == (404, "prompt.not_found")
            assert hidden.json()["detail"] == absent.json()["detail"].replace("nope", name)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/auth/api-keys", None),
        ("POST", "/auth/api-keys", {"user_id": "eve", "scope": "admin"}),
        ("GET", "/auth/api-keys/admin0000000", None),
        ("DELETE", "/auth/api-keys/admin0000000", None),
        ("GET", "/auth/api-keys/000000000000", None),
        ("DELETE", "/auth/api-keys/current", None),
    ],
)
async def test_keys_are_for_whole_admin_keys(
    server: Client, method: str, path: str, body: object
) -> None:
    """
    Whoever has less learns nothing of other keys, not even which there are.
    """
    for client in (
        await server.with_key("ann"),
        await server.with_key("bob", scope=Scope.WRITE),
        await server.with_key("cyd", scope=Scope.ADMIN, prompts=("code-*",)),
    ):
        assert problem(await ask(client, method, path, body)) == (403, "access.not_authorized")


async def test_a_key_is_created_shown_and_revoked(server: Client) -> None:
    """
    The secret is in the first answer and in no other, the digest in none.
    """
    wish = {
        "user_id": "dee", "scope": "write", "ttl_hours": 2, "name": "laptop",
        "prompts": ["code-*"], "rate_limit": "5/minute",
    }  # fmt: skip
    made = await ask(server, "POST", "/auth/api-keys", wish)
    body = made.json()
    key = body.pop("api_key")
    assert made.status_code == 201
    assert made.headers["location"] == f"/auth/api-keys/{body['key_id']}"
    assert {name: body[name] for name in wish if name != "ttl_hours"} == {
        name: value for name, value in wish.items() if name != "ttl_hours"
    }
    shown = await ask(server, "GET", made.headers["location"])
    assert shown.json() == body
    listed = await ask(server, "GET", "/auth/api-keys", user_id="dee")
    assert listed.json() == {"api_keys": [body], "next_cursor": None}
    info = await server.app.wiring.keys.find_api_key(KeyId(body["key_id"]))
    for answer in (made, shown, listed):
        assert info.api_key not in answer.text
    assert key not in shown.text + listed.text
    dee = Client(app=server.app, http=server.http, key=key)
    assert await names(dee) == ["code-review"]
    for _ in range(2):
        revoked = await ask(server, "DELETE", made.headers["location"])
        assert (revoked.status_code, revoked.content) == (204, b"")
    assert problem(await ask(dee, "GET", "/prompts")) == (401, "access.not_authenticated")
    assert (await ask(server, "GET", made.headers["location"])).json()["status"] == "revoked"


async def test_a_key_is_told_about_itself(server: Client) -> None:
    """
    Whatever its scope, and narrowed or not; nothing of any other.
    """
    narrow = await server.with_key("fay", prompts=("code-*",))
    answer = await ask(narrow, "GET", "/auth/api-keys/current")
    assert answer.json() == {
        "key_id": narrow.key[6:18], "user_id": "fay", "name": "", "scope": "read",
        "prompts": ["code-*"], "networks": [], "rate_limit": None, "expires_at": None,
        "credential": "key",
    }  # fmt: skip


async def test_keys_come_in_pages(tmp_path: Path) -> None:
    """
    Oldest first, each once, also those of one user.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        made = [(await client.with_key("ann")).key[6:18] for _ in range(4)]
        found: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while True:
            page = (await ask(client, "GET", "/auth/api-keys", **query)).json()
            found += [item["key_id"] for item in page["api_keys"]]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert (found[0], sorted(found[1:])) == ("admin0000000", sorted(made))
        nobody = await ask(client, "GET", "/auth/api-keys", user_id="nobody")
        assert nobody.json() == {"api_keys": [], "next_cursor": None}


async def test_the_last_admin_key_stays(tmp_path: Path) -> None:
    """
    409, until there is another that can do as much.
    """
    async with running(create_app(settings_in(tmp_path))) as client:
        last = await ask(client, "DELETE", "/auth/api-keys/admin0000000")
        assert problem(last) == (409, "api_key.last_admin")
        await client.with_key("ann", scope=Scope.ADMIN)
        gone = await ask(client, "DELETE", "/auth/api-keys/admin0000000")
        assert gone.status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/auth/api-keys/000000000000"),
        ("DELETE", "/auth/api-keys/000000000000"),
    ],
)
async def test_an_unknown_key_is_404(server: Client, method: str, path: str) -> None:
    """
    To show and to revoke.
    """
    assert problem(await ask(server, method, path)) == (404, "api_key.not_found")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "user_id", "missing"),
        ({"user_id": 1}, "user_id", "wrong_type"),
        ({"user_id": "ann", "scope": CANARY}, "scope", "invalid_choice"),
        ({"user_id": "ann", "scope": 1}, "scope", "invalid_choice"),
        ({"user_id": "ann", "ttl_hours": CANARY}, "ttl_hours", "wrong_type"),
        ({"user_id": "ann", "ttl_hours": 1.5}, "ttl_hours", "wrong_type"),
        ({"user_id": "ann", "ttl_hours": True}, "ttl_hours", "wrong_type"),
        ({"user_id": "ann", "prompts": CANARY}, "prompts", "wrong_type"),
        ({"user_id": "ann", "prompts": [1]}, "prompts.0", "wrong_type"),
        ({"user_id": "ann", "prompts": ["a"] * 51}, "prompts", "too_long"),
        ({"user_id": "ann", "rate_limit": CANARY}, "rate_limit", "pattern"),
        ({"user_id": "ann", "key_id": CANARY}, "key_id", "unknown"),
        ({"user_id": "ann", "api_key": CANARY}, "api_key", "unknown"),
        ({"user_id": "ann", "status": CANARY}, "status", "unknown"),
    ],
)
async def test_a_wish_of_another_shape_is_422(
    server: Client, body: object, field: str, code: str
) -> None:
    """
    With its field; fields that are not for the caller to set are unknown; no value comes back.
    """
    answer = await ask(server, "POST", "/auth/api-keys", body)
    assert problem(answer) == (422, "request.invalid")
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_id": " "},
        {"user_id": f"{CANARY}\n"},
        {"ttl_hours": 0},
        {"ttl_hours": 10**30},
        {"prompts": []},
        {"prompts": [f"{CANARY}/"]},
        {"name": f"{CANARY}\x00"},
        {"rate_limit": "0/minute"},
    ],
    ids=str,
)
async def test_a_wish_that_nobody_is_granted_is_422(
    server: Client, wrong: dict[str, object]
) -> None:
    """
    By the same rules as on the command line, and without quoting anything.
    """
    answer = await ask(server, "POST", "/auth/api-keys", {"user_id": "ann"} | wrong)
    assert problem(answer) == (422, "api_key.invalid_request")
    assert CANARY not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/prompts?limit=0",
        "/prompts?limit=501",
        f"/prompts?limit={CANARY}",
        f"/prompts?cursor={CANARY}",
        f"/prompts?tags={CANARY}",
        f"/prompts?q={CANARY * 20}",
        f"/prompts/greet?v={CANARY}",
        "/auth/api-keys?limit=0",
        f"/auth/api-keys?cursor={CANARY}",
        f"/auth/api-keys?user={CANARY}",
        f"/auth/api-keys/{CANARY}",
    ],
    ids=lambda path: path[:40],
)
async def test_a_strange_query_is_422(server: Client, path: str) -> None:
    """
    Also a parameter that is not known: a misspelt filter must not show everything.
    """
    answer = await ask(server, "GET", path)
    assert problem(answer) == (422, "request.invalid")
    assert CANARY not in answer.text


async def test_a_whole_key_in_an_address_is_not_given_back(server: Client) -> None:
    """
    Neither to show nor to revoke; and it revokes nothing.
    """
    ann = await server.with_key("ann")
    for method in ("GET", "DELETE"):
        answer = await ask(server, method, f"/auth/api-keys/{ann.key}")
        assert problem(answer) == (422, "request.invalid")
        assert ann.key not in answer.text
    assert (await ask(ann, "GET", "/prompts")).status_code == 200


async def test_bodies_that_are_no_json(server: Client) -> None:
    """
    400 for another text, 415 for another type, 413 for too much: all as problems.
    """
    for path in ("/prompts/greet/execute", "/auth/api-keys"):
        text = await server.post("{nope", path=path)
        form = await server.post("a=b", path=path, content_type="application/x-www-form-urlencoded")
        large = await server.post(b" " * 100_001, path=path)
        assert problem(text) == (400, "request.malformed_body")
        assert problem(form) == (415, "request.unsupported_media_type")
        assert problem(large) == (413, "request.body_too_large")


async def test_other_methods_and_slashes_are_refused(server: Client) -> None:
    """
    405 names what there is, 404 what is nowhere; nothing redirects.
    """
    wrong = await ask(server, "PUT", "/auth/api-keys/current")
    assert problem(wrong) == (405, "request.method_not_allowed")
    assert wrong.headers["allow"] == "DELETE, GET"
    for path in ("/prompts/", "/auth/api-keys/", "/auth", "/docs/", "/redoc"):
        assert problem(await ask(server, "GET", path)) == (404, "request.not_found")


async def test_a_route_is_counted_by_its_template(
    server: Client,
) -> None:
    """
    Neither names of prompts nor ids of keys become labels.
    """
    await ask(server, "GET", "/prompts/greet")
    text = (await server.get("/metrics", key=True)).text
    assert 'endpoint="/prompts/{name}"' in text
    assert 'endpoint="/prompts/greet"' not in text


async def test_prompts_are_reloaded_and_the_difference_is_told(tmp_path: Path) -> None:
    """
    What came, what went, what is another; a folder with a mistake is 422 with every place.
    """
    settings = settings_in(tmp_path)
    folder = settings.prompts.folder
    async with running(create_app(settings)) as client:
        writer = await client.with_key("ann", scope=Scope.WRITE)
        (folder / "new.prompt.md").write_text("---\ndescription: d\n---\nHi\n")
        answer = await ask(writer, "POST", "/prompts/reload")
        assert (answer.status_code, answer.json()["added"]) == (200, ["new"])
        assert (await ask(writer, "GET", "/prompts/new")).status_code == 200
        (folder / "new.prompt.md").write_text("Hi\n")
        refused = await ask(writer, "POST", "/prompts/reload")
        assert problem(refused) == (422, "prompt.catalog")
        assert refused.json()["errors"][0]["path"] == "new.prompt.md"
        assert (await ask(writer, "GET", "/prompts/new")).status_code == 200


async def test_reloading_is_for_writers(server: Client) -> None:
    """
    A key that may only read is refused, and a prompt called `reload` stays reachable.
    """
    reader = await server.with_key("ann")
    assert problem(await ask(reader, "POST", "/prompts/reload")) == (403, "access.not_authorized")
    assert problem(await ask(reader, "GET", "/prompts/reload")) == (404, "prompt.not_found")


def test_the_handlers_are_those_of_the_table(tmp_path: Path) -> None:
    """
    REST is made after the start, so what is wrong with it must show here: paths, methods, handlers.
    """
    wiring = create_app(settings_in(tmp_path)).wiring
    handlers = rest_handlers(wiring)
    assert {path for path, _ in handlers} == set(REST)
    registered = build_rest(wiring.policies, handlers).routes
    assert len(registered) == len(handlers)
