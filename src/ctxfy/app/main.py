"""
The composition root: settings in, an ASGI application out.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp

from ctxfy import __version__, business
from ctxfy.adapters.audit.request_trail import RequestTrail
from ctxfy.adapters.auth.admission import Admission
from ctxfy.adapters.auth.browsers import BrowserDoors
from ctxfy.adapters.auth.caller_endpoint import answer_caller
from ctxfy.adapters.auth.capacity import KeyCapacity, ProcessCapacity
from ctxfy.adapters.auth.client_address import ClientAddresses
from ctxfy.adapters.auth.fastmcp_verifier import PrincipalVerifier
from ctxfy.adapters.auth.host_origin import HostOriginPolicy
from ctxfy.adapters.auth.login_pages import LoginPages
from ctxfy.adapters.auth.middleware import AccessGate, current_principal
from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.auth.request_bounds import RequestHeadCheck
from ctxfy.adapters.auth.request_limits import RequestLimits
from ctxfy.adapters.auth.security_headers import SECURITY_HEADERS
from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.adapters.mcp_prompts.express_lane import ExpressLane
from ctxfy.adapters.mcp_prompts.prompt_lists import PromptLists
from ctxfy.adapters.mcp_prompts.result_forms import ResultForms
from ctxfy.adapters.mcp_prompts.server import McpPrompts, build_mcp_server
from ctxfy.adapters.monitoring.health_endpoints import HealthEndpoints
from ctxfy.adapters.monitoring.request_context import RequestContext
from ctxfy.adapters.monitoring.request_ids import RequestIds
from ctxfy.adapters.storage import migrate
from ctxfy.adapters.storage.engine import travels_in_clear
from ctxfy.app import routes
from ctxfy.app.background import running
from ctxfy.app.bootstrap import server_options
from ctxfy.app.config import Settings, load_settings
from ctxfy.app.docs_pages import docs_apps, refusals
from ctxfy.app.first_key import base_url, ensure_first_key
from ctxfy.app.health import make_health
from ctxfy.app.http_errors import error_response, explain_to_person
from ctxfy.app.lazy import LazyApp
from ctxfy.app.lifespan import LifespanApp
from ctxfy.app.limits import access_limits
from ctxfy.app.loading import utc_now
from ctxfy.app.public_address import public_address
from ctxfy.app.tls import hsts_header
from ctxfy.app.wiring import Wiring, wire
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.models.request_models import RequestBounds
from ctxfy.core.ports.prompt_ports import (
    CatalogSnapshot,
)
from ctxfy.core.use_cases.address_use_cases import parse_networks


if TYPE_CHECKING:
    from fastmcp import FastMCP


def create_app(
    settings: Settings | None = None,
    *,
    snapshot: CatalogSnapshot | None = None,
    certificate: ServerCertificate | None = None,
    override: Callable[[Wiring], Wiring] | None = None,
    place: WorkerPlace | None = None,
) -> "CtxfyApp":
    """
    Make the application, for `uvicorn --factory` too. Nothing is opened before its lifespan.

    Args:
        settings: Read from the environment if not given.
        snapshot: Prompts that were loaded and tested already; else the folder is loaded here.
        certificate: What the server shows, if it speaks TLS; health tells when it expires.
        override: Changes the wiring before the outer parts are built on it.
        place: Among the workers that serve together; None for one that serves alone.

    Raises:
        CtxfyError: It cannot be put together; one sentence.
    """
    settings = settings or load_settings()
    wiring = wire(settings, snapshot, place=place)
    return CtxfyApp(override(wiring) if override else wiring, certificate)


class CtxfyApp(LifespanApp):
    """
    The whole application around a wiring.
    """

    def __init__(self, wiring: Wiring, certificate: ServerCertificate | None = None) -> None:
        self.wiring = wiring
        self._health = make_health(wiring, certificate)
        self._loop: asyncio.AbstractEventLoop | None = None
        prompts = McpPrompts(
            wiring.prompt_commands,
            wiring.prompt_queries,
            current_principal,
            functions=wiring.catalog.snapshot().functions.values(),
        )
        server = build_mcp_server(
            prompts,
            version=__version__,
            auth=PrincipalVerifier(current_principal),
            annotate=wiring.logging.annotate,
            tracer=wiring.tracing.tracer,
        )
        wiring.listeners.serve_on(server, prompts.may_read)
        self._addresses = ClientAddresses(parse_networks(wiring.settings.server.trusted_proxies))
        self._admission = Admission(
            wiring.keys,
            wiring.sessions,
            limits=RequestLimits(
                wiring.limiting.limiter,
                access_limits(wiring.settings.limits),
                pseudonym=wiring.limiting.pseudonym,
                logging=wiring.logging,
                metrics=wiring.metrics,
                tracer=wiring.tracing.tracer,
            ),
            addresses=self._addresses,
            logging=wiring.logging,
            metrics=wiring.metrics,
            tokens=wiring.issuer.door if wiring.issuer else None,
        )
        self._refuse = refusals(wiring.settings.docs)
        # Without the pages, the list of prompts is the nearest thing to a first page.
        home = routes.DOCS if wiring.settings.docs.enabled else routes.PROMPTS
        self._public = public_address(wiring.settings.server.public_url)
        self._doors = BrowserDoors(
            login=routes.LOGIN, home=home, prefix=self._public.prefix if self._public else ""
        )
        # Stateless: any replica answers any request. Host and Origin are the gate's business.
        self._fastmcp = server.http_app(
            path=routes.MCP, stateless_http=True, host_origin_protection=False
        )
        self._prepare_lists: Callable[[CatalogSnapshot], None] | None = None
        self._mcp = self._lane(server, prompts) or self._fastmcp
        super().__init__(self._around(self._dispatcher()), self._context)

    def _lane(self, server: "FastMCP[Any]", prompts: McpPrompts) -> ASGIApp | None:
        wiring = self.wiring
        if not wiring.settings.server.express_lane:
            return None
        forms = ResultForms(server)
        lists = PromptLists(wiring.catalog, wiring.prompt_queries, forms)
        wiring.reloader.prepare_with(lists.prepare)
        self._prepare_lists = lists.prepare
        return ExpressLane(
            self._fastmcp,
            prompts=prompts,
            forms=forms,
            lists=lists,
            annotate=wiring.logging.annotate,
            tracer=wiring.tracing.tracer,
        )

    def _dispatcher(self) -> ASGIApp:
        wiring = self.wiring
        health = HealthEndpoints(self._health.service, version=__version__)
        pages = LoginPages(
            self._admission, wiring.sessions, doors=self._doors, explain=explain_to_person
        )
        # FastAPI takes a third of a second to import, and many servers speak MCP alone.
        rest = LazyApp(partial(_make_rest, wiring))
        return routes.Dispatcher(
            wiring.policies,
            dict.fromkeys(routes.REST, rest)
            | {
                routes.MCP: self._mcp,
                routes.MCP_WITH_SLASH: routes.at_path(self._mcp, routes.MCP),
                routes.HEALTH: routes.endpoint(health.health),
                routes.LIVE: health.live,
                routes.READY: routes.endpoint(health.ready),
                routes.METRICS: routes.endpoint(wiring.scrape),
                # Described with the others, and answered without FastAPI.
                routes.CURRENT_API_KEY: answer_caller,
                routes.LOGIN: routes.endpoint(pages.login),
                routes.LOGIN_STYLE: routes.endpoint(pages.style),
                routes.LOGOUT: routes.endpoint(pages.logout),
                **docs_apps(wiring, self._refuse),
                **self._token_apps(),
                routes.WELL_KNOWN: routes.endpoint(routes.no_oauth),
                routes.REGISTER: routes.endpoint(routes.no_oauth),
            },
        )

    def _token_apps(self) -> dict[str, ASGIApp]:
        if (issuer := self.wiring.issuer) is None:
            return {}
        places = (routes.PROTECTED_RESOURCE, routes.PROTECTED_RESOURCE_MCP)
        return dict.fromkeys(places, routes.endpoint(routes.told(issuer.metadata)))

    def _around(self, app: ASGIApp) -> ASGIApp:
        """
        Put the middleware around the routes, from the inside out.
        """
        wiring, settings = self.wiring, self.wiring.settings
        if (at_once := settings.limits.key_requests_at_once) is not None:
            app = KeyCapacity(
                app,
                limit=at_once,
                on_error=error_response,
                logging=wiring.logging,
                metrics=wiring.metrics,
            )
        gate = AccessGate(
            app,
            table=PolicyTable(wiring.policies),
            hosts=self._hosts(),
            admission=self._admission,
            doors=self._doors,
            on_error=self._refuse,
            max_body_bytes=settings.server.max_body_bytes,
            tracer=wiring.tracing.tracer,
        )
        limits = settings.limits
        trail = RequestTrail(
            RequestHeadCheck(
                gate,
                bounds=RequestBounds(
                    headers=limits.headers,
                    header_bytes=limits.header_bytes,
                    header_value_bytes=limits.header_value_bytes,
                    address_bytes=limits.address_bytes,
                ),
                on_error=error_response,
            ),
            trail=wiring.storage.trail,
            fold=wiring.fold,
            network_of=self._addresses.network,
            now=utc_now,
            on_error=error_response,
            tracer=wiring.tracing.tracer,
        )
        return RequestContext(
            ProcessCapacity(
                trail,
                limit=settings.limits.requests_at_once,
                exempt=(routes.HEALTH, routes.LIVE, routes.READY),
                on_error=error_response,
                logging=wiring.logging,
                metrics=wiring.metrics,
            ),
            logging=wiring.logging,
            metrics=wiring.metrics,
            tracer=wiring.tracing.tracer,
            usage=wiring.usage,
            new_request_id=RequestIds(os.urandom),
            monotonic=time.perf_counter,
            security_headers=(*SECURITY_HEADERS, *hsts_header(settings)),
            on_error=lambda scope, _request_id, error: error_response(scope, error),
        )

    def _hosts(self) -> HostOriginPolicy:
        settings, public = self.wiring.settings, self._public
        ours = (*settings.server.allowed_hosts, settings.server.host)
        return HostOriginPolicy(
            hosts=ours if public is None else (*ours, public.host),
            origins=tuple(origin.lower().rstrip("/") for origin in settings.cors.origins),
            public_origin=None if public is None else public.origin,
        )

    def begin_drain(self) -> None:
        """
        Tell balancers to send nobody here any more; all that comes is still served.
        """
        self.wiring.draining.set()

    def end_streams(self) -> None:
        """
        End what would never end by itself, once nobody is sent here any more: clients come back.

        Called by a signal handler too, so it only leaves word for the event loop.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.wiring.listeners.close)

    @asynccontextmanager
    async def _context(self) -> AsyncGenerator[None]:
        wiring = self.wiring
        self._loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            wiring.log_queue.start()
            stack.push_async_callback(asyncio.to_thread, wiring.log_queue.close)
            if (export := wiring.tracing.export) is not None:
                export.start()
                stack.push_async_callback(asyncio.to_thread, export.close)
            stack.push_async_callback(wiring.storage.database.aclose)
            await wiring.storage.make_ready(migrate_now=wiring.settings.storage.migrate == "auto")
            # Before FastMCP: its tasks would wrap what this may raise into a group of errors.
            first_key = await ensure_first_key(wiring.settings, wiring.keys)
            # Before any request: the first poll forgets all keys, and the store may be away then.
            await wiring.keys.poll()
            await asyncio.to_thread(wiring.storage.spool.inherit)
            await stack.enter_async_context(running(wiring.audit.run()))
            await stack.enter_async_context(self._fastmcp.lifespan(self._fastmcp))
            if (shared := wiring.limiting.shared) is not None:
                stack.push_async_callback(shared.aclose)
            for work in self._jobs():
                await stack.enter_async_context(running(work()))
            snapshot = wiring.catalog.snapshot()
            served = snapshot.catalog
            wiring.metrics.record_catalog(len(served), served.revision, snapshot.loaded_at)
            stack.callback(business.connect(wiring.metrics.record_business_event))
            for work in self._health.work:
                await stack.enter_async_context(running(work()))
            if (team := wiring.team) is not None:
                await stack.enter_async_context(running(team.run(wiring.logging)))
            if first_key is not None:
                wiring.announce(wiring.settings, first_key)
            wiring.logging.log_event(
                "server_started",
                url=base_url(wiring.settings),
                version=__version__,
                prompts=len(served),
                revision=served.revision,
            )
            if (newer := await migrate.newer_revision(wiring.storage.database)) is not None:
                wiring.logging.log_event(
                    "newer_schema_found", level=LogLevel.WARNING, revision=newer
                )
            if travels_in_clear(wiring.settings.storage.url, server_options(wiring.settings)):
                wiring.logging.log_event(
                    "storage_not_encrypted",
                    level=LogLevel.WARNING,
                    remedy="CTXFY_STORAGE__TLS=verify",
                )
            if not await wiring.keys.has_admin():
                wiring.logging.log_event(
                    "no_admin_key_found",
                    level=LogLevel.WARNING,
                    remedy="ctxfy keys create --user NAME --scope admin",
                )
            yield
            wiring.draining.set()
            wiring.logging.log_event("server_stopped")

    async def _warm_up(self) -> None:
        """
        Do, beside the first requests, what the first of their kind would wait for.
        """
        if self._prepare_lists is not None:
            await asyncio.to_thread(self._prepare_lists, self.wiring.catalog.snapshot())
        # FastMCP imports this, and much with it, when it is first asked for anything.
        await asyncio.to_thread(import_module, "fastmcp.server.sessions")

    def _jobs(self) -> Iterator[Callable[[], Coroutine[object, object, None]]]:
        """
        List what goes on beside the requests.
        """
        wiring = self.wiring
        yield self._warm_up
        yield wiring.keys.run
        yield wiring.log_levels.run
        if wiring.issuer is not None:
            yield wiring.issuer.keys.run
        if wiring.limiting.shared is not None:
            yield wiring.limiting.shared.run
        if wiring.shared_reload is not None:
            yield wiring.shared_reload.follow
        if wiring.team is not None and not wiring.team.place.is_first:
            return
        # What is to be done once, and not by each worker.
        yield wiring.retention.run
        yield wiring.key_watch.run
        if wiring.verification is not None:
            yield wiring.verification.run
        if wiring.settings.prompts.watch:
            yield partial(wiring.reloader.follow, wiring.settings.prompts.folder)


def _make_rest(wiring: Wiring) -> ASGIApp:
    from ctxfy.app.rest import build_rest, rest_handlers

    return build_rest(wiring.policies, rest_handlers(wiring))
