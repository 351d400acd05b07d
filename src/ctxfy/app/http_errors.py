"""
Errors become responses here, by class: one table, and two shapes.

REST gets `application/problem+json` (RFC 9457), `/mcp` a JSON-RPC error.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import NotRequired, TypedDict

from starlette.responses import Response
from starlette.types import Scope

from ctxfy.adapters.auth.quota_headers import concurrency_headers, quota_headers
from ctxfy.core.exceptions import (
    AddressTooLongError,
    ApiKeyNotFoundError,
    BodyTooLargeError,
    CatalogError,
    CheckpointError,
    ConcurrencyLimitedError,
    CtxfyError,
    ForeignHostError,
    ForeignNetworkError,
    ForeignOriginError,
    ForgedRequestError,
    HeadersTooLargeError,
    InvalidArgumentsError,
    InvalidKeyRequestError,
    InvalidRequestError,
    KeyNotRotatableError,
    LastAdminKeyError,
    MalformedBodyError,
    MalformedRequestError,
    MethodNotAllowedError,
    NotAuthenticatedError,
    NotAuthorizedError,
    OverloadedError,
    PersonNotFoundError,
    PromptNotFoundError,
    RateLimitedError,
    RenderError,
    RequestTooSlowError,
    ResourceNotFoundError,
    RouteNotFoundError,
    ScopeNotGrantableError,
    StaticKeyError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from ctxfy.core.models.auth_models import Scope as KeyScope
from ctxfy.core.models.limit_models import LimitPolicy
from ctxfy.core.models.token_models import ResourceChallenge
from ctxfy.core.use_cases.monitoring_use_cases import redact_text
from ctxfy.core.use_cases.token_use_cases import scopes_to_ask_for
from ctxfy.core.use_cases.validation_use_cases import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What an error is on the wire.

    Attributes:
        rpc: The JSON-RPC code; -32000 to -32019 are an implementation's own (MCP 2026-07-28).
    """

    status: HTTPStatus
    rpc: int


class MistakeData(TypedDict):
    """
    One mistake: in a field of the request, or at a place in a file of prompts.
    """

    message: str
    field: NotRequired[str]
    code: NotRequired[str]
    path: NotRequired[str]
    line: NotRequired[int | None]


# Names that are none in Python; the second is a member of the types below.
_LimitData = TypedDict(
    "_LimitData",
    {"retryAfterSeconds": NotRequired[int], "violated-policies": NotRequired[list[str]]},
)


class ErrorData(_LimitData):
    """
    What is told of every error.
    """

    code: str
    request_id: str | None
    errors: NotRequired[list[MistakeData]]


class _Extras(_LimitData):
    errors: NotRequired[list[MistakeData]]


class ProblemData(ErrorData):
    """
    A refusal (RFC 9457).
    """

    type: str
    title: str
    status: int
    detail: str


class RpcErrorData(TypedDict):
    """
    An error of JSON-RPC.
    """

    code: int
    message: str
    data: ErrorData


class RpcProblemData(TypedDict):
    """
    A refusal in the form of MCP.
    """

    jsonrpc: str
    id: None
    error: RpcErrorData


INTERNAL = Outcome(status=HTTPStatus.INTERNAL_SERVER_ERROR, rpc=-32603)

OUTCOMES: Mapping[type[CtxfyError], Outcome] = {
    NotAuthenticatedError: Outcome(status=HTTPStatus.UNAUTHORIZED, rpc=-32001),
    NotAuthorizedError: Outcome(status=HTTPStatus.FORBIDDEN, rpc=-32003),
    ForeignNetworkError: Outcome(status=HTTPStatus.FORBIDDEN, rpc=-32003),
    ScopeNotGrantableError: Outcome(status=HTTPStatus.FORBIDDEN, rpc=-32003),
    ForeignOriginError: Outcome(status=HTTPStatus.FORBIDDEN, rpc=-32004),
    ForgedRequestError: Outcome(status=HTTPStatus.FORBIDDEN, rpc=-32004),
    ForeignHostError: Outcome(status=HTTPStatus.MISDIRECTED_REQUEST, rpc=-32005),
    RouteNotFoundError: Outcome(status=HTTPStatus.NOT_FOUND, rpc=-32601),
    PromptNotFoundError: Outcome(status=HTTPStatus.NOT_FOUND, rpc=-32602),
    ResourceNotFoundError: Outcome(status=HTTPStatus.NOT_FOUND, rpc=-32602),
    ApiKeyNotFoundError: Outcome(status=HTTPStatus.NOT_FOUND, rpc=-32602),
    PersonNotFoundError: Outcome(status=HTTPStatus.NOT_FOUND, rpc=-32602),
    MethodNotAllowedError: Outcome(status=HTTPStatus.METHOD_NOT_ALLOWED, rpc=-32600),
    KeyNotRotatableError: Outcome(status=HTTPStatus.CONFLICT, rpc=-32602),
    LastAdminKeyError: Outcome(status=HTTPStatus.CONFLICT, rpc=-32602),
    StaticKeyError: Outcome(status=HTTPStatus.CONFLICT, rpc=-32602),
    BodyTooLargeError: Outcome(status=HTTPStatus.CONTENT_TOO_LARGE, rpc=-32006),
    HeadersTooLargeError: Outcome(status=HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, rpc=-32011),
    AddressTooLongError: Outcome(status=HTTPStatus.URI_TOO_LONG, rpc=-32012),
    RequestTooSlowError: Outcome(status=HTTPStatus.REQUEST_TIMEOUT, rpc=-32013),
    MalformedRequestError: Outcome(status=HTTPStatus.BAD_REQUEST, rpc=-32600),
    UnsupportedMediaTypeError: Outcome(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, rpc=-32007),
    MalformedBodyError: Outcome(status=HTTPStatus.BAD_REQUEST, rpc=-32700),
    InvalidRequestError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32602),
    InvalidArgumentsError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32602),
    CheckpointError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32602),
    CatalogError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32603),
    InvalidKeyRequestError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32602),
    RenderError: Outcome(status=HTTPStatus.UNPROCESSABLE_CONTENT, rpc=-32603),
    RateLimitedError: Outcome(status=HTTPStatus.TOO_MANY_REQUESTS, rpc=-32009),
    ConcurrencyLimitedError: Outcome(status=HTTPStatus.TOO_MANY_REQUESTS, rpc=-32009),
    OverloadedError: Outcome(status=HTTPStatus.SERVICE_UNAVAILABLE, rpc=-32010),
    UnavailableError: Outcome(status=HTTPStatus.SERVICE_UNAVAILABLE, rpc=-32008),
}

# draft-ietf-httpapi-ratelimit-headers-11, section 5, names these types.
_PROBLEM_TYPES = "https://iana.org/assignments/http-problem-types"
_TYPES: Mapping[type[Exception], str] = {
    RateLimitedError: f"{_PROBLEM_TYPES}#quota-exceeded",
    ConcurrencyLimitedError: f"{_PROBLEM_TYPES}#quota-exceeded",
    OverloadedError: f"{_PROBLEM_TYPES}#temporary-reduced-capacity",
}

MCP_PATHS = ("/mcp", "/mcp/")


def outcome_of(error: Exception) -> Outcome:
    """
    Look an error up by its class, the nearest first; what is not in the table is internal.
    """
    for kind in type(error).__mro__:
        if kind in OUTCOMES:
            return OUTCOMES[kind]
    return INTERNAL


def explain_to_person(error: CtxfyError) -> tuple[int, str, dict[str, str]]:
    """
    Give the status, the sentence and the headers that tell of an error, for an HTML page.
    """
    outcome = outcome_of(error)
    return outcome.status, _sentence(error, outcome), _headers(error)


def error_response(scope: Scope, error: Exception) -> Response:
    """
    Make the answer to an error. Of an error that is not ours, nothing is shown.
    """
    outcome = outcome_of(error)
    request_id = scope.get("state", {}).get("request_id")
    sentence = _sentence(error, outcome)
    code = error.code if isinstance(error, CtxfyError) else CtxfyError.code
    scope.get("state", {}).get("facts", {}).setdefault("error_code", code)
    details: ErrorData = {"code": code, "request_id": request_id, **_details(error)}
    body: ProblemData | RpcProblemData
    if scope.get("path") in MCP_PATHS:
        media_type = "application/json"
        rpc_error: RpcErrorData = {"code": outcome.rpc, "message": sentence, "data": details}
        body = {"jsonrpc": "2.0", "id": None, "error": rpc_error}
    else:
        media_type = "application/problem+json"
        body = {
            "type": _TYPES.get(type(error), "about:blank"),
            "title": outcome.status.phrase,
            "status": outcome.status.value,
            "detail": sentence,
            **details,
        }
    return Response(
        json.dumps(body),  # in ASCII: a text from a request may hold what has no form in UTF-8
        status_code=outcome.status,
        media_type=media_type,
        headers=_headers(error, scope.get("state", {}).get("challenge")),
    )


def _sentence(error: Exception, outcome: Outcome) -> str:
    if outcome is INTERNAL:
        return "Something went wrong inside the server."
    if isinstance(error, UnavailableError):
        # Its own sentence is for the operator: it names files.
        return (
            f"The server cannot reach its {error.dependency} right now; "
            f"try again in {error.retry_after} seconds."
        )
    if isinstance(error, CatalogError):
        return f"{plural(len(error.problems), 'problem')} in the prompts; the old set is served on."
    return redact_text(str(error))  # a key that was pasted where a name belongs goes back to nobody


def _details(error: Exception) -> _Extras:
    match error:
        # Clients of MCP look into bodies sooner than at headers.
        case RateLimitedError(retry_after=seconds, policies=policies):
            return {"retryAfterSeconds": seconds, "violated-policies": list(policies)}
        case ConcurrencyLimitedError(retry_after=seconds):
            return {"retryAfterSeconds": seconds, "violated-policies": [LimitPolicy.CONCURRENCY]}
        case OverloadedError(retry_after=seconds):
            return {"retryAfterSeconds": seconds}
        case _:
            return _mistakes(error)


def _mistakes(error: Exception) -> _Extras:
    if isinstance(error, CatalogError):
        return {
            "errors": [
                {"path": item.path, "line": item.line, "message": item.message}
                for item in error.problems
            ]
        }
    if not isinstance(error, InvalidArgumentsError | InvalidRequestError):
        return {}
    return {
        "errors": [
            {
                "field": redact_text(item.field),
                "message": redact_text(item.message),
                "code": str(item.code),
            }
            for item in error.result.errors
        ]
    }


def _headers(error: Exception, challenge: ResourceChallenge | None = None) -> dict[str, str]:
    match error:
        case NotAuthenticatedError() | NotAuthorizedError():
            said = _challenge(error) if challenge is None else _resource(error, challenge)
            return {"WWW-Authenticate": f'Bearer realm="ctxfy"{said}'}
        case RateLimitedError(quotas=quotas, retry_after=seconds):
            return {"Retry-After": str(seconds)} | quota_headers(quotas)
        case ConcurrencyLimitedError(limit=limit, retry_after=seconds):
            return {"Retry-After": str(seconds)} | concurrency_headers(limit)
        case MethodNotAllowedError(allowed=allowed):
            return {"Allow": ", ".join(allowed)}
        case UnavailableError(retry_after=seconds) | OverloadedError(retry_after=seconds):
            return {"Retry-After": str(seconds)}
        case _:
            return {}


def _resource(
    error: NotAuthenticatedError | NotAuthorizedError, challenge: ResourceChallenge
) -> str:
    """
    Say where a token is to be had, and for what it is to be asked (RFC 9728, section 5.1).
    """
    required = error.required if isinstance(error, NotAuthorizedError) else KeyScope.READ
    words = scopes_to_ask_for(challenge.scopes, KeyScope(required)) if required else ()
    # In the issuer's words, not in ours.
    said = _challenge(error).partition(", scope=")[0]
    asked = f', scope="{" ".join(words)}"' if words else ""
    return f'{said}{asked}, resource_metadata="{challenge.metadata_url}"'


def _challenge(error: NotAuthenticatedError | NotAuthorizedError) -> str:
    """
    Say what was wrong with a credential (RFC 6750, section 3); nothing if none came.
    """
    match error:
        case NotAuthenticatedError(presented=True):
            description = str(error).replace('"', "'")
            return f', error="invalid_token", error_description="{description}"'
        case NotAuthorizedError(required=str() as scope):
            return f', error="insufficient_scope", scope="{scope}"'
        case NotAuthorizedError():
            return ', error="insufficient_scope"'
        case _:
            return ""
