"""
The first quarter of an hour of somebody who has never seen ctxfy, from an empty folder.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import httpx2
import mcp_types as mt
import pytest
from mcp import MCPError
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import StartServer, run_command
from tests.e2e.waiting import until


GREETING = "Write a {{ tone }} greeting of one sentence to {{ name }}."


def configured(snippet: dict[str, Any], key: str) -> tuple[str, dict[str, str]]:
    """
    Read what `ctxfy connect` wrote as Claude Code does: variables are put in from the environment.
    """
    server = snippet["mcpServers"]["ctxfy"]
    environment = os.environ | {"CTXFY_API_KEY": key}
    headers = {
        name: re.sub(r"\$\{(\w+)\}", lambda found: environment[found[1]], value)
        for name, value in server["headers"].items()
    }
    return server["url"], headers


async def greeting(client: McpClient) -> str:
    """
    Ask for the greeting of Ada.
    """
    result = await client.get_prompt("hello", {"name": "Ada"})
    assert isinstance(result, mt.GetPromptResult)
    content = result.messages[0].content
    assert isinstance(content, mt.TextContent)
    return content.text


async def test_a_newcomer_gets_from_nothing_to_a_prompt_in_a_client(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    Begin, make a mistake and mend it, serve, connect, change the prompt, end the key.
    """

    def ctxfy(*words: str) -> str:
        ended = run_command(tmp_path, *words)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "render hello name=Ada" in ctxfy("init")
    prompt = tmp_path / "prompts" / "hello.prompt.md"
    good = prompt.read_text()
    assert GREETING in good

    prompt.write_text(good.replace("description: How it", "descripton: How it"))
    wrong = run_command(tmp_path, "check")
    (line,) = [
        number
        for number, text in enumerate(prompt.read_text().splitlines(), 1)
        if "descripton" in text
    ]
    sentence = "unknown key 'descripton' in 'arguments.tone'; did you mean 'description'?"
    assert wrong.stderr == f"hello.prompt.md:{line}: {sentence}\n1 problem.\n"
    assert wrong.returncode == 1
    prompt.write_text(good)
    assert ctxfy("check") == "1 prompt, 2 tests: all good.\n"
    assert "a warm greeting of one sentence to Ada." in ctxfy("render", "hello", "name=Ada")

    server = start_server(tmp_path, prompts=tmp_path / "prompts")
    assert "connect cursor" in server.errors
    made = json.loads(ctxfy("keys", "create", "--user", "ann", "--json"))
    ctxfy("connect", "claude-code", "--url", server.url, "--write")
    written = (tmp_path / ".mcp.json").read_text()
    assert made["api_key"] not in written
    url, headers = configured(json.loads(written), made["api_key"])
    seen = run_command(tmp_path, "doctor", "--url", url, CTXFY_API_KEY=made["api_key"])
    assert (seen.returncode, "scope read" in seen.stdout) == (0, True)

    async with (
        httpx2.AsyncClient(headers=headers) as http,
        McpClient(streamable_http_client(url, http_client=http)) as client,
    ):
        assert [item.name for item in (await client.list_prompts()).prompts] == ["hello"]
        assert await greeting(client) == "Write a warm greeting of one sentence to Ada."

        prompt.write_text(good.replace(GREETING, "Greet {{ name }}, and be {{ tone }}."))
        await until(lambda: "catalog_reloaded" in server.logs)
        assert await greeting(client) == "Greet Ada, and be warm."

        assert "is revoked" in ctxfy("keys", "revoke", made["key_id"])
        refused = {"status": 0}

        def is_refused() -> bool:
            refused["status"] = httpx2.get(f"{server.url}/prompts", headers=headers).status_code
            return refused["status"] == 401

        await until(is_refused)
        with pytest.raises(MCPError, match="was revoked"):
            await greeting(client)
    assert server.stop() == 0
