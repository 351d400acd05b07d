"""
Who hears of which change, through the SDK's own client.
"""

from typing import Any

from fastmcp import FastMCP
from mcp.client import Client
from mcp.server.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
)

from ctxfy.adapters.mcp_prompts.listeners import PromptListeners
from ctxfy.core.models.catalog_models import CatalogChange


LISTED = CatalogChange(
    revision="r", resources_listed=True, resources_updated=("ctxfy://open", "ctxfy://closed")
)
UNLISTED = CatalogChange(revision="r", changed=("a",))


async def heard_of(change: CatalogChange) -> tuple[list[str] | None, list[ServerEvent]]:
    """
    Listen to all there is, as a caller who may read one file, while one change happens.
    """
    server: FastMCP[Any] = FastMCP("test")
    listeners = PromptListeners()
    listeners.serve_on(server, may_read=lambda uri: uri == "ctxfy://open")
    async with (
        Client(server._mcp_server, mode="auto") as client,  # pyright: ignore[reportPrivateUsage] - it has `listen`, and takes nothing else
        client.listen(
            prompts_list_changed=True,
            resources_list_changed=True,
            resource_subscriptions=["ctxfy://open", "ctxfy://closed"],
        ) as events,
    ):
        await listeners.tell_changed(change)
        listeners.close()
        return events.honored.resource_subscriptions, [event async for event in events]


async def test_a_listener_hears_of_the_files_it_may_read() -> None:
    """
    What it asks for beyond is not granted at the start, and never told.
    """
    honored, events = await heard_of(LISTED)
    assert honored == ["ctxfy://open"]
    assert events == [
        PromptsListChanged(),
        ResourcesListChanged(),
        ResourceUpdated("ctxfy://open"),
    ]


async def test_a_change_without_resources_is_told_without_them() -> None:
    """
    Only the list of prompts is another.
    """
    assert (await heard_of(UNLISTED))[1] == [PromptsListChanged()]
