"""
Every route there is, with its policy: one table. What is not in it does not exist.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from ctxfy.core.models.auth_models import Audited, RoutePolicy
from ctxfy.core.models.auth_models import Scope as KeyScope


type Handler = Callable[[Request], Awaitable[Response]]

MCP = "/mcp"
MCP_WITH_SLASH = "/mcp/"
HEALTH = "/health"
LIVE = "/health/live"
READY = "/health/ready"
METRICS = "/metrics"
WELL_KNOWN = "/.well-known/{rest:path}"
PROTECTED_RESOURCE = "/.well-known/oauth-protected-resource"
PROTECTED_RESOURCE_MCP = "/.well-known/oauth-protected-resource/mcp"
REGISTER = "/register"
PROMPTS = "/prompts"
PROMPT = "/prompts/{name}"
EXECUTE = "/prompts/{name}/execute"
RELOAD = "/prompts/reload"
DOCS = "/docs"
DOCS_PROMPT = "/docs/prompts/{name}"
DOCS_START = "/docs/start"
DOCS_EXPLORER = "/docs/explorer"
DOCS_MARKDOWN = "/docs/prompts/{name}.md"
LLMS = "/llms.txt"
DOCS_KEYS = "/docs/keys"
DOCS_AUDIT = "/docs/audit"
DOCS_ASSET = "/docs/assets/{name}"
OPENAPI = "/openapi.json"
API_KEYS = "/auth/api-keys"
API_KEY = "/auth/api-keys/{key_id}"
CURRENT_API_KEY = "/auth/api-keys/current"
DISABLE_API_KEY = "/auth/api-keys/{key_id}/disable"
ENABLE_API_KEY = "/auth/api-keys/{key_id}/enable"
ROTATE_API_KEY = "/auth/api-keys/{key_id}/rotate"
ROTATE_CURRENT_API_KEY = "/auth/api-keys/current/rotate"
KEY_USAGE = "/auth/api-keys/{key_id}/usage"
LEAK_REPORTS = "/auth/leak-reports"
MAX_LEAK_REPORT_BYTES = 256 * 1024
LOGIN = "/login"
LOGIN_STYLE = "/login/style.css"
LOGOUT = "/logout"
MAX_LOGIN_BYTES = 16 * 1024
AUDIT_EVENTS = "/audit/events"
AUDIT_VERIFY = "/audit/verify"
AUDIT_REPORT = "/audit/report"
PERSON = "/privacy/users/{user_id}"
LOG_LEVELS = "/logging/levels"
LOG_LEVEL = "/logging/levels/{logger}"
REST = (
    PROMPTS,
    PROMPT,
    EXECUTE,
    RELOAD,
    API_KEYS,
    API_KEY,
    CURRENT_API_KEY,
    DISABLE_API_KEY,
    ENABLE_API_KEY,
    ROTATE_API_KEY,
    ROTATE_CURRENT_API_KEY,
    KEY_USAGE,
    LEAK_REPORTS,
    AUDIT_EVENTS,
    AUDIT_VERIFY,
    AUDIT_REPORT,
    PERSON,
    LOG_LEVELS,
    LOG_LEVEL,
)


def route_policies(
    *, public_metrics: bool, docs: bool = True, tokens: bool = False
) -> tuple[RoutePolicy, ...]:
    """
    Lay out the table.

    Args:
        public_metrics: Whether /metrics needs no key.
        docs: Whether there are the pages and the description of the API.
        tokens: Whether tokens of an issuer are taken, and clients told whose.
    """
    return (
        # Clients are configured with and without the slash; a redirect would lose their POST.
        *(
            RoutePolicy(
                path=path,
                methods=("POST",),
                scope=KeyScope.READ,
                consumes="application/json",
                sessions=False,
                login=False,
                action="mcp_called",
            )
            for path in (MCP, MCP_WITH_SLASH)
        ),
        *_rest_policies(),
        *(_docs_policies() if docs else ()),
        # Probes and scrapers come by address, so their Host is nobody's name.
        *(
            RoutePolicy(
                path=path, methods=("GET",), scope=None, any_host=True, audited=Audited.NEVER
            )
            for path in (HEALTH, LIVE, READY)
        ),
        RoutePolicy(
            path=METRICS,
            methods=("GET",),
            scope=None if public_metrics else KeyScope.READ,
            narrowed=False,
            any_host=True,
            login=False,
            action="metrics_read",
            audited=Audited.REFUSALS,
        ),
        *_login_policies(),
        *(
            RoutePolicy(path=path, methods=("GET", "POST"), scope=None, audited=Audited.NEVER)
            for path in (WELL_KNOWN, REGISTER)
        ),
        *(
            RoutePolicy(path=path, methods=("GET",), scope=None, audited=Audited.NEVER)
            for path in ((PROTECTED_RESOURCE, PROTECTED_RESOURCE_MCP) if tokens else ())
        ),
    )


def _rest_policies() -> tuple[RoutePolicy, ...]:
    read, write = KeyScope.READ, KeyScope.WRITE
    json = "application/json"
    return (
        RoutePolicy(path=PROMPTS, methods=("GET",), scope=read, action="prompts_listed"),
        RoutePolicy(path=PROMPT, methods=("GET",), scope=read, action="prompt_shown"),
        RoutePolicy(
            path=RELOAD, methods=("POST",), scope=write, narrowed=False, action="prompts_reloaded"
        ),
        RoutePolicy(
            path=EXECUTE, methods=("POST",), scope=read, consumes=json, action="prompt_executed"
        ),
        RoutePolicy(path=CURRENT_API_KEY, methods=("GET",), scope=read, action="key_identified"),
        RoutePolicy(
            path=ROTATE_CURRENT_API_KEY,
            methods=("POST",),
            scope=read,
            consumes=json,
            action="key_rotated",
            audited=Audited.REFUSALS,
        ),
        *_admin_policies(),
    )


def _admin_policies() -> tuple[RoutePolicy, ...]:
    # A narrowed key must not see or make keys that are not narrowed like it.
    def admin(
        path: str,
        method: str,
        action: str,
        *,
        audited: Audited = Audited.ALWAYS,
        consumes: str | None = None,
        max_body_bytes: int | None = None,
    ) -> RoutePolicy:
        return RoutePolicy(
            path=path,
            methods=(method,),
            scope=KeyScope.ADMIN,
            narrowed=False,
            action=action,
            audited=audited,
            consumes=consumes,
            max_body_bytes=max_body_bytes,
        )

    # The event of a change is written with the change, that of an export before its first word.
    refusals = Audited.REFUSALS
    return (
        admin(API_KEYS, "GET", "keys_listed"),
        admin(API_KEYS, "POST", "key_created", consumes="application/json", audited=refusals),
        admin(API_KEY, "GET", "key_shown"),
        admin(KEY_USAGE, "GET", "key_usage_shown"),
        admin(API_KEY, "DELETE", "key_revoked", audited=refusals),
        admin(DISABLE_API_KEY, "POST", "key_disabled", audited=refusals),
        admin(ENABLE_API_KEY, "POST", "key_enabled", audited=refusals),
        admin(
            ROTATE_API_KEY,
            "POST",
            "key_rotated",
            consumes="application/json",
            audited=refusals,
        ),
        # A report that changed nothing is told too: somebody found something.
        admin(
            LEAK_REPORTS,
            "POST",
            "leak_reported",
            consumes="application/json",
            max_body_bytes=MAX_LEAK_REPORT_BYTES,
        ),
        admin(AUDIT_EVENTS, "GET", "audit_read"),
        admin(AUDIT_VERIFY, "GET", "audit_verified"),
        admin(AUDIT_REPORT, "GET", "audit_reported"),
        admin(PERSON, "GET", "person_exported", audited=refusals),
        admin(PERSON, "DELETE", "person_erased", audited=refusals),
        admin(LOG_LEVELS, "GET", "log_levels_shown"),
        admin(LOG_LEVEL, "PUT", "log_level_changed", consumes="application/json", audited=refusals),
        admin(LOG_LEVEL, "DELETE", "log_level_restored", audited=refusals),
    )


def _login_policies() -> tuple[RoutePolicy, ...]:
    form = "application/x-www-form-urlencoded"
    return (
        RoutePolicy(
            path=LOGIN, methods=("GET",), scope=None, sessions=False, audited=Audited.NEVER
        ),
        RoutePolicy(
            path=LOGIN,
            methods=("POST",),
            scope=None,
            consumes=form,
            max_body_bytes=MAX_LOGIN_BYTES,
            sessions=False,
            form=True,
            action="session_opened",
        ),
        RoutePolicy(
            path=LOGIN_STYLE, methods=("GET",), scope=None, sessions=False, audited=Audited.NEVER
        ),
        RoutePolicy(path=LOGOUT, methods=("POST",), scope=None, form=True, action="session_closed"),
    )


def _docs_policies() -> tuple[RoutePolicy, ...]:
    return (
        # An address that ends in .md is that of Markdown, so it stands before what takes any name.
        *(
            RoutePolicy(path=path, methods=("GET",), scope=KeyScope.READ, action="docs_shown")
            for path in (
                *(DOCS, DOCS_MARKDOWN, DOCS_PROMPT, DOCS_START, DOCS_EXPLORER),
                *(LLMS, OPENAPI),
            )
        ),
        # They hold nothing of anybody; but who may not use what they ask for has no use for them.
        *(
            RoutePolicy(
                path=path,
                methods=("GET",),
                scope=KeyScope.ADMIN,
                narrowed=False,
                action="docs_shown",
            )
            for path in (DOCS_KEYS, DOCS_AUDIT)
        ),
        # Files that anybody can get from the package they come in.
        RoutePolicy(
            path=DOCS_ASSET, methods=("GET",), scope=None, sessions=False, audited=Audited.NEVER
        ),
    )


class Dispatcher:
    """
    Hands a request to the application of its route; the gate has found that there is one.

    Raises:
        ValueError: A route has no application, or an application no route.
    """

    def __init__(self, policies: Sequence[RoutePolicy], apps: Mapping[str, ASGIApp]) -> None:
        paths = {policy.path for policy in policies}
        if paths != set(apps):
            message = f"routes and applications differ: {sorted(paths ^ set(apps))}"
            raise ValueError(message)
        self._apps = dict(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Hand one request on.
        """
        if scope["type"] == "http":
            await self._apps[scope["state"]["route"]](scope, receive, send)


def endpoint(handler: Handler) -> ASGIApp:
    """
    Make an ASGI application of a function from request to response.
    """

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await handler(Request(scope, receive))
        await response(scope, receive, send)

    return app


def at_path(app: ASGIApp, path: str) -> ASGIApp:
    """
    Show an application every request as one to `path`.
    """

    async def moved(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)

    return moved


async def no_oauth(_request: Request) -> Response:
    """
    Say, in the one form that real clients take for a plain no, that there is no OAuth here.

    Anything else at these addresses makes clients open log-in dialogs or give up.
    """
    return JSONResponse({"error": "not_found"}, status_code=404)


def told(value: Mapping[str, object]) -> Handler:
    """
    Make a handler that answers everybody with the same JSON.
    """

    async def handler(_request: Request) -> Response:
        return JSONResponse(value)

    return handler
