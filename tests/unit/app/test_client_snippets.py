"""
What clients are given, and how it gets into their files.
"""

import json
from pathlib import Path

import pytest

from ctxfy.app.client_files import write_snippet
from ctxfy.app.client_snippets import CLIENTS, Client, client_named
from ctxfy.core.exceptions import ConfigurationError


URL = "https://prompts.example.com/mcp"
KEY = "ctxfy_secret"


def by_name(client: Client) -> str:
    """
    Name a parameter.
    """
    return client.name


@pytest.mark.parametrize("client", CLIENTS, ids=by_name)
def test_a_snippet_has_the_address_and_no_key(client: Client) -> None:
    """
    The key is named in the client's own spelling; itself it is there only if it was asked for.
    """
    text = json.dumps(client.snippet(URL))
    assert URL in text
    assert f"Bearer {client.reference}" in text
    shown = json.dumps(client.snippet(URL, KEY))
    assert f"Bearer {KEY}" in shown
    assert client.reference not in shown


@pytest.mark.parametrize("client", CLIENTS, ids=by_name)
def test_a_snippet_is_written_once(client: Client, tmp_path: Path) -> None:
    """
    A file that is missing is made; the second time nothing changes.
    """
    file, changed = write_snippet(client, tmp_path, URL)
    assert (file, changed) == (tmp_path / client.file, True)
    assert json.loads(file.read_text()) == client.snippet(URL)
    before = file.read_bytes()
    assert write_snippet(client, tmp_path, URL) == (file, False)
    assert file.read_bytes() == before
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_what_is_in_the_file_stays(tmp_path: Path) -> None:
    """
    Other servers, other questions, other keys, in their order; and the file's mode.
    """
    client = client_named("vscode")
    file = tmp_path / client.file
    file.parent.mkdir()
    question = {"id": "other", "type": "promptString"}
    file.write_text(json.dumps({"z": 1, "servers": {"a": {"url": "x"}}, "inputs": [question]}))
    file.chmod(0o600)
    write_snippet(client, tmp_path, URL)
    found = json.loads(file.read_text())
    assert list(found) == ["z", "servers", "inputs"]
    assert list(found["servers"]) == ["a", "ctxfy"]
    assert [item["id"] for item in found["inputs"]] == ["other", "ctxfy-api-key"]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("// a comment\n{}", "is not plain JSON"),
        ("[]", "holds no JSON object"),
        ('{"mcpServers": []}', "has no mapping under 'mcpServers'"),
        ('{"mcpServers": {"ctxfy": {"url": "https://other"}}}', "has another server called"),
    ],
)
def test_a_file_that_does_not_fit_is_left_alone(tmp_path: Path, content: str, words: str) -> None:
    """
    Nothing of anybody's is written over.
    """
    client = client_named("claude-code")
    file = tmp_path / client.file
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=words):
        write_snippet(client, tmp_path, URL)
    assert file.read_text() == content


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("codex", "Codex cannot use prompts of MCP servers"),
        ("copilot-cli", "these can: claude-code, cursor, vscode, gemini-cli"),
        ("vs-code", "did you mean 'vscode'?"),
        ("emacs", "these are known: claude-code"),
    ],
)
def test_a_client_that_cannot_be_connected_is_told_of(name: str, words: str) -> None:
    """
    Whether it has no prompts or is not known.
    """
    with pytest.raises(ConfigurationError) as caught:
        client_named(name)
    assert words in str(caught.value)
