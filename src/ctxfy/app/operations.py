"""
What the description says of each route: a row for every path and method of the table.
"""

from dataclasses import replace

from ctxfy.adapters.api_docs.operations import Answer, Operation, Operations
from ctxfy.adapters.audit.audit_fields import EventPageData, VerificationData
from ctxfy.adapters.audit.person_fields import ErasureData, HoldingsData
from ctxfy.adapters.auth.key_fields import CurrentData, KeyData, KeyPageData, NewKeyData
from ctxfy.adapters.auth.leak_routes import LeakReportData
from ctxfy.adapters.auth.usage_fields import UsageData
from ctxfy.adapters.mcp_prompts.prompt_fields import (
    ExecutionData,
    PromptInFullData,
    PromptPageData,
    ReloadData,
)
from ctxfy.adapters.monitoring.health_endpoints import HealthData, LiveData, ReadinessData
from ctxfy.adapters.monitoring.level_routes import LevelsData
from ctxfy.app import routes
from ctxfy.core.exceptions import (
    ApiKeyNotFoundError,
    CatalogError,
    InvalidArgumentsError,
    InvalidKeyRequestError,
    InvalidRequestError,
    KeyNotRotatableError,
    LastAdminKeyError,
    PersonNotFoundError,
    PromptNotFoundError,
    RenderError,
    RouteNotFoundError,
    ScopeNotGrantableError,
    StaticKeyError,
)
from ctxfy.core.use_cases.report_use_cases import ReportData


_TEXT = {"type": "string"}
_PAGE = Answer(description="The page.", media_type="text/html", body=_TEXT)
_MCP_ANSWER = {"$ref": "#/components/schemas/McpAnswer"}
_HEALTH_JSON = "application/health+json"
_KEPT = {"ETag": "Names this very content."}
_STILL_THE_SAME = Answer(status=304, description="It is still the same.")
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of what the client has.",
    "schema": _TEXT,
}
_KEPT_PAGE = (replace(_PAGE, headers=_KEPT), _STILL_THE_SAME)
_LEVELS = Answer(description="Every level there is now.", body=LevelsData)
_NOT_FOUND = {
    "type": "object",
    "properties": {"error": {"type": "string", "enum": ["not_found"]}},
    "required": ["error"],
}


def operations(*, docs: bool, tokens: bool = False) -> Operations:
    """
    Lay out the table.

    Args:
        docs: Whether there are the pages and the description of the API.
        tokens: Whether tokens of an issuer are taken, and clients told whose.
    """
    return {
        **_MCP,
        **_PROMPTS,
        **_KEYS,
        **_LEAKS,
        **_AUDIT,
        **_PRIVACY,
        **_LOGGING,
        **(_DOCS if docs else {}),
        **_OPERATIONS,
        **_BROWSERS,
        **_DISCOVERY,
        **(_RESOURCE if tokens else {}),
    }


def _health(name: str, summary: str, body: object) -> Operation:
    well = Answer(description="Well.", media_type=_HEALTH_JSON, body=body)
    return Operation(
        name=name,
        tag="operations",
        summary=summary,
        answers=(well, replace(well, status=503, description="Not well.")),
    )


_ANY_PROMPT_NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "schema": _TEXT,
}
_ANY_VERSION = {
    "name": "version",
    "in": "query",
    "description": "The highest if not given.",
    "schema": _TEXT,
}
_MCP_HEADERS = tuple(
    {"name": name, "in": "header", "description": text, "schema": _TEXT}
    for name, text in (
        ("MCP-Protocol-Version", "The revision the message is of; 2025-03-26 if not there."),
        ("Mcp-Method", "The method again, from 2026-07-28 on."),
        ("Mcp-Name", "The prompt's name again, for prompts/get, from 2026-07-28 on."),
    )
)
_MESSAGE = Operation(
    name="send_message",
    tag="mcp",
    summary="Send one message of the Model Context Protocol.",
    description=(
        "Protocol revisions 2025-03-26 to 2025-11-25 and 2026-07-28, without sessions. `Accept` "
        "must name `application/json` and `text/event-stream`. A mistake in a message that could "
        "be read is an error of JSON-RPC, up to 2025-11-25 with status 200."
    ),
    answers=(
        Answer(description="The answer.", body={}),
        Answer(status=202, description="A notification was taken."),
        Answer(
            status=400,
            description="The message is none, or wrong.",
            body=_MCP_ANSWER,
        ),
        Answer(
            status=404,
            description="There is no such method.",
            body=_MCP_ANSWER,
        ),
        Answer(
            status=406,
            description="`Accept` does not name what may come.",
            body=_MCP_ANSWER,
        ),
    ),
    parameters=_MCP_HEADERS,
)
_MCP: Operations = {
    (routes.MCP, "POST"): _MESSAGE,
    (routes.MCP_WITH_SLASH, "POST"): replace(
        _MESSAGE,
        name="send_message_with_slash",
        summary="The same, for clients that are set up with a slash at the end.",
    ),
}
_PROMPTS: Operations = {
    (routes.PROMPTS, "GET"): Operation(
        name="list_prompts",
        tag="prompts",
        answers=(Answer(description="One page.", body=PromptPageData),),
    ),
    (routes.PROMPT, "GET"): Operation(
        name="show_prompt",
        tag="prompts",
        answers=(Answer(description="The prompt.", body=PromptInFullData),),
        errors=(PromptNotFoundError,),
    ),
    (routes.EXECUTE, "POST"): Operation(
        name="execute_prompt",
        tag="prompts",
        answers=(Answer(description="The rendering.", body=ExecutionData),),
        errors=(PromptNotFoundError, InvalidArgumentsError, RenderError),
    ),
    (routes.RELOAD, "POST"): Operation(
        name="reload_prompts",
        tag="prompts",
        answers=(Answer(description="What changed.", body=ReloadData),),
        errors=(CatalogError,),
    ),
}
_KEYS: Operations = {
    (routes.API_KEYS, "GET"): Operation(
        name="list_api_keys",
        tag="keys",
        answers=(Answer(description="One page.", body=KeyPageData),),
    ),
    (routes.API_KEYS, "POST"): Operation(
        name="create_api_key",
        tag="keys",
        answers=(
            Answer(
                status=201,
                description="The key.",
                body=NewKeyData,
                headers={"Location": "Where the key is shown."},
            ),
        ),
        errors=(ScopeNotGrantableError, InvalidKeyRequestError),
        request_examples={
            "for a person": {
                "user_id": "ada",
                "name": "laptop",
                "ttl_hours": 720,
                "prompts": ["review-*"],
            }
        },
    ),
    (routes.CURRENT_API_KEY, "GET"): Operation(
        name="show_current_api_key",
        tag="keys",
        answers=(Answer(description="The key, or the token.", body=CurrentData),),
    ),
    (routes.API_KEY, "GET"): Operation(
        name="show_api_key",
        tag="keys",
        answers=(Answer(description="The key.", body=KeyData),),
        errors=(ApiKeyNotFoundError,),
    ),
    (routes.API_KEY, "DELETE"): Operation(
        name="revoke_api_key",
        tag="keys",
        answers=(Answer(status=204, description="It is revoked."),),
        errors=(ApiKeyNotFoundError, LastAdminKeyError, StaticKeyError),
    ),
    (routes.DISABLE_API_KEY, "POST"): Operation(
        name="disable_api_key",
        tag="keys",
        answers=(Answer(description="The key.", body=KeyData),),
        errors=(ApiKeyNotFoundError, LastAdminKeyError, StaticKeyError),
    ),
    (routes.ENABLE_API_KEY, "POST"): Operation(
        name="enable_api_key",
        tag="keys",
        answers=(Answer(description="The key.", body=KeyData),),
        errors=(ApiKeyNotFoundError, StaticKeyError),
    ),
    (routes.ROTATE_API_KEY, "POST"): Operation(
        name="rotate_api_key",
        tag="keys",
        answers=(Answer(description="The key, with its new secret.", body=NewKeyData),),
        errors=(ApiKeyNotFoundError, KeyNotRotatableError, StaticKeyError, InvalidKeyRequestError),
    ),
    (routes.ROTATE_CURRENT_API_KEY, "POST"): Operation(
        name="rotate_current_api_key",
        tag="keys",
        answers=(Answer(description="The key, with its new secret.", body=NewKeyData),),
        errors=(KeyNotRotatableError, StaticKeyError, InvalidKeyRequestError),
    ),
}
_LEAKS: Operations = {
    (routes.KEY_USAGE, "GET"): Operation(
        name="show_api_key_usage",
        tag="keys",
        answers=(Answer(description="By day, and together.", body=UsageData),),
        errors=(ApiKeyNotFoundError,),
    ),
    (routes.LEAK_REPORTS, "POST"): Operation(
        name="report_leak",
        tag="keys",
        answers=(Answer(description="What came of each key.", body=LeakReportData),),
        errors=(InvalidKeyRequestError,),
        request_examples={
            "by its id": {"key_ids": ["5Xq0aB3dE6gH"], "found_at": "https://git.example.com/x"}
        },
    ),
}
_AUDIT: Operations = {
    (routes.AUDIT_EVENTS, "GET"): Operation(
        name="list_audit_events",
        tag="audit",
        answers=(Answer(description="One page.", body=EventPageData),),
    ),
    (routes.AUDIT_VERIFY, "GET"): Operation(
        name="verify_audit_trail",
        tag="audit",
        answers=(Answer(description="What was found.", body=VerificationData),),
    ),
    (routes.AUDIT_REPORT, "GET"): Operation(
        name="report_compliance",
        tag="audit",
        answers=(
            Answer(description="The report.", body=ReportData, other_media_types=("text/html",)),
        ),
    ),
}
_PRIVACY: Operations = {
    (routes.PERSON, "GET"): Operation(
        name="export_person",
        tag="privacy",
        description="A name with a slash or a backslash in it goes by the command line.",
        answers=(Answer(description="Everything that is held.", body=HoldingsData),),
        errors=(PersonNotFoundError,),
    ),
    (routes.PERSON, "DELETE"): Operation(
        name="erase_person",
        tag="privacy",
        description="A name with a slash or a backslash in it goes by the command line.",
        answers=(Answer(description="What was ended.", body=ErasureData),),
        errors=(PersonNotFoundError, LastAdminKeyError),
    ),
}
_LOGGING: Operations = {
    (routes.LOG_LEVELS, "GET"): Operation(
        name="list_log_levels",
        tag="operations",
        answers=(_LEVELS,),
    ),
    (routes.LOG_LEVEL, "PUT"): Operation(
        name="change_log_level",
        tag="operations",
        description="It counts in the process that answers. Libraries that would print what people"
        " send stay quiet, whoever asks.",
        answers=(_LEVELS,),
        request_examples={"for ten minutes": {"level": "DEBUG", "seconds": 600}},
    ),
    (routes.LOG_LEVEL, "DELETE"): Operation(
        name="restore_log_level",
        tag="operations",
        answers=(_LEVELS,),
        errors=(InvalidRequestError,),
    ),
}
_DOCS: Operations = {
    (routes.DOCS, "GET"): Operation(
        name="show_catalog",
        tag="docs",
        summary="Show the prompts that the caller may use, to be searched.",
        answers=_KEPT_PAGE,
        parameters=(
            _IF_NONE_MATCH,
            *(
                {"name": name, "in": "query", "description": text, "schema": _TEXT}
                for name, text in (
                    ("q", "Words, each of which must occur."),
                    ("tag", "One of the tags."),
                    ("owner", "One of the owners."),
                )
            ),
        ),
    ),
    (routes.DOCS_PROMPT, "GET"): Operation(
        name="show_prompt_page",
        tag="docs",
        summary="Show one prompt: what it is for, its arguments, and a form that renders it.",
        answers=_KEPT_PAGE,
        errors=(PromptNotFoundError,),
        parameters=(
            _ANY_PROMPT_NAME,
            _IF_NONE_MATCH,
            _ANY_VERSION,
        ),
    ),
    (routes.DOCS_START, "GET"): Operation(
        name="show_start",
        tag="docs",
        summary="Show how clients and programs are connected to this server.",
        answers=_KEPT_PAGE,
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.DOCS_EXPLORER, "GET"): Operation(
        name="show_explorer",
        tag="docs",
        summary="Show the page on which the API can be read and tried.",
        answers=_KEPT_PAGE,
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.DOCS_MARKDOWN, "GET"): Operation(
        name="show_prompt_markdown",
        tag="docs",
        summary="Tell all about one prompt in Markdown: arguments, examples, calls, versions.",
        answers=(
            Answer(description="The page.", media_type="text/markdown", body=_TEXT, headers=_KEPT),
            _STILL_THE_SAME,
        ),
        errors=(PromptNotFoundError,),
        parameters=(_ANY_PROMPT_NAME, _IF_NONE_MATCH, _ANY_VERSION),
    ),
    (routes.LLMS, "GET"): Operation(
        name="show_llms_text",
        tag="docs",
        summary="List the prompts that the caller may use, for language models (llmstxt.org).",
        answers=(
            Answer(description="The list.", media_type="text/plain", body=_TEXT, headers=_KEPT),
            _STILL_THE_SAME,
        ),
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.DOCS_KEYS, "GET"): Operation(
        name="show_keys_page",
        tag="docs",
        summary="Show the page on which keys are made, rotated and ended.",
        answers=_KEPT_PAGE,
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.DOCS_AUDIT, "GET"): Operation(
        name="show_audit_page",
        tag="docs",
        summary="Show the page on which the audit trail is read and verified.",
        answers=_KEPT_PAGE,
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.OPENAPI, "GET"): Operation(
        name="show_openapi",
        tag="docs",
        summary="Describe every fixed route, and each prompt that the caller may use.",
        answers=(
            Answer(description="OpenAPI 3.0.3.", body={"type": "object"}, headers=_KEPT),
            _STILL_THE_SAME,
        ),
        parameters=(_IF_NONE_MATCH,),
    ),
    (routes.DOCS_ASSET, "GET"): Operation(
        name="show_docs_asset",
        tag="docs",
        summary="Give one of the files the pages are made of.",
        answers=(
            Answer(
                description="The file.",
                media_type="text/css",
                other_media_types=("text/javascript", "image/svg+xml"),
                body=_TEXT,
            ),
            _STILL_THE_SAME,
        ),
        errors=(RouteNotFoundError,),
        parameters=(_ANY_PROMPT_NAME,),
    ),
}
_OPERATIONS: Operations = {
    (routes.HEALTH, "GET"): _health(
        "show_health", "Tell how the server and its parts are.", HealthData
    ),
    (routes.LIVE, "GET"): _health("show_liveness", "Answer as long as anything runs.", LiveData),
    (routes.READY, "GET"): _health(
        "show_readiness", "Tell whether traffic should be sent here.", ReadinessData
    ),
    (routes.METRICS, "GET"): Operation(
        name="show_metrics",
        tag="operations",
        summary="Write the metrics for Prometheus.",
        answers=(Answer(description="Text.", media_type="text/plain", body=_TEXT),),
    ),
}
_LOGIN_FORM = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "properties": {
                    "key": {"type": "string", "format": "password", "description": "An API key."},
                    "next": {"type": "string", "description": "A path of this server to go to."},
                },
                "required": ["key"],
            }
        }
    },
}
_BROWSERS: Operations = {
    (routes.LOGIN, "GET"): Operation(
        name="show_login",
        tag="browsers",
        summary="Show the form that takes a key.",
        answers=(_PAGE,),
        parameters=(
            {
                "name": "next",
                "in": "query",
                "description": "A path of this server to go to.",
                "schema": _TEXT,
            },
        ),
    ),
    (routes.LOGIN, "POST"): Operation(
        name="log_in",
        tag="browsers",
        summary="Begin a browser session with a key.",
        answers=(
            Answer(
                status=303,
                description="It has begun.",
                headers={"Location": "Where to go.", "Set-Cookie": "The session's cookies."},
            ),
            replace(_PAGE, status=401, description="The form again: the key is not valid."),
            replace(_PAGE, status=429, description="The form again: the key came too often."),
            replace(_PAGE, status=503, description="The form again: try again later."),
        ),
        request_body=_LOGIN_FORM,
    ),
    (routes.LOGIN_STYLE, "GET"): Operation(
        name="show_login_style",
        tag="browsers",
        summary="Give the form its looks.",
        answers=(Answer(description="The file.", media_type="text/css", body=_TEXT),),
    ),
    (routes.LOGOUT, "POST"): Operation(
        name="log_out",
        tag="browsers",
        summary="End the browser session.",
        answers=(
            Answer(status=303, description="It has ended.", headers={"Location": "The form."}),
        ),
    ),
}
_DISCOVERY: Operations = {
    (path, method): Operation(
        name=f"{name}_{method.lower()}",
        tag="discovery",
        summary="Say that there is no OAuth here.",
        answers=(Answer(status=404, description="There is nothing.", body=_NOT_FOUND),),
        parameters=parameters,
    )
    for path, name, parameters in (
        (routes.WELL_KNOWN, "no_well_known", ({**_ANY_PROMPT_NAME, "name": "rest"},)),
        (routes.REGISTER, "no_register", ()),
    )
    for method in ("GET", "POST")
}
_RESOURCE: Operations = {
    (path, "GET"): Operation(
        name=name,
        tag="discovery",
        summary="Tell clients who issues tokens for this server (RFC 9728).",
        answers=(Answer(description="The metadata.", body={"type": "object"}),),
    )
    for path, name in (
        (routes.PROTECTED_RESOURCE, "show_protected_resource"),
        (routes.PROTECTED_RESOURCE_MCP, "show_protected_resource_mcp"),
    )
}
