"""
Clients that are not of this environment: the Python SDK 1.x, the TypeScript SDKs, the Inspector.
"""

import json
from pathlib import Path
from typing import Any

import mcp_types as mt
import pytest

from tests.e2e.conftest import Server
from tests.e2e.foreign import CLIENTS, MODULES, NODE, PYTHON_MCP_1, run_foreign


JOURNEYS: dict[str, tuple[str | Path, ...]] = {
    "mcp-1": (PYTHON_MCP_1, CLIENTS / "mcp_1.py"),
    "typescript-sdk-1": (NODE, CLIENTS / "sdk-1.mjs"),
    "typescript-client-2": (NODE, CLIENTS / "client-2.mjs", "legacy"),
    "typescript-client-2-auto": (NODE, CLIENTS / "client-2.mjs", "auto"),
}
"""
Programs and their scripts, each of which goes one way through everything prompts are good for. A
script is told where, and then what stands behind it here.
"""

INSPECTOR = (NODE, MODULES / ".bin" / "mcp-inspector", "--cli", "--stored-auth-only", "--quiet")


def travel(client: str, server: Server, home: Path, key: str) -> Any:  # noqa: ANN401 - JSON
    """
    Run a script of JOURNEYS, and return what it says.
    """
    program, script, *options = JOURNEYS[client]
    ran = run_foreign([program, script, server.mcp, *options], home, CTXFY_KEY=key)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("client", "protocol"),
    [
        ("mcp-1", "2025-11-25"),
        ("typescript-sdk-1", "2025-11-25"),
        ("typescript-client-2", "2025-11-25"),
        ("typescript-client-2-auto", "2026-07-28"),
    ],
)
def test_a_client_goes_all_the_way_and_is_told_its_mistakes(
    server: Server, tmp_path: Path, client: str, protocol: str
) -> None:
    """
    Values come out as they went in, what is embedded can be read by itself, and every mistake is
    named at once with code -32602.
    """
    found = travel(client, server, tmp_path, server.key)
    assert found["protocol"] == protocol
    assert "code-review" in found["prompts"]
    assert len(found["prompts"]) == 8
    kinds = [(message["role"], message["content"]["type"]) for message in found["messages"]]
    assert kinds == [
        ("user", "text"),
        ("user", "resource"),
        ("assistant", "text"),
        ("user", "text"),
    ]
    assert found["messages"][-1]["content"]["text"] == "a<b && c"
    assert found["completions"] == ["python"]
    assert "ctxfy://style-guide" in found["resources"]
    assert found["read"] == found["messages"][1]["content"]["resource"]["text"]
    assert found["mistake"]["code"] == mt.INVALID_PARAMS
    errors = [(item["field"], item["code"]) for item in found["mistake"]["data"]["errors"]]
    assert errors == [("language", "invalid_choice"), ("code", "missing")]


@pytest.mark.parametrize("client", JOURNEYS)
def test_a_client_with_a_wrong_key_is_told_so(server: Server, tmp_path: Path, client: str) -> None:
    """
    It ends at once with our sentence or with the 401, and asks nobody to log in.
    """
    found = travel(client, server, tmp_path, "ctxfy_AAAAAAAAAAAA_" + "A" * 49)
    assert list(found) == ["refused"]
    assert "API key" in found["refused"] or "401" in found["refused"]


def inspect(server: Server, home: Path, key: str, *arguments: str) -> tuple[int, Any]:
    """
    Run the Inspector's command line; returns its exit code and what it wrote as JSON.
    """
    headers = {"Authorization": f"Bearer {key}"}
    entry = {"type": "streamable-http", "url": server.mcp, "headers": headers}
    (home / "mcp.json").write_text(json.dumps({"mcpServers": {"ctxfy": entry}}))
    place = ["--format", "json", "--config", "mcp.json", "--server", "ctxfy"]
    ran = run_foreign(
        [*INSPECTOR, *place, "--method", *arguments], home, MCP_INSPECTOR_SECRET_STORE="memory"
    )
    return ran.returncode, json.loads(ran.stdout or ran.stderr)


def test_the_inspector_lists_and_gets(server: Server, tmp_path: Path) -> None:
    """
    The Inspector's command line lists the prompts, gets one, and shows a mistake as a sentence.
    """
    code, listed = inspect(server, tmp_path, server.key, "prompts/list")
    assert (code, len(listed["result"]["prompts"])) == (0, 8)
    get = ("prompts/get", "--prompt-name", "code-review", "--prompt-args", "code=a<b && c")
    code, rendered = inspect(server, tmp_path, server.key, *get, "language=python")
    assert code == 0
    assert rendered["result"]["messages"][-1]["content"]["text"] == "a<b && c"
    code, refused = inspect(server, tmp_path, server.key, *get, "language=cobol")
    assert code == 1
    assert "Argument 'language' must be one of: python, go" in refused["error"]["message"]


def test_the_inspector_with_a_wrong_key_is_told_so(server: Server, tmp_path: Path) -> None:
    """
    It ends with our sentence, and looks for no place to log in at.
    """
    code, refused = inspect(server, tmp_path, "ctxfy_half", "prompts/list")
    assert code != 0
    assert "The API key is malformed" in refused["error"]["message"]
