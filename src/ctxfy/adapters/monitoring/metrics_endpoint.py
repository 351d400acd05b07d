"""
GET /metrics.
"""

from collections.abc import Awaitable, Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response


def metrics_endpoint(registry: CollectorRegistry) -> Callable[[Request], Awaitable[Response]]:
    """
    Make the handler that writes the registry as text, or as OpenMetrics if that is accepted.
    """

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        # Thousands of series take tens of milliseconds, which other requests need not wait for.
        body = await run_in_threadpool(encode, registry)
        headers = {"content-type": content_type, "cache-control": "no-store"}
        return Response(body, headers=headers)

    return metrics
