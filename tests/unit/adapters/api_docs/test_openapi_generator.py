"""
One document for each set of prompts that somebody sees, made when it is first asked for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict
from urllib.parse import quote

import orjson
import pytest

from ctxfy.adapters.api_docs import openapi_generator
from ctxfy.adapters.api_docs.error_responses import policy_errors
from ctxfy.adapters.api_docs.fixed_paths import Surface, fixed_part
from ctxfy.adapters.api_docs.openapi_generator import Document, DocumentHead, OpenApiGenerator
from ctxfy.adapters.api_docs.operations import Answer, ErrorKind, Operation
from ctxfy.adapters.validation.schema_validator import SchemaValidator
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
from ctxfy.core.models.auth_models import Principal, RoutePolicy, Scope
from ctxfy.core.models.prompt_models import PromptTemplate
from ctxfy.core.models.request_models import RequestBounds
from ctxfy.core.use_cases.auth_use_cases import may_use_prompt
from ctxfy.core.use_cases.request_use_cases import check_address
from tests.builders import make_principal, make_template


type Json = dict[str, Any]


class ProblemData(TypedDict):
    """
    Stands in for the real one.
    """

    code: str


ERRORS: Mapping[type[CtxfyError], ErrorKind] = {
    kind: ErrorKind(status=400, title="Refused", rpc=-1)
    for kind in CtxfyError.__subclasses__()
    + [each for kind in CtxfyError.__subclasses__() for each in kind.__subclasses__()]
}
PATHS = ("/mcp", "/mcp/", "/prompts/{name}/execute", "/files/{rest:path}")
POLICIES = tuple(
    RoutePolicy(path=path, methods=("POST",), scope=Scope.READ, sessions=False) for path in PATHS
)
VALIDATOR = SchemaValidator()
ANSWER = Answer(description="Done.", body={})
BOUNDS = RequestBounds(
    headers=100, header_bytes=32_768, header_value_bytes=8192, address_bytes=8192
)
SURFACE = Surface(
    policies=POLICIES,
    operations={
        (path, "POST"): Operation(name=f"n{number}", tag="t", summary="It does.", answers=(ANSWER,))
        for number, path in enumerate(PATHS)
    },
    rest={},
    errors=ERRORS,
    problem=ProblemData,
)


@dataclass
class Prompts:
    """
    A catalog that can be changed, and what is asked of it.
    """

    templates: list[PromptTemplate]
    surfaces: list[Surface] = field(default_factory=list[Surface])
    rendered: list[str] = field(default_factory=list[str])

    def list_prompts(self, principal: Principal) -> tuple[PromptTemplate, ...]:
        """
        List what the caller may use.
        """
        return tuple(
            item for item in self.templates if may_use_prompt(principal, item.name, item.scope)
        )

    def surface(self) -> Surface:
        """
        Give the routes, and note that somebody asked.
        """
        self.surfaces.append(SURFACE)
        return SURFACE

    def render(
        self, template: PromptTemplate, arguments: Mapping[str, object]
    ) -> Mapping[str, object]:
        """
        Make an answer, and note of what.
        """
        self.rendered.append(template.name)
        return {"messages": [], "arguments": dict(arguments)}


def named(name: str, **changes: Any) -> PromptTemplate:  # noqa: ANN401 - any field
    """
    Make a prompt whose digest goes with its name.
    """
    template = replace(make_template(arguments=()), name=name, digest=f"digest of {name}")
    return replace(template, **changes)


@pytest.fixture
def prompts() -> Prompts:
    """
    Two prompts.
    """
    return Prompts(templates=[named("one"), named("two")])


@pytest.fixture
def generator(prompts: Prompts) -> OpenApiGenerator:
    """
    A generator over them.
    """
    head = DocumentHead(title="Ours", version="1", server_url=".")
    return OpenApiGenerator(
        head, prompts.surface, prompts.list_prompts, SchemaValidator(), prompts.render
    )


def executions(document: Document) -> set[str]:
    """
    List the prompts in a document.
    """
    paths: Json = orjson.loads(document.content)["paths"]
    return {path.split("/")[2] for path in paths if path.startswith("/prompts/")} - {"{name}"}


def test_a_document_is_made_once_for_all_who_see_the_same(
    prompts: Prompts, generator: OpenApiGenerator
) -> None:
    """
    The routes are asked for once, whatever is asked.
    """
    everybody = generator.document(make_principal())
    assert generator.document(make_principal(Scope.ADMIN)) is everybody
    assert executions(generator.document(make_principal(prompts=("one",)))) == {"one"}
    assert executions(everybody) == {"one", "two"}
    assert len(prompts.surfaces) == 1
    assert prompts.rendered == ["one", "two"]


def test_a_document_is_kept_for_as_long_as_its_prompts_are_served(
    prompts: Prompts, generator: OpenApiGenerator
) -> None:
    """
    A change of one prompt makes a new document, of which only that prompt is made anew.
    """
    caller = make_principal()
    assert generator.kept(caller) is None
    before = generator.document(caller)
    assert generator.kept(caller) is before
    prompts.templates[1] = named("two", digest="another", title="Changed")
    assert generator.kept(caller) is None
    assert generator.document(caller).etag != before.etag
    assert prompts.rendered == ["one", "two", "two"]


def test_old_documents_and_parts_are_forgotten(
    prompts: Prompts, generator: OpenApiGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Keys that are narrowed in a thousand ways do not fill the memory.
    """
    monkeypatch.setattr(openapi_generator, "MAX_DOCUMENTS", 1)
    monkeypatch.setattr(openapi_generator, "MAX_PARTS", 1)
    generator.document(make_principal(prompts=("one",)))
    generator.document(make_principal(prompts=("two",)))
    assert generator.kept(make_principal(prompts=("one",))) is None
    assert generator.kept(make_principal(prompts=("two",))) is not None
    generator.document(make_principal(prompts=("one",)))
    assert prompts.rendered == ["one", "two", "one"]


def test_the_first_prompt_is_the_example_of_mcp(generator: OpenApiGenerator) -> None:
    """
    Each message on both protocol revisions; without a prompt only the list can be asked for.
    """
    document = orjson.loads(generator.document(make_principal()).content)
    asked = document["paths"]["/mcp"]["post"]["requestBody"]["content"]["application/json"]
    assert set(asked["examples"]) == {
        f"{method}, {revision}"
        for method in ("prompts/list", "prompts/get")
        for revision in ("2025-11-25", "2026-07-28")
    }
    nobody = orjson.loads(generator.document(make_principal(prompts=("three",))).content)
    bare = nobody["paths"]["/mcp"]["post"]["requestBody"]["content"]["application/json"]
    assert {name.partition(",")[0] for name in bare["examples"]} == {"prompts/list"}


def test_a_route_that_is_not_described_is_a_mistake() -> None:
    """
    And so is a description of no route.
    """
    for policies in (POLICIES[1:], (*POLICIES, replace(POLICIES[0], path="/more"))):
        with pytest.raises(ValueError, match="routes and operations differ"):
            fixed_part(replace(SURFACE, policies=policies))


def test_the_rest_of_a_path_is_a_parameter() -> None:
    """
    OpenAPI knows no other kind.
    """
    assert "/files/{rest}" in fixed_part(SURFACE).paths


@pytest.mark.parametrize(
    ("place", "text", "admitted"),
    [
        ("path", "greet", True),
        ("path", "a b%é", True),
        ("path", "..x", True),
        ("path", "..", False),
        ("path", "", False),
        ("path", "a/b", False),
        ("path", "a\\b", False),
        ("path", "a\u2028b", False),
        ("query", "", True),
        ("query", "a/b\\c", True),
        ("query", "a\nb", False),
        ("query", "a\x9fb", False),
    ],
)
def test_texts_in_addresses_are_what_the_gate_admits(place: str, text: str, admitted: bool) -> None:
    """
    The description promises no more of an address than `check_address` lets through.
    """
    parameter = {"name": "x", "in": place, "schema": {"type": "string"}}
    operations = {
        key: replace(operation, parameters=(parameter,))
        for key, operation in SURFACE.operations.items()
    }
    path = fixed_part(replace(SURFACE, operations=operations)).paths["/files/{rest}"]
    pattern = path["post"]["parameters"][0]["schema"]["pattern"]
    assert (re.search(pattern, text) is not None) is admitted
    quoted = quote(text, safe="").encode()
    address = (b"/files/" + quoted, b"") if place == "path" else (b"/files", b"x=" + quoted)
    if text:
        assert _is_admitted(*address) is admitted


def _is_admitted(path: bytes, query: bytes) -> bool:
    try:
        check_address(path, query, BOUNDS)
    except MalformedRequestError:
        return False
    return True


def test_two_schemas_of_one_name_are_a_mistake() -> None:
    """
    One would be taken for the other.
    """
    rest = {"components": {"schemas": {"ProblemData": {"type": "string"}}}}
    with pytest.raises(ValueError, match="two schemas are called ProblemData"):
        fixed_part(replace(SURFACE, rest=rest))


PUBLIC = {
    MalformedRequestError,
    AddressTooLongError,
    HeadersTooLargeError,
    ForeignOriginError,
    BodyTooLargeError,
    ForeignHostError,
    RequestTooSlowError,
}
KEYED = {
    NotAuthenticatedError,
    ForeignNetworkError,
    RateLimitedError,
    ConcurrencyLimitedError,
    OverloadedError,
    UnavailableError,
}


@pytest.mark.parametrize(
    ("policy", "errors"),
    [
        (RoutePolicy(path="/", methods=("GET",), scope=None), PUBLIC),
        (
            RoutePolicy(path="/", methods=("GET",), scope=None, any_host=True),
            PUBLIC - {ForeignHostError},
        ),
        (RoutePolicy(path="/", methods=("GET",), scope=Scope.READ), PUBLIC | KEYED),
        (
            RoutePolicy(path="/", methods=("GET",), scope=Scope.WRITE),
            PUBLIC | KEYED | {NotAuthorizedError},
        ),
        (
            RoutePolicy(path="/", methods=("GET",), scope=Scope.READ, narrowed=False),
            PUBLIC | KEYED | {NotAuthorizedError},
        ),
        (
            RoutePolicy(path="/", methods=("POST",), scope=Scope.READ, consumes="text/plain"),
            PUBLIC | KEYED | {UnsupportedMediaTypeError, ForgedRequestError},
        ),
    ],
)
def test_a_policy_says_what_the_gate_may_refuse(
    policy: RoutePolicy, errors: set[type[CtxfyError]]
) -> None:
    """
    Nothing of it has to be written down for a route.
    """
    assert set(policy_errors(policy)) == errors
