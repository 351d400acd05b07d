"""
The REST surface: one FastAPI application, its routes registered from the table.
"""

import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Never, override

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from ctxfy.adapters.audit.privacy_routes import PrivacyRoutes
from ctxfy.adapters.audit.report import ComplianceReport
from ctxfy.adapters.audit.routes import AuditRoutes
from ctxfy.adapters.auth.caller_endpoint import show_caller
from ctxfy.adapters.auth.leak_reports import LeakReports
from ctxfy.adapters.auth.leak_routes import LeakRoutes
from ctxfy.adapters.auth.routes import KeyRoutes
from ctxfy.adapters.auth.usage_routes import UsageRoutes
from ctxfy.adapters.mcp_prompts.routes import PromptRoutes
from ctxfy.adapters.monitoring.level_routes import LevelRoutes
from ctxfy.app import routes
from ctxfy.app.http_errors import error_response
from ctxfy.app.loading import utc_now
from ctxfy.app.request_mistakes import refuse_repeated, request_error
from ctxfy.app.wiring import Wiring
from ctxfy.core.exceptions import CtxfyError, MalformedBodyError
from ctxfy.core.models.auth_models import RoutePolicy


type RestHandler = Callable[..., Awaitable[Response]]
type RestHandlers = Mapping[tuple[str, str], RestHandler]
"""
By path and method.
"""


def rest_handlers(wiring: Wiring) -> RestHandlers:
    """
    Say which function answers which path and method.
    """
    prompts = PromptRoutes(
        wiring.prompt_commands,
        wiring.prompt_queries,
        wiring.validator,
        wiring.shared_reload or wiring.reloader,
        monotonic=time.perf_counter,
    )
    keys = KeyRoutes(wiring.keys, wiring.keys)
    storage = wiring.storage
    leaks = LeakRoutes(
        LeakReports(
            storage.keys,
            storage.material,
            forget=wiring.keys.forget,
            now=utc_now,
            logging=wiring.logging,
            trail=storage.trail,
            static=wiring.static,
        )
    )
    report = ComplianceReport(
        storage.events,
        storage.proofs,
        wiring.keys.list_api_keys,
        pepper_id=lambda: storage.material.pepper_id,
    )
    audit = AuditRoutes(storage.events, storage.proofs, report, now=utc_now)
    privacy = PrivacyRoutes(wiring.privacy)
    levels = LevelRoutes(wiring.log_levels)
    return {
        (routes.PROMPTS, "GET"): prompts.list_prompts,
        (routes.PROMPT, "GET"): prompts.show,
        (routes.EXECUTE, "POST"): prompts.execute,
        (routes.RELOAD, "POST"): prompts.reload,
        (routes.API_KEYS, "GET"): keys.list_keys,
        (routes.API_KEYS, "POST"): keys.create,
        (routes.CURRENT_API_KEY, "GET"): show_caller,
        (routes.API_KEY, "GET"): keys.show,
        (routes.API_KEY, "DELETE"): keys.revoke,
        (routes.DISABLE_API_KEY, "POST"): keys.disable,
        (routes.ENABLE_API_KEY, "POST"): keys.enable,
        (routes.ROTATE_API_KEY, "POST"): keys.rotate,
        (routes.ROTATE_CURRENT_API_KEY, "POST"): keys.rotate_current,
        (routes.KEY_USAGE, "GET"): UsageRoutes(wiring.usage, wiring.keys).show,
        (routes.LEAK_REPORTS, "POST"): leaks.report,
        (routes.AUDIT_EVENTS, "GET"): audit.list_events,
        (routes.AUDIT_VERIFY, "GET"): audit.verify,
        (routes.AUDIT_REPORT, "GET"): audit.report,
        (routes.PERSON, "GET"): privacy.export,
        (routes.PERSON, "DELETE"): privacy.erase,
        (routes.LOG_LEVELS, "GET"): levels.show,
        (routes.LOG_LEVEL, "PUT"): levels.change,
        (routes.LOG_LEVEL, "DELETE"): levels.take_back,
    }


def build_rest(policies: Sequence[RoutePolicy], handlers: RestHandlers) -> FastAPI:
    """
    Register the handlers under the paths and methods of the table.

    Raises:
        ValueError: A handler is not in the table, or a method of the table has no handler.
    """
    paths = {path for path, _ in handlers}
    wanted = {
        (policy.path, method)
        for policy in policies
        if policy.path in paths
        for method in policy.methods
    }
    if wanted != set(handlers):
        message = f"routes and handlers differ: {sorted(wanted ^ set(handlers))}"
        raise ValueError(message)
    # The gate read the body, bounded; there are no pages: whoever may see them is for the gate.
    app = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            CtxfyError: _refuse,
            RequestValidationError: _refuse,
            HTTPException: _propagate,
            Exception: _propagate,
        },
    )
    app.router.route_class = JsonRoute
    # Literal paths first, as PolicyTable has them: the router takes the first that fits.
    for path, method in sorted(handlers, key=lambda each: ("{" in each[0], each)):
        app.add_api_route(
            path,
            handlers[path, method],
            methods=["GET", "HEAD"] if method == "GET" else [method],
            response_model=None,
        )
    return app


def describe_rest(handlers: RestHandlers) -> dict[str, Any]:
    """
    Say what FastAPI knows of the handlers: parameters and bodies, as an OpenAPI 3.1 document.
    """
    router = APIRouter()
    for path, method in sorted(handlers):
        router.add_api_route(path, handlers[path, method], methods=[method], response_model=None)
    return get_openapi(title="REST", version="", routes=router.routes)


class JsonRoute(APIRoute):
    """
    A route whose body is read by pydantic's parser: no NaN, no halves of characters, no deep nests.

    No parameter of the query may come twice: a proxy might take the other one.
    """

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_json(request: Request) -> Response:
            refuse_repeated(name for name, _ in request.query_params.multi_items())
            if self.body_field is None:
                return await handle(request)
            strict = _JsonRequest(request.scope, request.receive)
            await strict.json()  # here, since FastAPI would make its own error of ours
            return await handle(strict)

        return handle_json


class _JsonRequest(Request):
    @override
    async def json(self) -> Any:
        body = await self.body()
        try:
            return from_json(body, allow_inf_nan=False) if body else None
        except ValueError as error:
            raise MalformedBodyError from error


async def _refuse(request: Request, error: Exception) -> Response:
    if isinstance(error, RequestValidationError):
        return error_response(request.scope, request_error(error))
    return error_response(request.scope, error)


async def _propagate(_request: Request, error: Exception) -> Never:
    # To the outermost middleware, which logs it and answers. The gate found the route, so FastAPI's
    # own 404 and 405 would be mistakes of ours too.
    raise error
