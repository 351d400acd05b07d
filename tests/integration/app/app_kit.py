"""
What the tests of the whole application share: prompts in a folder, a server around them without a
socket, and a client that speaks both wires of MCP.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from starlette.types import Message

from ctxfy.app.auth_settings import AuthSettings
from ctxfy.app.config import (
    LoggingSettings,
    PromptsSettings,
    ServerSettings,
    Settings,
)
from ctxfy.app.main import CtxfyApp
from ctxfy.app.storage_settings import StorageSettings
from ctxfy.core.models.auth_models import KeyId, Scope
from ctxfy.core.use_cases.auth_use_cases import compose_key


ADMIN_KEY = compose_key(KeyId("admin0000000"), b"a" * 32)

GREET = """\
---
title: Greet somebody
description: Writes a greeting.
version: 2.0.0
owner: platform-team
model: some-model
tags: [demo]
arguments:
  who: {description: Whom, required: true, max_length: 40}
  tone: {description: How, enum: [warm, cool], default: warm}
  times: {description: How often, type: integer, default: 1}
---
Say hello to {{ who }}, {{ tone }}, {{ times }} times.
<!-- @assistant -->
To {{ who }}.
"""
OLD_GREET = GREET.replace("2.0.0", "1.0.0").replace("Say hello", "Hail")
SECRET_PLAN = "---\nscope: admin\n---\nThe plan.\n"
CODE_REVIEW = "---\narguments: {code: {required: true}}\n---\nReview {{ code }}\n"
BROKEN = "---\narguments: {n: {required: true, type: integer}}\n---\n{{ 1 // n }}\n"
PROMPTS = {
    "greet.prompt.md": GREET,
    "greet-1.prompt.md": OLD_GREET.replace("---\n", "---\nname: greet\n", 1),
    "secret-plan.prompt.md": SECRET_PLAN,
    "code-review.prompt.md": CODE_REVIEW,
    "broken.prompt.md": BROKEN,
}


def write_prompts(folder: Path, prompts: Mapping[str, str] = PROMPTS) -> Path:
    """
    Write prompt files into a folder of the given one.
    """
    place = folder / "prompts"
    place.mkdir(parents=True, exist_ok=True)
    for name, text in prompts.items():
        (place / name).write_text(text)
    return place


def settings_in(folder: Path, **sections: Any) -> Settings:  # noqa: ANN401 - one of each section
    """
    Make settings under which everything lies in the folder, and there is an admin key.
    """
    given: dict[str, Any] = {
        "auth": AuthSettings.model_validate({"bootstrap_key": ADMIN_KEY}),
        "logging": LoggingSettings(format="json"),
        "prompts": PromptsSettings(folder=write_prompts(folder)),
        "server": ServerSettings(max_body_bytes=100_000),
        "storage": StorageSettings(url=f"sqlite:///{folder}/var/ctxfy.db"),
    }
    return Settings(**{**given, **sections})


@asynccontextmanager
async def running(app: CtxfyApp) -> AsyncGenerator["Client"]:
    """
    Run an application's lifespan around a client of it.

    Raises:
        CtxfyError: It did not start.
    """
    incoming, outgoing = asyncio.Queue[Message](), asyncio.Queue[Message]()
    task = asyncio.create_task(app({"type": "lifespan"}, incoming.get, outgoing.put))
    await incoming.put({"type": "lifespan.startup"})
    said = asyncio.create_task(outgoing.get())
    await asyncio.wait((task, said), timeout=20, return_when=asyncio.FIRST_COMPLETED)
    if not said.done() or said.result()["type"] != "lifespan.startup.complete":
        await task
        assert app.startup_error is not None
        raise app.startup_error
    transport = httpx2.ASGITransport(app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Client(app=app, http=http)
    finally:
        await incoming.put({"type": "lifespan.shutdown"})
        await task


async def health_says(client: "Client", check: str, status: str) -> dict[str, Any]:
    """
    Wait until health says so of a part, since it looks every two seconds, and return all it says.
    """
    async with asyncio.timeout(20):
        while True:
            found = (await client.get("/health", key=True)).json()["checks"][check][0]
            if found["status"] == status:
                return dict(found)
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """
    Speaks to a running application.
    """

    app: CtxfyApp
    http: httpx2.AsyncClient
    key: str = ADMIN_KEY

    async def with_key(
        self, user: str, *, scope: Scope = Scope.READ, prompts: Sequence[str] = ("*",)
    ) -> "Client":
        """
        Make a client with a new key.
        """
        key = await self.app.wiring.keys.create_api_key(user, scope=scope, prompts=prompts)
        return Client(app=self.app, http=self.http, key=key)

    async def get(self, path: str, *, key: bool = False, **headers: str) -> httpx2.Response:
        """
        GET something.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.get(path, headers=named | (self._credential if key else {}))

    async def post(
        self, content: bytes | str | AsyncIterable[bytes], *, path: str = "/mcp", **headers: str
    ) -> httpx2.Response:
        """
        Post raw content to /mcp.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        standard = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
        }
        return await self.http.post(
            path, content=content, headers=standard | self._credential | named
        )

    async def ask_2025(self, method: str, *, path: str = "/mcp", **params: Any) -> Any:  # noqa: ANN401 - JSON
        """
        Call a method on the 2025 wire, without a session; returns the message.
        """
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = await self.post(json.dumps(message), path=path, mcp_protocol_version="2025-11-25")
        assert answer.status_code == 200, answer.text
        return message_of(answer)

    async def ask_2026(self, method: str, **params: Any) -> Any:  # noqa: ANN401 - JSON
        """
        Call a method on the 2026 wire; returns the message, and its status as `status`.
        """
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        } | params.pop("_meta", {})
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": params | {"_meta": meta},
        }
        headers = {"mcp_protocol_version": "2026-07-28", "mcp_method": method}
        if method == "prompts/get":
            headers["mcp_name"] = params["name"]
        if method == "resources/read":
            headers["mcp_name"] = params["uri"]
        answer = await self.post(json.dumps(message), **headers)
        return message_of(answer) | {"status": answer.status_code}

    @property
    def _credential(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


def message_of(answer: httpx2.Response) -> Any:  # noqa: ANN401 - JSON
    """
    Take the JSON-RPC message out of an answer, also out of a stream of one event.
    """
    if answer.headers["content-type"].startswith("text/event-stream"):
        (line,) = [line for line in answer.text.split("\r\n") if line.startswith("data:")]
        return json.loads(line.removeprefix("data:"))
    return answer.json()
