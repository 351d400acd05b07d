"""
The composition root: settings in, an ASGI application out.
"""

import asyncio
import sys
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from threading import Event
from uuid import uuid4

from starlette.types import ASGIApp

from ctxfy import __version__
from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.auth.fastmcp_verifier import PrincipalVerifier
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.middleware import AccessGate, current_principal
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.auth.security_headers import SECURITY_HEADERS
from ctxfy.adapters.mcp_prompts.catalog import CatalogProbe, MemoryCatalog
from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
from ctxfy.adapters.mcp_prompts.server import McpPrompts, build_mcp_server
from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.adapters.monitoring.health_endpoints import HealthEndpoints
from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics, new_registry
from ctxfy.adapters.monitoring.metrics_endpoint import metrics_endpoint
from ctxfy.adapters.monitoring.request_context import RequestContext
from ctxfy.adapters.monitoring.structured_logger import StructuredLogger
from ctxfy.adapters.storage.storage_probe import StorageProbe
from ctxfy.app import routes
from ctxfy.app.bootstrap import Storage, make_storage, pseudonymizer, server_secrets
from ctxfy.app.config import Settings, load_settings
from ctxfy.app.first_key import announce_first_key, base_url, ensure_first_key
from ctxfy.app.http_errors import error_response
from ctxfy.app.lifespan import LifespanApp
from ctxfy.app.loading import make_loader, make_validator, utc_now
from ctxfy.core.models.auth_models import RoutePolicy
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.ports.prompt_ports import (
    CatalogSnapshot,
    PromptCatalogPort,
    PromptCommandPort,
    PromptQueryPort,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """
    Everything that was made, by the port it is used through; tests replace single nodes.
    """

    settings: Settings
    policies: tuple[RoutePolicy, ...]
    logging: LoggingPort
    metrics: MetricsPort
    scrape: routes.Handler
    storage: Storage
    keys: ApiKeyService
    catalog: PromptCatalogPort
    prompt_commands: PromptCommandPort
    prompt_queries: PromptQueryPort
    draining: Event
    announce: Callable[[Settings, str], None]


def create_app(
    settings: Settings | None = None,
    *,
    snapshot: CatalogSnapshot | None = None,
    override: Callable[[Wiring], Wiring] | None = None,
) -> "CtxfyApp":
    """
    Make the application, for `uvicorn --factory` too. Nothing is opened before its lifespan.

    Args:
        settings: Read from the environment if not given.
        snapshot: Prompts that were loaded and tested already; else the folder is loaded here.
        override: Changes the wiring before the outer parts are built on it.

    Raises:
        CtxfyError: It cannot be put together; one sentence.
    """
    settings = settings or load_settings()
    wiring = wire(settings, snapshot)
    return CtxfyApp(override(wiring) if override else wiring)


def wire(settings: Settings, snapshot: CatalogSnapshot | None) -> Wiring:
    """
    Make the inner parts: logging, the driven adapters, and the shells on them.
    """
    own = server_secrets(settings)
    configure_logging(
        format=settings.logging.format,
        level=settings.logging.level,
        stream=sys.stdout,
        now=utc_now,
    )
    logging = StructuredLogger(user_id_form=settings.logging.user_id, pseudonym=pseudonymizer(own))
    registry = new_registry()
    policies = routes.route_policies(public_metrics=settings.monitoring.public_metrics)
    metrics = PrometheusMetrics(
        registry, endpoints=[policy.path for policy in policies], version=__version__
    )
    storage = make_storage(settings, own)
    keys = ApiKeyService(
        storage.keys,
        storage.material,
        now=utc_now,
        monotonic=time.monotonic,
        logging=logging,
        max_stale=settings.auth.max_stale,
    )
    validator = make_validator(settings.limits.argument_bytes, settings.limits.arguments_bytes)
    catalog = MemoryCatalog(snapshot or make_loader(settings.prompts.folder, validator).load())
    prompts = PromptService(
        catalog,
        validator,
        logging=logging,
        metrics=metrics,
        monotonic=time.perf_counter,
        default_model=settings.llm.default_model,
    )
    return Wiring(
        settings=settings,
        policies=policies,
        logging=logging,
        metrics=metrics,
        scrape=metrics_endpoint(registry),
        storage=storage,
        keys=keys,
        catalog=catalog,
        prompt_commands=prompts,
        prompt_queries=prompts,
        draining=Event(),
        announce=announce_first_key,
    )


class CtxfyApp(LifespanApp):
    """
    The whole application around a wiring.
    """

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        server = build_mcp_server(
            McpPrompts(wiring.prompt_commands, wiring.prompt_queries, current_principal),
            version=__version__,
            auth=PrincipalVerifier(current_principal),
        )
        # Stateless: any replica answers any request. Host and Origin are the gate's business.
        self._mcp = server.http_app(
            path=routes.MCP, stateless_http=True, host_origin_protection=False
        )
        super().__init__(self._around(self._dispatcher()), self._context)

    def _dispatcher(self) -> ASGIApp:
        wiring = self.wiring
        health = HealthEndpoints(
            HealthService(
                [StorageProbe(database=wiring.storage.database), CatalogProbe(wiring.catalog)],
                monotonic=time.monotonic,
                draining=wiring.draining.is_set,
            ),
            version=__version__,
        )
        return routes.Dispatcher(
            wiring.policies,
            {
                routes.MCP: self._mcp,
                routes.MCP_WITH_SLASH: routes.at_path(self._mcp, routes.MCP),
                routes.HEALTH: routes.endpoint(health.health),
                routes.LIVE: routes.endpoint(health.live),
                routes.READY: routes.endpoint(health.ready),
                routes.METRICS: routes.endpoint(wiring.scrape),
                routes.WELL_KNOWN: routes.endpoint(routes.no_oauth),
                routes.REGISTER: routes.endpoint(routes.no_oauth),
            },
        )

    def _around(self, app: ASGIApp) -> ASGIApp:
        """
        Put the middleware around the routes, from the inside out.
        """
        wiring, settings = self.wiring, self.wiring.settings
        gate = AccessGate(
            app,
            table=PolicyTable(wiring.policies),
            hosts=HostOriginPolicy(
                hosts=(*settings.server.allowed_hosts, settings.server.host),
                origins=tuple(origin.lower().rstrip("/") for origin in settings.cors.origins),
            ),
            auth=wiring.keys,
            logging=wiring.logging,
            metrics=wiring.metrics,
            on_error=error_response,
            max_body_bytes=settings.server.max_body_bytes,
        )
        return RequestContext(
            gate,
            logging=wiring.logging,
            metrics=wiring.metrics,
            new_request_id=lambda: uuid4().hex,
            monotonic=time.perf_counter,
            security_headers=SECURITY_HEADERS,
            on_error=lambda scope, _request_id, error: error_response(scope, error),
        )

    @asynccontextmanager
    async def _context(self) -> AsyncGenerator[None]:
        wiring = self.wiring
        async with AsyncExitStack() as stack:
            stack.push_async_callback(wiring.storage.database.aclose)
            await wiring.storage.make_ready(migrate_now=wiring.settings.storage.migrate == "auto")
            # Before FastMCP: its tasks would wrap what this may raise into a group of errors.
            first_key = await ensure_first_key(wiring.settings, wiring.keys)
            await stack.enter_async_context(self._mcp.lifespan(self._mcp))
            await stack.enter_async_context(_running(wiring.keys.run()))
            served = wiring.catalog.snapshot().catalog
            wiring.metrics.record_catalog(len(served), served.revision)
            wiring.logging.log_event(
                "server_started",
                url=base_url(wiring.settings),
                version=__version__,
                prompts=len(served),
                revision=served.revision,
            )
            if first_key is not None:
                wiring.announce(wiring.settings, first_key)
            yield
            wiring.logging.log_event("server_stopped")


@asynccontextmanager
async def _running(work: Coroutine[object, object, None]) -> AsyncGenerator[None]:
    """
    Run something in the background for as long as the block lasts.
    """
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
