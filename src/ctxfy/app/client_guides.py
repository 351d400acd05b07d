"""
What the pages say of clients, out of what `ctxfy connect` knows of them.
"""

import json
from collections.abc import Sequence

from ctxfy.adapters.api_docs.client_guides import ClientGuide, Guides
from ctxfy.app.addresses import MCP_PATH
from ctxfy.app.client_snippets import CLIENTS, SERVER, WITHOUT_PROMPTS, Client
from ctxfy.app.config import API_KEY_VARIABLE


def guides() -> Guides:
    """
    Tell of all clients, given the address of the server.
    """
    return Guides(clients=_clients, stdio=_stdio, without_prompts=tuple(WITHOUT_PROMPTS.values()))


def _clients(address: str) -> Sequence[ClientGuide]:
    return [_guide(client, address + MCP_PATH) for client in CLIENTS]


def _guide(client: Client, url: str) -> ClientGuide:
    return ClientGuide(
        title=client.title,
        file=client.file,
        snippet=json.dumps(client.snippet(url), indent=2),
        notes=client.notes,
        command=client.command(url),
    )


def _stdio(address: str) -> str:
    server = {
        "command": "ctxfy",
        "args": ["stdio", "--url", address],
        "env": {API_KEY_VARIABLE: "ctxfy_..."},
    }
    return json.dumps({"mcpServers": {SERVER: server}}, indent=2)
