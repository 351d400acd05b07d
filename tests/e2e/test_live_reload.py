"""
A folder changes under a running server.
"""

import asyncio
from pathlib import Path

import httpx2
import mcp_types as mt

from tests.e2e.conftest import Server, StartServer
from tests.e2e.sdk import sdk_client
from tests.e2e.waiting import until


PATIENCE_SECONDS = 20
GREETING = "---\ndescription: Greets.\n---\n{greeting}!\n"


def health(server: Server) -> str:
    """
    How the server says the prompts are.
    """
    return str(httpx2.get(server.url + "/health").json()["checks"]["prompts"][0]["status"])


async def test_a_change_is_served_and_told_without_a_restart(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    A listener hears of a good change, nobody of a bad one; SIGTERM ends the stream in order.
    """
    prompts = tmp_path / "prompts"
    prompts.mkdir()
    greet = prompts / "greet.prompt.md"
    greet.write_text(GREETING.format(greeting="Hello"))
    server = start_server(tmp_path, prompts=prompts)
    heard: list[object] = []

    async with sdk_client(server, server.key, "auto") as client:

        async def listen() -> None:
            async with client.listen(prompts_list_changed=True) as events:
                heard.append("listening")
                async for event in events:
                    heard.append(event)  # noqa: PERF401 - one by one, as they come
            heard.append("ended")

        async def text() -> str:
            result = await client.get_prompt("greet")
            assert isinstance(result, mt.GetPromptResult)
            content = result.messages[0].content
            assert isinstance(content, mt.TextContent)
            return content.text

        listening = asyncio.create_task(listen())
        await until(lambda: heard == ["listening"])
        greet.write_text(GREETING.format(greeting="Good day"))
        await until(lambda: len(heard) == 2)
        assert await text() == "Good day!"
        greet.write_text("no front matter")
        await until(lambda: health(server) == "warn")
        assert await text() == "Good day!"
        greet.write_text(GREETING.format(greeting="Good day"))
        await until(lambda: health(server) == "pass")
        assert len(heard) == 2
        assert server.stop() == 0
        await asyncio.wait_for(listening, PATIENCE_SECONDS)
    assert heard[-1] == "ended"
