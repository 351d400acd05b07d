"""
The files that prompts embed, as resources over both wires of MCP.
"""

import json
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest

from ctxfy.app.main import create_app
from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import Client, running, settings_in


STATIC = "This is the content of the static text resource."
PROMPTS = {
    "open.prompt.md": "---\ndescription: d\n---\n"
    "<!-- @resource static.txt uri=test://static-text type=text/plain -->\n"
    "<!-- @resource files/data.bin type=image/png -->\n",
    "closed.prompt.md": "---\nscope: admin\n---\n"
    "<!-- @resource secret.md -->\n<!-- @resource static.txt uri=test://static-text"
    " type=text/plain -->\n",
}
DATA_URI = "ctxfy://resources/files/data.bin"
SECRET_URI = "ctxfy://resources/secret.md"


@pytest.fixture(scope="module")
async def holder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """
    Serve prompts that embed files, one of them for admins.
    """
    folder = tmp_path_factory.mktemp("holder")
    settings = settings_in(folder)
    place = settings.prompts.folder
    for name, text in PROMPTS.items():
        (place / name).write_text(text)
    (place / "static.txt").write_text(STATIC)
    (place / "secret.md").write_text("# Secret\n")
    (place / "files").mkdir()
    (place / "files" / "data.bin").write_bytes(b"\xff\x00")
    async with running(create_app(settings)) as client:
        yield client


async def test_resources_are_listed_and_read(holder: Client) -> None:
    """
    Text and bytes under the URI the prompt gives, privately cacheable where the wire has that.
    """
    for ask, hints in ((holder.ask_2025, (None, None)), (holder.ask_2026, (10_000, "private"))):
        listed = (await ask("resources/list"))["result"]
        assert listed["resources"] == [
            {
                "uri": DATA_URI,
                "name": "files/data.bin",
                "mimeType": "image/png",
                "size": 2,
            },
            {"uri": SECRET_URI, "name": "secret.md", "mimeType": "text/markdown", "size": 9},
            {
                "uri": "test://static-text",
                "name": "static.txt",
                "mimeType": "text/plain",
                "size": len(STATIC),
            },
        ]
        text = (await ask("resources/read", uri="test://static-text"))["result"]
        assert text["contents"] == [
            {"uri": "test://static-text", "mimeType": "text/plain", "text": STATIC}
        ]
        data = (await ask("resources/read", uri=DATA_URI))["result"]
        assert data["contents"] == [
            {"uri": DATA_URI, "mimeType": "image/png", "blob": b64encode(b"\xff\x00").decode()}
        ]
        for result in (listed, text):
            assert (result.get("ttlMs"), result.get("cacheScope")) == hints


async def test_a_resource_of_hidden_prompts_is_unknown(holder: Client) -> None:
    """
    Not listed, and answered like one that is not there; one that an own prompt holds is readable.
    """
    reader = await holder.with_key("ann", scope=Scope.WRITE)
    narrow = await holder.with_key("bob", scope=Scope.ADMIN, prompts=("greet",))
    for client, seen in ((reader, [DATA_URI, "test://static-text"]), (narrow, [])):
        for ask, code in ((client.ask_2025, -32002), (client.ask_2026, -32602)):
            listed = (await ask("resources/list"))["result"]["resources"]
            assert [item["uri"] for item in listed] == seen
            hidden = await ask("resources/read", uri=SECRET_URI)
            missing = await ask("resources/read", uri="ctxfy://resources/secrets.md")
            assert hidden["error"]["code"] == code
            assert json.dumps(hidden) == json.dumps(missing).replace("secrets.md", "secret.md")
            assert hidden["error"]["data"] == {
                "code": "prompt.resource_not_found",
                "uri": SECRET_URI,
            }


async def test_what_is_promised_about_resources_is_kept(holder: Client) -> None:
    """
    No subscription on the 2025 wire; on that of 2026, lists and single files can be listened to.
    """
    client_info = {"name": "test", "version": "1"}
    old = await holder.ask_2025(
        "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client_info
    )
    new = await holder.ask_2026("server/discover")
    assert old["result"]["capabilities"]["resources"] == {"subscribe": False, "listChanged": False}
    assert new["result"]["capabilities"]["resources"] == {"subscribe": True, "listChanged": True}
