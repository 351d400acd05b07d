"""
Every kind of content a prompt may hold, over both wires, through the real FastMCP.
"""

from base64 import b64encode
from pathlib import Path

from ctxfy.app.main import create_app
from tests.integration.app.app_kit import running, settings_in


PNG = b"\x89PNG\r\n\x1a\n\x00"
PROMPT = """\
---
description: All kinds of content.
---
Look.
<!-- @resource guide.md uri=ctxfy://guide -->
<!-- @resource data.bin type=application/x-data -->
<!-- @image dot.png -->
<!-- @assistant -->
I have.
"""


async def test_every_kind_of_content_arrives(tmp_path: Path) -> None:
    """
    Text, text and binary resources and images keep their place, role and type.
    """
    settings = settings_in(tmp_path)
    folder = settings.prompts.folder
    (folder / "all-kinds.prompt.md").write_text(PROMPT)
    (folder / "guide.md").write_text("# Guide ü\n")
    (folder / "data.bin").write_bytes(b"\xff\x00")
    (folder / "dot.png").write_bytes(PNG)
    async with running(create_app(settings)) as client:
        for ask in (client.ask_2025, client.ask_2026):
            messages = (await ask("prompts/get", name="all-kinds"))["result"]["messages"]
            assert [message["role"] for message in messages] == ["user"] * 4 + ["assistant"]
            text, guide, data, image, end = [message["content"] for message in messages]
            assert (text["text"], end["text"]) == ("Look.", "I have.")
            assert guide["resource"] == {
                "uri": "ctxfy://guide",
                "mimeType": "text/markdown",
                "text": "# Guide ü\n",
            }
            assert data["resource"]["blob"] == b64encode(b"\xff\x00").decode()
            assert data["resource"]["mimeType"] == "application/x-data"
            assert image == {
                "type": "image",
                "mimeType": "image/png",
                "data": b64encode(PNG).decode(),
            }


async def test_completions_are_bounded(tmp_path: Path) -> None:
    """
    At most a hundred values go out; the total says how many there are.
    """
    values = ", ".join(f"v{number:03}" for number in range(150))
    settings = settings_in(tmp_path)
    (settings.prompts.folder / "many.prompt.md").write_text(
        f"---\narguments: {{a: {{enum: [{values}]}}}}\n---\n{{{{ a }}}}\n"
    )
    async with running(create_app(settings)) as client:
        for ask in (client.ask_2025, client.ask_2026):
            answer = await ask(
                "completion/complete",
                ref={"type": "ref/prompt", "name": "many"},
                argument={"name": "a", "value": ""},
            )
            completion = answer["result"]["completion"]
            assert (len(completion["values"]), completion["hasMore"]) == (100, True)
            assert completion["total"] == 150
