"""
The official Python SDK, 1.x: CTXFY_KEY=... python mcp_1.py URL.

Lists, gets, completes, reads, makes a mistake, and prints one line of JSON, as journey.mjs does.
"""

import asyncio
import json
import os
import sys
from typing import Any

from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import PromptReference
from pydantic import AnyUrl


async def travel(session: ClientSession) -> dict[str, Any]:
    """
    Go through everything that prompts are good for.
    """
    started = await session.initialize()
    listed = await session.list_prompts()
    rendered = await session.get_prompt("code-review", {"language": "python", "code": "a<b && c"})
    completed = await session.complete(
        PromptReference(type="ref/prompt", name="code-review"), {"name": "language", "value": "py"}
    )
    resources = await session.list_resources()
    read = await session.read_resource(AnyUrl("ctxfy://style-guide"))
    mistake = None
    try:
        await session.get_prompt("code-review", {"language": "cobol"})
    except McpError as error:
        mistake = {"code": error.error.code, "data": error.error.data}
    return {
        "protocol": started.protocolVersion,
        "prompts": [prompt.name for prompt in listed.prompts],
        "messages": [
            message.model_dump(mode="json", by_alias=True) for message in rendered.messages
        ],
        "completions": completed.completion.values,
        "resources": [str(resource.uri) for resource in resources.resources],
        "read": read.contents[0].text,
        "mistake": mistake,
    }


async def main(url: str, key: str) -> dict[str, Any]:
    """
    Connect with the key, and say what was refused if it was.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with (
            create_mcp_http_client(headers=headers) as http,
            streamable_http_client(url, http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            return await travel(session)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the user is told
        first: BaseException = error
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        return {"refused": repr(first)}


print(json.dumps(asyncio.run(main(sys.argv[1], os.environ["CTXFY_KEY"]))))  # noqa: T201
