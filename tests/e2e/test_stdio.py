"""
Clients that start a program: a folder served, and a server bridged to, over stdio.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import mcp_types as mt
import pytest
from fastmcp import Client as FastMCPClient
from fastmcp.client.transports import StdioTransport
from mcp import MCPError, StdioServerParameters
from mcp.client import Client as McpClient
from mcp.client.stdio import stdio_client

from tests.e2e.conftest import COMMAND, ROOT, Server, clean_environment
from tests.e2e.sdk import Mode


def initialize(number: int | str = 1) -> dict[str, object]:
    """
    Make the first message of the older wire.
    """
    params = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


def sdk_over_stdio(mode: Mode, *arguments: str, **environment: str) -> McpClient:
    """
    The official SDK's client, with `ctxfy stdio` as the program it starts.
    """
    program = StdioServerParameters(
        command=COMMAND[0],
        args=[*COMMAND[1:], "stdio", *arguments],
        env=clean_environment(**environment),
    )
    return McpClient(stdio_client(program), mode=mode)


def talk(folder: Path, *messages: object, url: str = "", key: str = "") -> tuple[list[Any], str]:
    """
    Write messages to `ctxfy stdio`, close its input, and return what it wrote to either output.
    """
    ended = subprocess.run(
        [*COMMAND, "stdio", *(("--url", url) if url else ())],
        cwd=folder,
        env=clean_environment(**({"CTXFY_API_KEY": key} if key else {})),
        input="".join(
            (item if isinstance(item, str) else json.dumps(item)) + "\n" for item in messages
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr + ended.stdout
    return [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr


async def use(client: McpClient) -> set[str]:
    """
    List, get and complete as over HTTP; return which mistakes the client was told of.
    """
    async with client:
        listed = (await client.list_prompts()).prompts
        assert "code-review" in {prompt.name for prompt in listed}
        got = await client.get_prompt("code-review", {"language": "python", "code": "a<b"})
        assert isinstance(got, mt.GetPromptResult)
        assert got.meta is not None
        assert "ctxfy/digest" in got.meta
        found = await client.complete(
            mt.PromptReference(type="ref/prompt", name="code-review"),
            {"name": "language", "value": "py"},
        )
        assert found.completion.values == ["python"]
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("code-review", {"language": "cobol", "colour": "red"})
        assert caught.value.error.code == mt.INVALID_PARAMS
    return {item["code"] for item in caught.value.error.data["errors"]}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_uses_a_folder(mode: Mode) -> None:
    """
    Without a server and without a key, on either wire.
    """
    told = await use(sdk_over_stdio(mode, "--prompts", str(ROOT / "prompts")))
    assert told == {"invalid_choice", "missing", "unknown"}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_uses_a_server_through_the_bridge(server: Server, mode: Mode) -> None:
    """
    What the server says comes through as it is, codes and data too.
    """
    told = await use(sdk_over_stdio(mode, "--url", server.url, CTXFY_API_KEY=server.key))
    assert told == {"invalid_choice", "missing", "unknown"}


async def test_fastmcps_client_uses_both(server: Server) -> None:
    """
    FastMCP's own client lists the same prompts from the folder and through the bridge.
    """
    found = []
    for arguments in (["--prompts", str(ROOT / "prompts")], ["--url", server.mcp]):
        transport = StdioTransport(
            command=COMMAND[0],
            args=[*COMMAND[1:], "stdio", *arguments],
            env=clean_environment(CTXFY_API_KEY=server.key),
            keep_alive=False,
        )
        async with FastMCPClient(transport) as client:
            found.append([prompt.name for prompt in await client.list_prompts()])
    assert found[0] == found[1] != []


def test_a_wrong_key_is_told_to_the_client_and_to_the_person(
    server: Server, tmp_path: Path
) -> None:
    """
    Each request has its JSON-RPC error, standard error one sentence, and neither has the key.
    """
    key = "ctxfy_AAAAAAAAAAAA_" + "A" * 49
    answers, errors = talk(
        tmp_path,
        initialize("first"),
        {"jsonrpc": "2.0", "id": 2, "method": "prompts/list"},
        url=server.url,
        key=key,
    )
    assert sorted((str(item["id"]), item["error"]["code"]) for item in answers) == [
        ("2", -32001),
        ("first", -32001),
    ]
    assert errors.startswith("ctxfy: The server says: ")
    assert errors.count("\n") == 1
    assert key not in errors + json.dumps(answers)


def test_a_server_that_is_not_there_is_told_of(server: Server, tmp_path: Path) -> None:
    """
    Nothing listens, or something else does: an error for the client, a sentence for the person.
    """
    for url, words in (
        ("http://127.0.0.1:1", "cannot be reached (nothing answers there)."),
        (f"{server.url}/health", "answers 405, and not as a server of MCP does"),
    ):
        (answer,), errors = talk(tmp_path, initialize(), url=url, key="ctxfy_x")
        assert answer["error"]["code"] == -32008
        assert words in answer["error"]["message"]
        assert errors == f"ctxfy: {answer['error']['message']}\n"


def test_the_bridge_needs_a_key(tmp_path: Path) -> None:
    """
    And says where from; nothing is written to the protocol's output.
    """
    answers, errors = talk(tmp_path, initialize(), url="http://127.0.0.1:1")
    assert answers == []
    assert errors.startswith("ctxfy: The bridge needs a key in CTXFY_API_KEY")


def test_a_folder_with_mistakes_is_not_served(tmp_path: Path) -> None:
    """
    Standard output stays empty; the mistakes are on standard error.
    """
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "bad.prompt.md").write_text("no front matter")
    answers, errors = talk(tmp_path, initialize())
    assert answers == []
    assert "bad.prompt.md:1" in errors
    (tmp_path / "prompts" / "bad.prompt.md").write_text("---\ndescription: Good.\n---\nHello\n")
    (answer,), errors = talk(tmp_path, initialize())
    assert answer["result"]["serverInfo"]["name"] == "ctxfy"
    assert errors == ""
