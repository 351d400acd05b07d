"""
What each client wants in its own file, and which clients have no prompts.

The key stands in none of them: a reference to it does, in the client's own spelling.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ctxfy.app.config import API_KEY_VARIABLE
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.use_cases.validation_use_cases import did_you_mean


SERVER = "ctxfy"

type JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """
    A client that has prompts.

    Attributes:
        file: Where its configuration is for one project, relative to it.
        reference: The key as this client reads it from elsewhere.
        make: The configuration, given address and key.
        notes: What people stumble over.
        program: Its command, if that can take servers in by `PROGRAM mcp add`.
    """

    name: str
    title: str
    file: str
    reference: str
    make: Callable[[str, str], JsonObject]
    notes: tuple[str, ...]
    program: str = ""

    def command(self, url: str) -> str:
        """
        Write what does the same in a terminal, where the key is in the environment; "" if nothing.
        """
        if not self.program:
            return ""
        return (
            f"{self.program} mcp add --transport http {SERVER} {url} "
            f'--header "Authorization: Bearer ${API_KEY_VARIABLE}"'
        )

    def snippet(self, url: str, api_key: str | None = None) -> JsonObject:
        """
        Make the configuration; with the key itself only if it is given.
        """
        return self.make(url, api_key or self.reference)


def client_named(name: str) -> Client:
    """
    Look a client up.

    Raises:
        ConfigurationError: It has no prompts, or we do not know it.
    """
    for client in CLIENTS:
        if client.name == name:
            return client
    if name in WITHOUT_PROMPTS:
        raise ConfigurationError(
            f"{WITHOUT_PROMPTS[name]} cannot use prompts of MCP servers, so there is nothing to "
            f"connect; these can: {', '.join(client.name for client in CLIENTS)}."
        )
    known = [client.name for client in CLIENTS]
    hint = did_you_mean(name, known) or f"these are known: {', '.join(known)}."
    raise ConfigurationError(f"There is no client '{name}'; {hint}")


def _bearer(api_key: str) -> JsonObject:
    return {"Authorization": f"Bearer {api_key}"}


def _claude_code(url: str, api_key: str) -> JsonObject:
    return {"mcpServers": {SERVER: {"type": "http", "url": url, "headers": _bearer(api_key)}}}


def _cursor(url: str, api_key: str) -> JsonObject:
    return {"mcpServers": {SERVER: {"url": url, "headers": _bearer(api_key)}}}


def _vscode(url: str, api_key: str) -> JsonObject:
    server = {SERVER: {"type": "http", "url": url, "headers": _bearer(api_key)}}
    if api_key != _INPUT:
        return {"servers": server}
    question = {
        "type": "promptString",
        "id": "ctxfy-api-key",
        "description": "API key for ctxfy",
        "password": True,
    }
    return {"inputs": [question], "servers": server}


def _gemini(url: str, api_key: str) -> JsonObject:
    return {"mcpServers": {SERVER: {"httpUrl": url, "headers": _bearer(api_key)}}}


_INPUT = "${input:ctxfy-api-key}"
_EXPORT = f"Set {API_KEY_VARIABLE} to your key where the client is started."

CLIENTS = (
    Client(
        name="claude-code",
        title="Claude Code",
        file=".mcp.json",
        reference=f"${{{API_KEY_VARIABLE}}}",
        make=_claude_code,
        notes=(
            _EXPORT,
            "Prompts are commands there, /mcp__ctxfy__NAME, and none in its VS Code extension.",
            "What is typed after the command is cut at blanks, one piece for each argument.",
        ),
        program="claude",
    ),
    Client(
        name="cursor",
        title="Cursor",
        file=".cursor/mcp.json",
        reference=f"${{env:{API_KEY_VARIABLE}}}",
        make=_cursor,
        notes=(_EXPORT, "For all projects of yours the file is ~/.cursor/mcp.json."),
    ),
    Client(
        name="vscode",
        title="VS Code",
        file=".vscode/mcp.json",
        reference=_INPUT,
        make=_vscode,
        notes=(
            "VS Code asks for the key once and keeps it.",
            "Prompts are slash commands in the chat: /mcp.ctxfy.NAME.",
        ),
    ),
    Client(
        name="gemini-cli",
        title="Gemini CLI",
        file=".gemini/settings.json",
        reference=f"${{{API_KEY_VARIABLE}}}",
        make=_gemini,
        notes=(
            _EXPORT,
            "For all projects of yours the file is ~/.gemini/settings.json.",
            "In a folder it does not trust it shows the server as disabled.",
            "It uses only the first message of a prompt.",
        ),
        program="gemini",
    ),
)

WITHOUT_PROMPTS: Mapping[str, str] = {"codex": "Codex", "copilot-cli": "GitHub Copilot CLI"}
