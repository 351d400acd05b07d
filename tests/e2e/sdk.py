"""
The official SDK's client, pointed at a server of ours.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

import httpx2
from mcp.client import Client as McpClient
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import Server


type Mode = Literal["auto", "legacy"]

PATIENCE_SECONDS = 60
"""
The HTTP library's own five would end a stream on which nothing happens for so long.
"""


@asynccontextmanager
async def sdk_client(server: Server, key: str, mode: Mode) -> AsyncGenerator[McpClient]:
    """
    The official SDK's client, on the newest wire or the one before.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=PATIENCE_SECONDS) as http,
        McpClient(streamable_http_client(server.mcp, http_client=http), mode=mode) as client,
    ):
        yield client
