"""
What real clients sent, replayed: some of them are too heavy to install for a test.

`tests/data/client-traffic.jsonl` has one exchange a line: the client, its request as it was sent
(with `{KEY}` or `{WRONG}` where a key was), and the status that another server answered.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from ctxfy.app.config import ServerSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key
from tests.integration.app.app_kit import ADMIN_KEY, Client, message_of, running, settings_in


type Exchange = dict[str, Any]

RECORDED = Path(__file__).parents[2] / "data" / "client-traffic.jsonl"
EXCHANGES: list[Exchange] = [json.loads(line) for line in RECORDED.read_text().splitlines()]
CONVERSATIONS = {name: list(said) for name, said in groupby(EXCHANGES, lambda each: each["client"])}
REFUSED = [name for name in CONVERSATIONS if name.endswith(" key")]
SERVED = [name for name in CONVERSATIONS if name not in REFUSED]

REVIEW = """\
---
arguments:
  language: {required: true, complete: [python, go, rust]}
---
Review this {{ language }} code.
"""
WRONG_KEY = compose_key(KeyId("nobody000000"), b"n" * 32)


EXPRESS = {
    "completion/complete",
    "initialize",
    "ping",
    "prompts/get",
    "prompts/list",
    "server/discover",
}


@pytest.fixture(scope="module", params=[True, False], ids=["express", "fastmcp"])
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """
    Serve the one prompt that the recorded clients asked for, by either lane.
    """
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder, server=ServerSettings(express_lane=request.param))
    for file in settings.prompts.folder.iterdir():
        file.unlink()
    (settings.prompts.folder / "review.prompt.md").write_text(REVIEW)
    async with running(create_app(settings)) as client:
        yield client


def headers_of(exchange: Exchange) -> list[tuple[str, str]]:
    """
    Put the keys back.
    """
    return [
        (name, value.replace("{KEY}", ADMIN_KEY).replace("{WRONG}", WRONG_KEY))
        for name, value in exchange["headers"]
    ]


async def first_of_stream(server: Client, exchange: Exchange) -> Any:  # noqa: ANN401 - JSON
    """
    Open a stream that does not end by itself, and hang up after its first event.
    """
    heard = asyncio.Queue[Message]()
    body = [{"type": "http.request", "body": exchange["body"].encode(), "more_body": False}]
    hung_up = asyncio.Event()

    async def receive() -> Message:
        if body:
            return body.pop()
        await hung_up.wait()
        return {"type": "http.disconnect"}

    named = [("host", "localhost"), *headers_of(exchange)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": exchange["method"],
        "path": exchange["path"],
        "raw_path": exchange["path"].encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in named],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
    }
    served = asyncio.create_task(server.app(scope, receive, heard.put))
    async with asyncio.timeout(20):
        start = await heard.get()
        text = ""
        while "data:" not in text or not text.endswith("\n\n"):
            text += (await heard.get())["body"].decode().replace("\r\n", "\n")
        hung_up.set()
        await served
    assert start["status"] == exchange["status"]
    (line,) = [line for line in text.splitlines() if line.startswith("data:")]
    return json.loads(line.removeprefix("data:"))


def judge(asked: dict[str, Any], message: Any) -> None:  # noqa: ANN401 - JSON
    """
    Hold an answer to what the client needs of it.
    """
    params, result = asked.get("params", {}), message.get("result")
    assert message["id"] == asked["id"]
    match asked["method"]:
        case "initialize":
            assert result["protocolVersion"] == params["protocolVersion"]
            assert "prompts" in result["capabilities"]
        case "server/discover":
            assert "2026-07-28" in result["supportedVersions"]
            assert "prompts" in result["capabilities"]
        case "prompts/list":
            assert [prompt["name"] for prompt in result["prompts"]] == ["review"]
        case "prompts/get" if params.get("arguments"):
            (said,) = result["messages"]
            assert said["content"]["text"] == "Review this rust code."
        case "prompts/get":
            (mistake,) = message["error"]["data"]["errors"]
            assert (mistake["field"], mistake["code"]) == ("language", "missing")
        case "completion/complete":
            assert result["completion"]["values"] == ["go"]
        case "tools/list":
            assert result["tools"] == []
        case _:
            assert asked["method"] in {"ping", "logging/setLevel"}
            assert result == {}


async def answered_by(server: Client, lane: str) -> int:
    """
    How many requests a lane has answered, as the metrics tell.
    """
    text = (await server.get("/metrics", key=True)).text
    lines = [line for line in text.splitlines() if line.startswith("ctxfy_mcp_lane_total{")]
    return sum(int(float(line.split()[-1])) for line in lines if f'"{lane}"' in line)


@pytest.mark.parametrize("client", SERVED)
async def test_what_a_client_sent_is_answered(server: Client, client: str) -> None:
    """
    The handshake and everything after it succeed, as far as they did where they were recorded; all
    of it that is the express lane's is answered by it, if it is on.
    """
    lane_is_on = server.app.wiring.settings.server.express_lane
    before, expected = await answered_by(server, "express"), 0
    for exchange in CONVERSATIONS[client]:
        asked = json.loads(exchange["body"] or "{}")
        if asked.get("method") == "subscriptions/listen":
            first = await first_of_stream(server, exchange)
            assert first["method"] == "notifications/subscriptions/acknowledged"
            continue
        answer = await server.http.request(
            exchange["method"],
            exchange["path"],
            headers=headers_of(exchange),
            content=exchange["body"],
        )
        assert answer.status_code == exchange["status"], answer.text
        if "id" in asked:
            judge(asked, message_of(answer))
            expected += lane_is_on and asked["method"] in EXPRESS
    assert await answered_by(server, "express") == before + expected


@pytest.mark.parametrize("client", REFUSED)
async def test_a_client_that_is_refused_learns_why(server: Client, client: str) -> None:
    """
    A sentence with the 401 and no way to an OAuth server; what it looks for there is a JSON 404.
    """
    for exchange in CONVERSATIONS[client]:
        answer = await server.http.request(
            exchange["method"],
            exchange["path"],
            headers=headers_of(exchange),
            content=exchange["body"],
        )
        assert answer.status_code == exchange["status"]
        assert answer.headers["content-type"] == "application/json"
        if exchange["path"] == "/mcp":
            assert "API key" in answer.json()["error"]["message"]
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert "resource_metadata" not in answer.headers["www-authenticate"]
        else:
            assert answer.json() == {"error": "not_found"}


def test_the_recording_names_no_key_and_no_machine() -> None:
    """
    Credentials are placeholders, and there is no path, address or host of whoever recorded.
    """
    for exchange in EXCHANGES:
        named = dict(exchange["headers"])
        assert named.get("authorization") in {None, "Bearer {KEY}", "Bearer {WRONG}"}
        assert not {"host", "cookie", "x-api-key", "x-forwarded-for"} & set(named)
    text = RECORDED.read_text()
    assert not [word for word in ("/home/", "/root", "127.0.0.1") if word in text]
