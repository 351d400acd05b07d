"""
Clients that listen for changes (MCP 2026-07-28, `subscriptions/listen`).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from fastmcp import FastMCP
from mcp.server import ServerRequestContext
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ListenHandler,
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp_types import (
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from ctxfy.core.models.catalog_models import CatalogChange


type MayRead = Callable[[str], bool]
"""
Whether the caller of the request being served may read the resource with a URI.
"""


class PromptListeners:
    """
    The open streams of this process. FastMCP has no handler for them, the SDK does.
    """

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._handler = ListenHandler(self._bus)
        self._is_closed = False

    def serve_on(self, server: FastMCP[Any], may_read: MayRead) -> None:
        """
        Answer `subscriptions/listen` on a server.
        """

        async def listen(
            context: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
        ) -> SubscriptionsListenResult:
            if self._is_closed:
                # It ends as the others did, once it is open; nobody else would end it.
                asyncio.get_running_loop().call_soon(self._handler.close)
            wishes = _narrowed(params.notifications, may_read)
            return await self._handler(context, params.model_copy(update={"notifications": wishes}))

        server._mcp_server.add_request_handler(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way
            "subscriptions/listen", SubscriptionsListenRequestParams, listen
        )

    async def tell_changed(self, change: CatalogChange) -> None:
        """
        Tell every listener, once, what is another: the lists, and the resources it asked for.
        """
        await self._bus.publish(PromptsListChanged())
        if change.resources_listed:
            await self._bus.publish(ResourcesListChanged())
        for uri in change.resources_updated:
            await self._bus.publish(ResourceUpdated(uri))

    def close(self) -> None:
        """
        End every stream with its last frame, also those that are still asked for.

        So a server that ends need not cut them off.
        """
        self._is_closed = True
        self._handler.close()


def _narrowed(wishes: SubscriptionFilter, may_read: MayRead) -> SubscriptionFilter:
    # The SDK would tell anybody when a resource changes that is not theirs to know of.
    allowed = [uri for uri in wishes.resource_subscriptions or () if may_read(uri)]
    return wishes.model_copy(update={"resource_subscriptions": allowed or None})
