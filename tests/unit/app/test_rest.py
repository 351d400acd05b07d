"""
The REST application is made from the table, and reads JSON as it should be.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.routing import Match
from starlette.types import Message, Scope

from ctxfy.adapters.auth.policy import PolicyTable
from ctxfy.adapters.mcp_prompts.routes import ExecuteBody
from ctxfy.app.request_mistakes import (
    MAX_FIELD_LENGTH,
    MAX_REPORTED,
    refuse_repeated,
    request_error,
)
from ctxfy.app.rest import RestHandler, build_rest
from ctxfy.app.routes import Dispatcher, route_policies
from ctxfy.core.exceptions import ApiKeyNotFoundError, InvalidRequestError
from ctxfy.core.models.auth_models import RoutePolicy
from ctxfy.core.models.auth_models import Scope as KeyScope


POLICIES = route_policies(public_metrics=False)
REST = [policy for policy in POLICIES if policy.path.startswith(("/prompts", "/auth/"))]
PAIRS = [(policy.path, method) for policy in REST for method in policy.methods]
VALUE = "hunter2-a-value-that-nobody-may-see"


async def _empty() -> Response:
    return Response()


HANDLERS: Mapping[tuple[str, str], RestHandler] = dict.fromkeys(PAIRS, _empty)


@pytest.mark.parametrize("missing", PAIRS, ids=str)
def test_a_route_without_a_handler_stops_the_start(missing: tuple[str, str]) -> None:
    """
    If only a method of a path is missing, the application names it; if all, the dispatcher does.
    """
    handlers = {pair: handler for pair, handler in HANDLERS.items() if pair != missing}
    others = {policy.path for policy in POLICIES} - {policy.path for policy in REST}
    with pytest.raises(ValueError, match=r"routes and (handlers|applications) differ"):
        Dispatcher(
            POLICIES,
            dict.fromkeys(others | {path for path, _ in handlers}, build_rest(POLICIES, handlers)),
        )


@pytest.mark.parametrize("extra", [("/backdoor", "GET"), ("/prompts", "DELETE"), ("/mcp", "GET")])
def test_a_handler_without_a_policy_stops_the_start(extra: tuple[str, str]) -> None:
    """
    A path or method that the table lacks cannot be registered.
    """
    with pytest.raises(ValueError, match="routes and handlers differ"):
        build_rest(POLICIES, {**HANDLERS, extra: _empty})


@pytest.mark.parametrize(
    "path",
    [
        "/prompts",
        "/prompts/greet",
        "/prompts/reload",
        "/prompts/execute",
        "/prompts/greet/execute",
        "/prompts/a b\n",
        "/auth/api-keys",
        "/auth/api-keys/current",
        "/auth/api-keys/0123456789ab",
        "/auth/api-keys/x/y",
        "/prompts/",
        "/prompts//execute",
        "/Prompts",
        "/docs",
        "/redoc",
        "/openapi.json",
    ],
    ids=ascii,
)
def test_the_router_and_the_gate_agree(path: str) -> None:
    """
    What the gate judged is what answers: the same route for each method, or none for either.
    """
    table, app = PolicyTable(REST), build_rest(POLICIES, HANDLERS)
    for method in ("GET", "HEAD", "POST", "DELETE", "PUT"):
        scope: Scope = {"type": "http", "path": path, "method": method, "headers": []}
        full = [each for each in app.router.routes if each.matches(scope)[0] is Match.FULL]
        match = table.match(path, method)
        taken = getattr(full[0], "path", None) if full else None
        assert taken == (match.route if match.policy else None), method


def test_there_are_no_pages_of_their_own() -> None:
    """
    Neither documentation nor schema: who may see those is for the gate.
    """
    app = build_rest(POLICIES, HANDLERS)
    assert {getattr(each, "path", None) for each in app.router.routes} == {p.path for p in REST}


async def _ask(handler: RestHandler, body: bytes = b"", method: str = "POST") -> tuple[int, Any]:
    policy = RoutePolicy(path="/x", methods=(method,), scope=KeyScope.READ)
    app = build_rest([policy], {("/x", method): handler})
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "path": "/x",
        "method": method,
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "state": {"request_id": "req-1"},
    }
    await app(scope, receive, send)
    answer = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], json.loads(answer) if answer else None


async def _echo(body: ExecuteBody) -> Response:
    return Response(json.dumps(body.arguments))


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b"nope",
        b'{"arguments": {"a": NaN}}',
        b'{"arguments": {"a": Infinity}}',
        b'{"arguments": {"a": "\\ud800"}}',
        b'{"arguments": {"\\udc00": 1}}',
        b'{"arguments": {"a": "\xed\xa0\x80"}}',
        b'{"arguments": ' + b"[" * 250 + b"]" * 250 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        '{"arguments": {}}'.encode("utf-16"),
        b"{'arguments': {}}",
        b'{"arguments": {},}',
        b'{"arguments": {}} {}',
        b"\x00",
        b" ",
    ],
    ids=lambda body: ascii(body[:24]),
)
async def test_what_is_no_json_is_400(body: bytes) -> None:
    """
    Also what many parsers let through: NaN, halves of characters, hundreds of levels.
    """
    status, answer = await _ask(_echo, body)
    assert (status, answer["code"], answer["request_id"]) == (
        400,
        "request.malformed_body",
        "req-1",
    )


@pytest.mark.parametrize("value", ["x", "\U0001f600", 1, 1.5, True, None, [1, ["a"]], {"b": {}}])
async def test_every_json_value_arrives_as_it_is(value: object) -> None:
    """
    Arguments are checked by the prompt's own declarations, not here.
    """
    status, answer = await _ask(_echo, json.dumps({"arguments": {"a": value}}).encode())
    assert (status, answer) == (200, {"a": value})


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (b"", "", "missing"),
        (b"null", "", "wrong_type"),
        (b"[]", "", "wrong_type"),
        (b'"text"', "", "wrong_type"),
        (b'{"arguments": []}', "arguments", "wrong_type"),
        (b'{"arguments": null}', "arguments", "wrong_type"),
        (b'{"version": 2}', "version", "wrong_type"),
        (b'{"argument": {}}', "argument", "unknown"),
        (b'{"arguments": {}, "user_id": "x"}', "user_id", "unknown"),
    ],
)
async def test_a_body_of_another_shape_is_422(body: bytes, field: str, code: str) -> None:
    """
    With the field and a code for programs.
    """
    status, answer = await _ask(_echo, body)
    assert (status, answer["code"]) == (422, "request.invalid")
    assert [(each["field"], each["code"]) for each in answer["errors"]] == [(field, code)]


async def test_an_error_of_ours_becomes_its_answer() -> None:
    """
    By the one table of errors.
    """

    async def refuse() -> Response:
        raise ApiKeyNotFoundError("abc")

    status, answer = await _ask(refuse, method="GET")
    assert (status, answer["code"]) == (404, "api_key.not_found")


async def test_a_mistake_of_ours_goes_to_the_outermost_middleware() -> None:
    """
    FastAPI answers nothing by itself, so that there is one answer and one record.
    """

    async def fail(_request: Request) -> Response:
        raise RuntimeError(VALUE)

    with pytest.raises(RuntimeError, match=VALUE):
        await _ask(fail, method="GET")


@pytest.mark.parametrize(
    ("kind", "facts", "code", "message"),
    [
        ("missing", {}, "missing", "'f' is missing."),
        ("extra_forbidden", {}, "unknown", "'f' is not known here."),
        ("enum", {"expected": "'a' or 'b'"}, "invalid_choice", "'f' must be 'a' or 'b'."),
        ("too_long", {"max_length": 50}, "too_long", "'f' is longer than 50."),
        ("string_too_long", {"max_length": 9}, "too_long", "'f' is longer than 9."),
        ("greater_than_equal", {"ge": 1}, "out_of_range", "'f' must be at least 1."),
        ("less_than_equal", {"le": 500}, "out_of_range", "'f' must be at most 500."),
        ("int_type", {}, "wrong_type", "'f' is of the wrong type: write a whole number."),
        ("bool_type", {}, "wrong_type", "'f' is of the wrong type: it does not fit."),
    ],
)
def test_each_mistake_has_its_sentence(
    kind: str, facts: dict[str, object], code: str, message: str
) -> None:
    """
    Ours, since pydantic's own may quote what came.
    """
    item = {"type": kind, "loc": ("body", "f"), "msg": VALUE, "input": VALUE, "ctx": facts}
    (mistake,) = request_error(RequestValidationError([item])).result.errors
    assert (mistake.field, str(mistake.code), mistake.message) == ("f", code, message)


def test_mistakes_are_bounded_in_number_and_length() -> None:
    """
    Whoever sends a thousand unknown fields of a thousand letters gets no such answer.
    """
    item = {"type": "extra_forbidden", "loc": ("body", "x" * 1000), "msg": "", "input": VALUE}
    error = request_error(RequestValidationError([item] * 1000))
    assert len(error.result.errors) == MAX_REPORTED
    assert {len(mistake.field) for mistake in error.result.errors} == {MAX_FIELD_LENGTH}
    assert VALUE not in str(error)


def test_repeated_parameters_are_named_in_a_bounded_way() -> None:
    """
    Each once, shortened, and not more of them than anybody reads.
    """
    refuse_repeated(["a", "b", ""])
    names = [f"{number}{'x' * 500}\n" for number in range(MAX_REPORTED + 5)]
    with pytest.raises(InvalidRequestError) as caught:
        refuse_repeated([*names, *names, "once", *names])
    errors = caught.value.result.errors
    assert len(errors) == MAX_REPORTED
    assert all(len(error.field) <= MAX_FIELD_LENGTH for error in errors)
    assert errors[0].message.endswith("comes more than once; send it once.")
