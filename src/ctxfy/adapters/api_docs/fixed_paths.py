"""
The paths of the table of routes: policy, handler and what is said of them, put together.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from ctxfy.adapters.api_docs.error_responses import (
    REQUEST_ID_HEADER,
    ErrorKinds,
    error_responses,
    policy_errors,
)
from ctxfy.adapters.api_docs.operations import Answer, Json, Operation, Operations
from ctxfy.adapters.api_docs.page_addresses import is_page
from ctxfy.adapters.api_docs.schema_conversion import COMPONENTS, convert, convert_definitions
from ctxfy.core.exceptions import InvalidRequestError, MalformedBodyError
from ctxfy.core.models.auth_models import RoutePolicy
from ctxfy.core.use_cases.request_use_cases import QUERY_PATTERN, SEGMENT_PATTERN


_REST_OF_PATH = re.compile(r"\{([a-z_]+):path\}")
MCP_PATHS = ("/mcp", "/mcp/")
_PATTERNS: Mapping[str, str] = {"path": SEGMENT_PATTERN, "query": QUERY_PATTERN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """
    Everything about the routes that the generator is handed.

    Attributes:
        rest: What FastAPI knows of the REST routes, as an OpenAPI 3.1 document.
        problem: The Python type of problem+json.
        session_cookie: The name of the cookie of browser sessions, if there are any.
        answers: Answers that really came, by method and path.
    """

    policies: Sequence[RoutePolicy]
    operations: Operations
    rest: Mapping[str, Any]
    errors: ErrorKinds
    problem: object
    session_cookie: str | None = None
    answers: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPart:
    """
    The part of the document that does not depend on who asks.
    """

    paths: Json
    schemas: Json


def fixed_part(surface: Surface) -> FixedPart:
    """
    Describe every route of the table.

    Raises:
        ValueError: A route is not described, or something is described that is no route.
    """
    policies = {
        (policy.path, method): policy for policy in surface.policies for method in policy.methods
    }
    if policies.keys() != surface.operations.keys():
        differing = sorted(policies.keys() ^ surface.operations.keys())
        message = f"routes and operations differ: {differing}"
        raise ValueError(message)
    types = _types(surface)
    paths: Json = {}
    for (path, method), policy in policies.items():
        known = surface.rest.get("paths", {}).get(path, {}).get(method.lower(), {})
        written = _operation(surface, policy, surface.operations[path, method], known, types)
        if (shown := surface.answers.get(f"{method} {path}")) is not None:
            _show(written, shown)
        paths.setdefault(openapi_path(path), {})[method.lower()] = written
    return FixedPart(paths=paths, schemas=types.definitions)


def _show(operation: Json, answer: object) -> None:
    """
    Put an answer to the one that is given when all goes well.
    """
    content = next(
        response["content"]
        for status, response in operation["responses"].items()
        if status.startswith("2") and "content" in response
    )
    next(media for kind, media in content.items() if kind.endswith("json"))["example"] = answer


def openapi_path(path: str) -> str:
    """
    Write a path of the table as OpenAPI does.
    """
    return _REST_OF_PATH.sub(r"{\1}", path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Types:
    """
    The schemas of Python types: one for each by its identity, and what they share.
    """

    by_id: Mapping[int, Json]
    definitions: Json


def _types(surface: Surface) -> _Types:
    """
    Make all schemas in one go, so that a name means one thing in the whole document.
    """
    answers = [answer for item in surface.operations.values() for answer in item.answers]
    types = {id(item.body): item.body for item in answers if not isinstance(item.body, dict | None)}
    types[id(surface.problem)] = surface.problem
    adapters: list[tuple[int, JsonSchemaMode, TypeAdapter[Any]]] = [
        (key, "serialization", _adapter(body)) for key, body in types.items()
    ]
    found, shared = TypeAdapter.json_schemas(adapters, ref_template=COMPONENTS + "{model}")
    ours = convert_definitions(shared.get("$defs", {}))
    theirs = convert_definitions(_rest_schemas(surface.rest))
    if clash := [name for name in theirs.keys() & ours if theirs[name] != ours[name]]:
        message = f"two schemas are called {', '.join(sorted(clash))}"
        raise ValueError(message)
    by_id = {key: convert(schema) for (key, _), schema in found.items()}
    return _Types(by_id=by_id, definitions=theirs | ours)


def _adapter(body: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type form; checkers know no name for it
    return TypeAdapter(body)


def _rest_schemas(rest: Mapping[str, Any]) -> Json:
    schemas: Mapping[str, Any] = rest.get("components", {}).get("schemas", {})
    not_ours = {"HTTPValidationError", "ValidationError"}  # FastAPI's own answer, which is not ours
    return {name: schema for name, schema in schemas.items() if name not in not_ours}


def _operation(
    surface: Surface, policy: RoutePolicy, told: Operation, known: Json, types: _Types
) -> Json:
    docstring = str(known.get("description", ""))
    summary, _, rest = docstring.partition("\n\n")
    given = [*map(_parameter, known.get("parameters", ())), *told.parameters]
    parameters = [_readable(parameter) for parameter in given]
    body = told.request_body or _request_body(known)
    errors = [*policy_errors(policy), *told.errors]
    if known.get("parameters") or known.get("requestBody"):
        errors.append(InvalidRequestError)
    if policy.consumes == "application/json":
        errors.append(MalformedBodyError)
    rpc = policy.path in MCP_PATHS
    written: Json = {
        "operationId": told.name,
        "tags": [told.tag],
        "summary": told.summary or " ".join(summary.split()),
        "description": "\n\n".join(
            part for part in (told.description, rest, needs(policy)) if part
        ),
        "security": security(policy, surface.session_cookie),
        "responses": {str(item.status): _answer(item, types) for item in told.answers}
        | error_responses(errors, surface.errors, rpc=rpc, page=is_page(policy.path)),
    }
    if parameters:
        written["parameters"] = parameters
    if body:
        written["requestBody"] = with_examples(body, told.request_examples)
    return written


def needs(policy: RoutePolicy) -> str:
    """
    Say what key a route needs.
    """
    if policy.scope is None:
        return "Needs no key."
    narrowed = "" if policy.narrowed else " that is not narrowed to some prompts"
    return f"Needs a key of scope `{policy.scope}`{narrowed}."


def security(policy: RoutePolicy, session_cookie: str | None) -> list[Json]:
    """
    List the schemes of which one is enough; the empty one is none at all.
    """
    schemes: list[Json] = [{"bearer": []}, {"apiKey": []}, {"basic": []}]
    if session_cookie is not None and policy.sessions:
        schemes.append({"session": []})
    if policy.scope is None:
        # A key may come, and is told more by /health; other public routes make no difference.
        return [{}, *schemes] if policy.any_host else []
    return schemes


def with_examples(body: Json, examples: Mapping[str, object]) -> Json:
    """
    Put examples into a body of a request.
    """
    if not examples:
        return body
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {kind: {**media, "examples": shown} for kind, media in body["content"].items()}
    return {**body, "content": content}


def _parameter(parameter: Json) -> Json:
    schema = convert(parameter["schema"])
    schema.pop("nullable", None)  # in an address there is no null, a parameter is left out
    schema.pop("title", None)
    schema.pop("description", None)
    return {**parameter, "schema": schema}


def _readable(parameter: Json) -> Json:
    """
    Say of a text in an address what holds for every one: it can be read in one way only.
    """
    pattern = _PATTERNS.get(parameter["in"])
    schema = parameter["schema"]
    if pattern is None or schema.get("type") != "string" or "pattern" in schema:
        return parameter
    return {**parameter, "schema": {**schema, "pattern": pattern}}


def _request_body(known: Json) -> Json | None:
    if "requestBody" not in known:
        return None
    content = {
        kind: {**media, "schema": convert(media["schema"])}
        for kind, media in known["requestBody"]["content"].items()
    }
    return {**known["requestBody"], "content": content}


def _answer(answer: Answer, types: _Types) -> Json:
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in answer.headers.items()
    }
    written: Json = {"description": answer.description, "headers": REQUEST_ID_HEADER | headers}
    if answer.body is not None:
        schema = answer.body if isinstance(answer.body, dict) else types.by_id[id(answer.body)]
        kinds = (answer.media_type, *answer.other_media_types)
        body = {"content": {kind: {"schema": schema} for kind in kinds}}
        written |= with_examples(body, answer.examples)
    return written
