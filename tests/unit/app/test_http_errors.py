"""
Errors become responses by one table.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from starlette.types import Message

from ctxfy.app.http_errors import INTERNAL, OUTCOMES, error_response, outcome_of
from ctxfy.core.exceptions import (
    AccessError,
    ApiKeyError,
    ApiKeyNotFoundError,
    AuditError,
    BodyTooLargeError,
    ConfigurationError,
    CtxfyError,
    ForeignHostError,
    InvalidArgumentsError,
    LastAdminKeyError,
    MethodNotAllowedError,
    NotAuthenticatedError,
    NotAuthorizedError,
    PersonError,
    PromptError,
    PromptNotFoundError,
    RenderError,
    RequestError,
    UnavailableError,
)
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult


# Met while starting, by the person who starts: no caller ever sees them.
START_UP_ONLY = {ConfigurationError}
# Families; what is raised is one of their members.
FAMILIES = {
    CtxfyError,
    PromptError,
    AccessError,
    RequestError,
    ApiKeyError,
    AuditError,
    PersonError,
}

MISTAKE = ValidationError(field="who", message="It is missing: 'who'.", code=ErrorCode.MISSING)
INVALID = InvalidArgumentsError("greet", ValidationResult(errors=(MISTAKE,)))
CANARY = "postgresql://user:hunter2@db/ctxfy"


def _tree(kind: type[CtxfyError]) -> Iterator[type[CtxfyError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


KINDS = sorted(
    (kind for kind in _tree(CtxfyError) if kind.__module__ == "ctxfy.core.exceptions"),
    key=lambda kind: kind.__name__,
)


async def _answer(error: Exception, path: str = "/prompts") -> tuple[int, dict[str, str], Any]:
    scope = {"type": "http", "method": "GET", "path": path, "state": {"request_id": "req-1"}}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await error_response(scope, error)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, json.loads(sent[1]["body"])


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_its_outcome(kind: type[CtxfyError]) -> None:
    """
    Each class of the tree is in the table, or is met at start-up only, or is a mere family.
    """
    in_table = any(each in OUTCOMES for each in kind.__mro__)
    assert in_table != (kind in START_UP_ONLY | FAMILIES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_code_of_its_own(kind: type[CtxfyError]) -> None:
    """
    No two classes share a code, and no class goes without.
    """
    assert [each for each in KINDS if each.code == kind.code] == [kind]


def test_no_outcome_is_shared_by_accident() -> None:
    """
    Where the same JSON-RPC code means two things it is a standard one; our own each mean one.
    """
    own = [(outcome.rpc, outcome.status) for outcome in OUTCOMES.values() if outcome.rpc > -32099]
    ours = {(rpc, status) for rpc, status in own if -32019 <= rpc <= -32000}
    assert len({rpc for rpc, _ in ours}) == len(ours)
    assert all(400 <= outcome.status <= 599 for outcome in OUTCOMES.values())


def test_a_subclass_takes_after_its_nearest_ancestor() -> None:
    """
    The table is searched along the MRO; what has no ancestor in it is internal.
    """

    class StricterError(PromptNotFoundError):
        pass

    class OddError(CtxfyError):
        pass

    assert outcome_of(StricterError("x")) == OUTCOMES[PromptNotFoundError]
    assert outcome_of(OddError("x")) is INTERNAL
    assert outcome_of(ValueError("x")) is INTERNAL


async def test_elsewhere_it_is_a_problem() -> None:
    """
    RFC 9457, with our code and the request's id beside it.
    """
    status, headers, body = await _answer(ApiKeyNotFoundError("abc"))
    assert (status, headers["content-type"]) == (404, "application/problem+json")
    assert body == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no API key with the id 'abc'.",
        "code": "api_key.not_found",
        "request_id": "req-1",
    }


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_on_mcp_it_is_json_rpc(path: str) -> None:
    """
    The id is null, since the message was not read yet; the status stays that of HTTP.
    """
    status, headers, body = await _answer(BodyTooLargeError(10), path)
    assert (status, headers["content-type"]) == (413, "application/json")
    assert body == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {
            "code": -32006,
            "message": "The request body is larger than the 10 bytes allowed here.",
            "data": {"code": "request.body_too_large", "request_id": "req-1"},
        },
    }


@pytest.mark.parametrize("path", ["/prompts", "/mcp"])
async def test_every_mistake_in_arguments_is_listed(path: str) -> None:
    """
    422 carries field, message and code of each, in both shapes.
    """
    status, _, body = await _answer(INVALID, path)
    listed = body["errors"] if path != "/mcp" else body["error"]["data"]["errors"]
    assert status == 422
    assert listed == [{"field": "who", "message": "It is missing: 'who'.", "code": "missing"}]


@pytest.mark.parametrize("path", ["/prompts", "/mcp", "/nowhere"])
@pytest.mark.parametrize(
    "error",
    [
        ValueError(CANARY),
        KeyError(CANARY),
        ExceptionGroup(CANARY, [ValueError(CANARY)]),
        ConfigurationError(CANARY),
        CtxfyError(CANARY),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_of_an_internal_error_nothing_is_shown(error: Exception, path: str) -> None:
    """
    500 with one sentence for all of them, nothing of the error's own text, and the request's id.
    """
    status, headers, body = await _answer(error, path)
    assert status == 500
    assert "hunter2" not in json.dumps([headers, body])
    assert "req-1" in json.dumps(body)
    assert "Something went wrong inside the server." in json.dumps(body)


async def test_the_engine_s_own_words_stay_inside() -> None:
    """
    What a template engine says may quote values: a failed rendering shows its cause alone.
    """
    error = RenderError("greet", "template", "a filter failed.", detail=CANARY)
    _, _, body = await _answer(error)
    assert body["detail"] == "Prompt 'greet' could not be rendered: a filter failed."
    assert "hunter2" not in json.dumps(body)


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (MethodNotAllowedError("PUT", ("GET", "POST")), "allow", "GET, POST"),
        (UnavailableError("storage", "away.", retry_after=9), "retry-after", "9"),
        (NotAuthenticatedError("x", presented=False), "www-authenticate", 'Bearer realm="ctxfy"'),
        (
            NotAuthenticatedError('a "b"', presented=True),
            "www-authenticate",
            'Bearer realm="ctxfy", error="invalid_token", error_description="a \'b\'"',
        ),
        (
            NotAuthorizedError("x", required="admin"),
            "www-authenticate",
            'Bearer realm="ctxfy", error="insufficient_scope", scope="admin"',
        ),
        (
            NotAuthorizedError("x", required=None),
            "www-authenticate",
            'Bearer realm="ctxfy", error="insufficient_scope"',
        ),
    ],
    ids=["405", "503", "401", "401-presented", "403", "403-narrowed"],
)
async def test_headers_say_what_to_do(error: CtxfyError, header: str, value: str) -> None:
    """
    Allow, Retry-After and the challenge of RFC 6750, whose quotes cannot be broken out of.
    """
    _, headers, _ = await _answer(error)
    assert headers[header] == value


async def test_other_errors_carry_no_such_header() -> None:
    """
    A conflict or a foreign host asks for no credential and no patience.
    """
    for error in (LastAdminKeyError("x"), ForeignHostError("x")):
        _, headers, _ = await _answer(error)
        assert set(headers) == {"content-length", "content-type"}


async def test_any_text_can_be_answered() -> None:
    """
    A lone surrogate, a line break or a quote in a sentence does not break the answer.
    """
    for text in ("\ud800", 'a"b', "a\r\nb", "\x00", "ünï"):
        status, _, body = await _answer(PromptNotFoundError(text))
        assert status == HTTPStatus.NOT_FOUND
        assert body["detail"].startswith("Unknown prompt: ")
        status, _, body = await _answer(LastAdminKeyError(text))
        assert body["detail"] == text


async def test_an_answer_needs_no_request_context() -> None:
    """
    An error before there is an id is answered too.
    """
    scope = {"type": "http", "method": "GET"}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await error_response(scope, ValueError("x"))(scope, receive, send)
    assert json.loads(sent[1]["body"])["request_id"] is None


@pytest.mark.parametrize("path", ["/prompts/x", "/mcp"])
def test_a_key_that_was_sent_as_a_name_is_not_sent_back(path: str) -> None:
    """
    Neither in the sentence nor in the mistakes: errors are shown around, and kept by clients.
    """
    key = f"ctxfy_0123456789ab_{'k' * 49}"
    mistake = ValidationError(field=key, message=f"There is no '{key}'.", code=ErrorCode.UNKNOWN)
    for error in (
        PromptNotFoundError(key),
        InvalidArgumentsError("greet", ValidationResult(errors=(mistake,))),
    ):
        answer = error_response({"type": "http", "path": path}, error)
        assert b"kkkk" not in answer.body
        assert b"[redacted]" in answer.body
