"""
Clients that listen for changes of the list (MCP 2026-07-28, `subscriptions/listen`).
"""

from typing import Any

from fastmcp import FastMCP
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, PromptsListChanged
from mcp_types import SubscriptionsListenRequestParams


class PromptListeners:
    """
    The open streams of this process. FastMCP has no handler for them, the SDK does.
    """

    def __init__(self) -> None:
        self._bus = InMemorySubscriptionBus()
        self._handler = ListenHandler(self._bus)

    def serve_on(self, server: FastMCP[Any]) -> None:
        """
        Answer `subscriptions/listen` on a server.
        """
        server._mcp_server.add_request_handler(  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way
            "subscriptions/listen", SubscriptionsListenRequestParams, self._handler
        )

    async def tell_changed(self) -> None:
        """
        Tell every listener, once, that the list of prompts is another.
        """
        await self._bus.publish(PromptsListChanged())

    def close(self) -> None:
        """
        End every stream with its last frame, so that a server that ends need not cut them off.
        """
        self._handler.close()
