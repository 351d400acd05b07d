"""
The refusals of an operation: one response for each status, with the codes it may carry.
"""

from collections.abc import Iterable, Mapping
from inspect import getdoc

from ctxfy.adapters.api_docs.operations import ErrorKind, Json
from ctxfy.adapters.api_docs.schema_conversion import COMPONENTS
from ctxfy.core.exceptions import (
    AddressTooLongError,
    BodyTooLargeError,
    ConcurrencyLimitedError,
    CtxfyError,
    ForeignHostError,
    ForeignNetworkError,
    ForeignOriginError,
    ForgedRequestError,
    HeadersTooLargeError,
    MalformedRequestError,
    NotAuthenticatedError,
    NotAuthorizedError,
    OverloadedError,
    RateLimitedError,
    RequestTooSlowError,
    UnavailableError,
    UnsupportedMediaTypeError,
)
from ctxfy.core.models.auth_models import RoutePolicy, Scope


type Errors = Iterable[type[CtxfyError]]
type ErrorKinds = Mapping[type[CtxfyError], ErrorKind]

PROBLEM = "ProblemData"
RPC_ERROR = "McpAnswer"
REQUEST_ID_HEADER: Json = {
    "X-Request-Id": {
        "description": "Names this request in the logs.",
        "schema": {"type": "string"},
    }
}
_EXAMPLE_ID = "5f0c2a7e9b6d4c1f8a3e7d2b4c6f8a0e"
_HEADERS: Mapping[int, tuple[tuple[str, str, str], ...]] = {
    401: (("WWW-Authenticate", "RFC 6750.", "string"),),
    429: (
        ("Retry-After", "Seconds.", "integer"),
        ("RateLimit-Policy", 'The limits, such as `"key";q=600;w=60`.', "string"),
        ("RateLimit", 'What is left of them, such as `"key";r=0;t=12`.', "string"),
    ),
    503: (("Retry-After", "Seconds.", "integer"),),
}


def policy_errors(policy: RoutePolicy) -> tuple[type[CtxfyError], ...]:
    """
    Say what the gate may refuse on a route.
    """
    found: list[type[CtxfyError]] = [
        MalformedRequestError,
        RequestTooSlowError,
        AddressTooLongError,
        HeadersTooLargeError,
        ForeignOriginError,
        BodyTooLargeError,
    ]
    if not policy.any_host:
        found.append(ForeignHostError)
    if policy.scope is not None:
        found += [
            NotAuthenticatedError,
            ForeignNetworkError,
            RateLimitedError,
            ConcurrencyLimitedError,
            UnavailableError,
            OverloadedError,
        ]
        if policy.scope is not Scope.READ or not policy.narrowed:
            found.append(NotAuthorizedError)
        if policy.sessions and policy.methods != ("GET",):
            found.append(ForgedRequestError)
    if policy.consumes is not None:
        found.append(UnsupportedMediaTypeError)
    return tuple(found)


def error_responses(errors: Errors, kinds: ErrorKinds, *, rpc: bool, page: bool = False) -> Json:
    """
    Write the responses, by status.

    Args:
        errors: What can go wrong.
        kinds: What each of them is on the wire.
        rpc: Whether they come as JSON-RPC errors and not as problem+json.
        page: Whether they may come as a page, too.
    """
    by_status: dict[int, list[type[CtxfyError]]] = {}
    for error in dict.fromkeys(errors):
        by_status.setdefault(kinds[error].status, []).append(error)
    return {
        str(status): _response(status, found, kinds, rpc=rpc, page=page)
        for status, found in sorted(by_status.items())
    }


def _response(
    status: int, errors: list[type[CtxfyError]], kinds: ErrorKinds, *, rpc: bool, page: bool
) -> Json:
    codes = " ".join(f"`{error.code}`: {_meaning(error)}" for error in errors)
    example = _rpc_example if rpc else _problem_example
    headers = {
        name: {"description": text, "schema": {"type": kind}}
        for name, text, kind in _HEADERS.get(status, ())
    }
    return {
        "description": f"{kinds[errors[0]].title}. {codes}",
        "headers": REQUEST_ID_HEADER | headers,
        "content": {
            "application/json" if rpc else "application/problem+json": {
                "schema": {"$ref": COMPONENTS + (RPC_ERROR if rpc else PROBLEM)},
                "examples": {
                    error.code: {"value": example(error, kinds[error])} for error in errors
                },
            }
        }
        | ({"text/html": {"schema": {"type": "string"}}} if page else {}),
    }


def _problem_example(error: type[CtxfyError], kind: ErrorKind) -> Json:
    return {
        "type": "about:blank",
        "title": kind.title,
        "status": kind.status,
        "detail": _meaning(error),
        "code": error.code,
        "request_id": _EXAMPLE_ID,
    }


def _rpc_example(error: type[CtxfyError], kind: ErrorKind) -> Json:
    data = {"code": error.code, "request_id": _EXAMPLE_ID}
    body = {"code": kind.rpc, "message": _meaning(error), "data": data}
    return {"jsonrpc": "2.0", "id": None, "error": body}


def _meaning(error: type[CtxfyError]) -> str:
    return (getdoc(error) or "").partition("\n\n")[0].replace("\n", " ")
