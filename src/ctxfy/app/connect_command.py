"""
`ctxfy connect`: what to put into a client so that it finds the server.
"""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ctxfy.app.command_line import Json, write_json
from ctxfy.core.exceptions import ConfigurationError


if TYPE_CHECKING:
    from ctxfy.app.client_snippets import Client


def connect(
    client: Annotated[str | None, Parameter(help="The client; --list names them.")] = None,
    /,
    *,
    url: Annotated[
        str | None, Parameter(help="The server's address; default: as the settings have it.")
    ] = None,
    write: Annotated[
        bool, Parameter(negative="", help="Put it into the client's file in this folder.")
    ] = False,
    show_key: Annotated[
        bool, Parameter(negative="", help="With the key of CTXFY_API_KEY, not a reference to it.")
    ] = False,
    list_clients: Annotated[
        bool, Parameter(name="--list", negative="", help="Name the clients, also those without.")
    ] = False,
    as_json: Json = False,
) -> None:
    """
    Show what a client's configuration needs; the key is named, not shown.
    """
    if list_clients or client is None:
        _list(as_json=as_json)
        return
    if write and show_key:
        raise ConfigurationError(
            "A key does not belong in a file that others read: use --write or --show-key."
        )
    from ctxfy.app.addresses import mcp_address
    from ctxfy.app.client_files import write_snippet
    from ctxfy.app.client_snippets import client_named

    chosen, address = client_named(client), mcp_address(url)
    if write:
        file, changed = write_snippet(chosen, Path(), address)
        _tell(chosen, address, file=file, changed=changed, as_json=as_json)
        return
    _show(chosen, address, _own_key() if show_key else None, as_json=as_json)


def _own_key() -> str:
    from ctxfy.app.config import API_KEY_VARIABLE, api_key

    key = api_key()
    if key is None:
        raise ConfigurationError(f"{API_KEY_VARIABLE} is not set, so there is no key to show.")
    return key


def _show(client: "Client", url: str, key: str | None, *, as_json: bool) -> None:
    snippet = client.snippet(url, key)
    if as_json:
        write_json(
            {"client": client.name, "file": client.file, "url": url, "snippet": snippet}
            | {"notes": client.notes}
        )
        return
    print(f"{client.title}, in {client.file}:", file=sys.stderr)
    print(json.dumps(snippet, indent=2))
    for note in client.notes:
        print(note, file=sys.stderr)


def _tell(client: "Client", url: str, *, file: Path, changed: bool, as_json: bool) -> None:
    if as_json:
        write_json({"client": client.name, "file": str(file), "url": url, "changed": changed})
        return
    print(f"wrote {file}" if changed else f"{file} has it already")
    for note in client.notes:
        print(note, file=sys.stderr)


def _list(*, as_json: bool) -> None:
    from ctxfy.app.client_snippets import CLIENTS, WITHOUT_PROMPTS

    if as_json:
        write_json(
            {
                "clients": {client.name: client.file for client in CLIENTS},
                "without_prompts": list(WITHOUT_PROMPTS),
            }
        )
        return
    for client in CLIENTS:
        print(f"{client.name:<12} {client.title}, in {client.file}")
    for name, title in WITHOUT_PROMPTS.items():
        print(f"{name:<12} {title}: has no prompts, nothing to connect")
    print("Others that speak Streamable HTTP: the address, and the header 'Authorization: Bearer'.")
    print("Others that speak only stdio: 'ctxfy stdio --url ADDRESS' is the command to start.")
