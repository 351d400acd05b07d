"""
`ctxfy init`, `ctxfy new` and `ctxfy connect` as a person or a program calls them.
"""

from tests.integration.app.cli_kit import Shell


def test_a_person_begins(ctxfy: Shell) -> None:
    """
    What was written, and what to type next; a program reads the same as JSON.
    """
    said = ctxfy("init", "mine")
    assert said.code == 0
    assert "wrote mine/prompts/hello.prompt.md\n" in said.out
    assert "cd mine" in said.out
    again = ctxfy("init", "mine", "--json").json()
    assert again["kept"] == ["prompts/hello.prompt.md", "fastmcp.json", ".gitignore"]
    shown = ctxfy("config", "show", "--config", "mine/fastmcp.json").out
    assert "[mine/fastmcp.json: deployment.port]" in shown
    assert ctxfy("check", "mine/prompts").out == "1 prompt, 2 tests: all good.\n"
    (ctxfy.folder / "file").touch()
    assert "cannot be written" in ctxfy.fails("init", "file")


def test_a_further_prompt_is_written(ctxfy: Shell) -> None:
    """
    It can be rendered as it is; a second of that name cannot be.
    """
    assert ctxfy("new", "tides").out.startswith("wrote prompts/tides.prompt.md\n")
    assert ctxfy("render", "tides", "topic=the moon").code == 0
    assert "is there already" in ctxfy.fails("new", "tides")
    made = ctxfy("new", "tales", "--prompts", "prompts", "--json").json()
    assert made == {"name": "tales", "path": "prompts/tales.prompt.md"}


def test_a_client_is_connected(ctxfy: Shell) -> None:
    """
    The snippet alone on standard output, without the key unless it is asked for.
    """
    key = "ctxfy_secret"
    ctxfy.set("CTXFY_API_KEY", key)
    for name in ("claude-code", "cursor", "vscode", "gemini-cli"):
        said = ctxfy("connect", name)
        assert said.json()
        assert key not in said.out + said.err
        assert key in ctxfy("connect", name, "--show-key").out
        assert ctxfy("connect", name, "--json").json()["url"] == "http://127.0.0.1:8000/mcp"
    assert ctxfy("connect", "cursor", "--write").out == "wrote .cursor/mcp.json\n"
    assert ctxfy("connect", "cursor", "--write", "--json").json()["changed"] is False
    assert key not in (ctxfy.folder / ".cursor" / "mcp.json").read_text()
    assert "use --write or --show-key" in ctxfy.fails("connect", "cursor", "--write", "--show-key")
    assert "has no prompts" in ctxfy("connect", "--list").out
    assert ctxfy("connect", "--list", "--json").json()["without_prompts"] == [
        "codex",
        "copilot-cli",
    ]
    ctxfy.set("CTXFY_API_KEY", "")
    assert "CTXFY_API_KEY is not set" in ctxfy.fails("connect", "cursor", "--show-key")
