"""
The OpenAPI document and the explorer over the whole application.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from ctxfy.adapters.api_docs.page_routes import PAGE_POLICY
from ctxfy.app.config import DocsSettings, PromptsSettings
from ctxfy.app.main import create_app
from ctxfy.app.rest import rest_handlers
from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import Client, message_of, running, settings_in, write_prompts


type Document = dict[str, Any]

HAIL = """\
---
arguments:
  who: {required: true}
  tone: {enum: [warm, cool]}
  times: {type: integer, default: 1}
examples:
  - {name: a friend, arguments: {who: Ada, times: "2"}}
---
Hail {{ who }} {{ tone }} {{ times }}
"""
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """
    Serve the standard prompts and one with an example.
    """
    folder = tmp_path_factory.mktemp("server")
    settings = settings_in(folder)
    write_prompts(folder, {"hail.prompt.md": HAIL})
    async with running(create_app(settings)) as client:
        yield client


async def document_of(client: Client) -> Document:
    """
    Read the document as the client's key sees it.
    """
    answer = await client.get("/openapi.json", key=True)
    assert answer.status_code == 200, answer.text
    found: Document = answer.json()
    return found


@pytest.fixture
async def document(server: Client) -> Document:
    """
    The document as the admin sees it.
    """
    return await document_of(server)


def executions_in(document: Document) -> list[str]:
    """
    List the prompts that have an operation of their own.
    """
    names = [re.fullmatch(r"/prompts/([^{]+)/execute", path) for path in document["paths"]]
    return [match[1] for match in names if match]


async def test_the_document_is_valid(document: Document) -> None:
    """
    OpenAPI 3.0.3 by its own schema, every reference and every default included.
    """
    assert document["openapi"] == "3.0.3"
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []


async def test_the_document_has_what_the_table_and_the_handlers_have(
    document: Document, server: Client
) -> None:
    """
    Paths and methods are those of the table of routes, and the REST handlers are among them.
    """
    described = {
        (path, method.upper())
        for path, item in document["paths"].items()
        for method in item.keys() & METHODS
        if path not in {f"/prompts/{name}/execute" for name in executions_in(document)}
    }
    policies = server.app.wiring.policies
    table = {(policy.path, method) for policy in policies for method in policy.methods}
    assert described == {(path.replace(":path}", "}"), method) for path, method in table}
    assert set(rest_handlers(server.app.wiring)) <= described


async def test_every_operation_has_a_name_of_its_own(document: Document) -> None:
    """
    And a tag that is explained, and a sentence.
    """
    found = [item for path in document["paths"].values() for item in path.values()]
    names = [item["operationId"] for item in found]
    assert len(names) == len(set(names))
    assert {tag for item in found for tag in item["tags"]} <= {
        tag["name"] for tag in document["tags"]
    }
    assert all(item["summary"] for item in found)


async def test_a_prompt_has_its_own_arguments_and_what_comes_of_them(document: Document) -> None:
    """
    Types, choices, lengths and defaults as declared, and an example that was really rendered.
    """
    schemas = document["components"]["schemas"]
    arguments = schemas["GreetArguments"]
    assert arguments["required"] == ["who"]
    assert arguments["properties"]["who"] == {
        "type": "string",
        "maxLength": 40,
        "description": "Whom",
    }
    assert arguments["properties"]["tone"]["enum"] == ["warm", "cool"]
    assert arguments["properties"]["tone"]["default"] == "warm"
    assert arguments["additionalProperties"] is False


async def ask(client: Client, method: str, path: str, **request: Any) -> httpx2.Response:  # noqa: ANN401 - httpx's
    """
    Send one request with the client's key, unless headers are given.
    """
    request.setdefault("headers", {"authorization": f"Bearer {client.key}"})
    return await client.http.request(method, path, **request)


def mistakes_in(document: Document, path: str, answer: httpx2.Response) -> list[str]:
    """
    Compare an answer with what the document says of it.
    """
    responses = document["paths"][path][answer.request.method.lower()]["responses"]
    described = responses[str(answer.status_code)]
    if "$ref" in described:
        described = document["components"]["responses"][described["$ref"].rpartition("/")[2]]
    missing = [name for name in described["headers"] if name.lower() not in answer.headers]
    if not answer.content:
        return [*missing, *described.get("content", {})]
    kind = answer.headers["content-type"].partition(";")[0]
    schema = described["content"][kind]["schema"]
    validator = OAS30Validator({**schema, "components": document["components"]})
    return [*missing, *(error.message for error in validator.iter_errors(answer.json()))]


KEYS, KEY = "/auth/api-keys", "/auth/api-keys/{key_id}"
REQUESTS: tuple[tuple[int, str, str, str, Any], ...] = (
    (200, "GET", "/prompts", "/prompts", None),
    (422, "GET", "/prompts", "/prompts?limit=0&x=1", None),
    (200, "GET", "/prompts/{name}", "/prompts/greet", None),
    (200, "GET", "/prompts/{name}", "/prompts/code-review", None),
    (404, "GET", "/prompts/{name}", "/prompts/nothing", None),
    (200, "POST", "/prompts/{name}/execute", "/prompts/greet/execute", {"arguments": {"who": "A"}}),
    (200, "POST", "/prompts/greet/execute", "/prompts/greet/execute", {"arguments": {"who": "A"}}),
    (422, "POST", "/prompts/greet/execute", "/prompts/greet/execute", {"arguments": {"x": "A"}}),
    (422, "POST", "/prompts/broken/execute", "/prompts/broken/execute", {"arguments": {"n": 0}}),
    (415, "POST", "/prompts/greet/execute", "/prompts/greet/execute", None),
    (200, "POST", "/prompts/reload", "/prompts/reload", None),
    (201, "POST", KEYS, KEYS, {"user_id": "ada", "ttl_hours": 5, "rate_limit": "5/minute"}),
    (422, "POST", KEYS, KEYS, {"user_id": "", "scope": "boss"}),
    (200, "GET", KEYS, KEYS, None),
    (200, "GET", "/auth/api-keys/current", "/auth/api-keys/current", None),
    (200, "GET", KEY, "/auth/api-keys/admin0000000", None),
    (404, "GET", KEY, "/auth/api-keys/000000000000", None),
    (409, "DELETE", KEY, "/auth/api-keys/admin0000000", None),
    (200, "GET", "/openapi.json", "/openapi.json", None),
    (200, "GET", "/health", "/health", None),
    (200, "GET", "/health/live", "/health/live", None),
    (200, "GET", "/health/ready", "/health/ready", None),
    (404, "GET", "/register", "/register", None),
    (404, "POST", "/.well-known/{rest}", "/.well-known/oauth-protected-resource/mcp", None),
)


async def test_answers_are_as_the_document_says(document: Document, server: Client) -> None:
    """
    Status, type, headers and body of what goes well and of what is refused, with a key and without.
    """
    for status, method, path, address, body in REQUESTS:
        request = {} if body is None else {"json": body}
        answer = await ask(server, method, address, **request)
        assert answer.status_code == status, (path, answer.text)
        assert mistakes_in(document, path, answer) == [], (path, status)
        stranger = await ask(server, method, address, headers={}, **request)
        assert mistakes_in(document, path, stranger) == [], (path, stranger.status_code)


async def test_an_example_is_what_really_comes(document: Document, server: Client) -> None:
    """
    Each prompt's example, executed, gives the answer that is shown, but for id and time; and MCP's
    examples give theirs on both revisions.
    """
    operation = document["paths"]["/prompts/hail/execute"]["post"]
    (example,) = operation["requestBody"]["content"]["application/json"]["examples"].values()
    assert example["value"] == {"arguments": {"who": "Ada", "times": 2}}
    shown = operation["responses"]["200"]["content"]["application/json"]["example"]
    real = (await ask(server, "POST", "/prompts/hail/execute", json=example["value"])).json()
    assert shown.keys() == real.keys()
    for name in shown.keys() - {"request_id", "execution_time_ms"}:
        assert shown[name] == real[name], name
    mcp = document["paths"]["/mcp"]["post"]
    asked = mcp["requestBody"]["content"]["application/json"]["examples"]
    answered = mcp["responses"]["200"]["content"]["application/json"]["examples"]
    assert len(asked) == 6
    for name, told in asked.items():
        message = told["value"]
        is_new = "2026" in name
        headers = {"mcp_protocol_version": name.rpartition(" ")[2]}
        if is_new:
            headers["mcp_method"] = message["method"]
        if is_new and message["method"] == "prompts/get":
            headers["mcp_name"] = message["params"]["name"]
        answer = message_of(await server.post(json.dumps(message), **headers))
        assert "result" in answer, (name, answer)
        assert_shown(answered[name]["value"]["result"], answer["result"])


def assert_shown(shown: Any, real: Any) -> None:  # noqa: ANN401 - JSON
    """
    Check that all that is shown came; more may have come, and a list is shortened to one prompt.
    """
    if isinstance(shown, list) and len(shown) < len(real):
        (only,) = shown
        shown, real = only, next(item for item in real if item["name"] == only["name"])
    if not isinstance(shown, dict):
        assert shown == real
        return
    for name, value in shown.items():
        assert_shown(value, real[name])


def names_in(value: object) -> Iterator[str]:
    """
    Give the names of all components that are referred to.
    """
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"].rpartition("/")[2]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from names_in(item)


async def test_each_answer_in_json_has_an_example_that_fits(document: Document) -> None:
    """
    Every operation that answers JSON shows an answer, and it is as its schema says.
    """
    for path, item in document["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                media = response.get("content", {}).get("application/json", {})
                if not status.startswith("2") or "schema" not in media:
                    continue
                if path == "/openapi.json" or "executions" in operation["tags"]:
                    continue
                shown = media.get("example") or media.get("examples")
                assert shown, f"{method} {path}"
                if "example" in media:
                    schema = {**media["schema"], "components": document["components"]}
                    found = OAS30Validator(schema).iter_errors(media["example"])
                    assert [error.message for error in found] == [], path


async def test_components_are_called_as_a_person_would(document: Document) -> None:
    """
    Two types of one name would carry the names of their modules; each component is used.
    """
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if "__" in name] == []
    assert set(schemas) <= set(names_in(document))


async def test_the_document_is_sent_again_only_when_it_changed(server: Client) -> None:
    """
    A client asks with the tag of what it has, and keeps it for itself; other prompts, other tag.
    """
    first = await server.get("/openapi.json", key=True)
    tag = first.headers["etag"]
    again = await server.get("/openapi.json", key=True, if_none_match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.headers["vary"] == "Authorization, X-API-Key, Cookie"
    narrow = await server.with_key("kim", prompts=["greet"])
    other = await narrow.get("/openapi.json", key=True, if_none_match=tag)
    assert other.status_code == 200
    assert other.headers["etag"] != tag


async def test_a_key_sees_the_fixed_routes_and_its_own_prompts(server: Client) -> None:
    """
    No name of another prompt is in the document of a narrowed key.
    """
    narrow = await server.with_key("ann", prompts=["greet"])
    reader = await server.with_key("ben", scope=Scope.READ)
    seen = await server.get("/openapi.json", authorization=f"Bearer {narrow.key}")
    assert executions_in(seen.json()) == ["greet"]
    assert "/auth/api-keys" in seen.json()["paths"]
    assert "secret-plan" not in seen.text
    assert "secret-plan" not in executions_in(await document_of(reader))
    assert "secret-plan" in executions_in(await document_of(server))


async def test_the_page_runs_under_a_strict_policy(server: Client) -> None:
    """
    Everything it names is relative and known by content; nothing is inline.
    """
    for page in ("/docs", "/docs/prompts/greet", "/docs/start", "/docs/explorer"):
        answer = await server.get(page, key=True)
        named = re.findall(r'(?:src|href|action)="([^"#]+)"', unescape(answer.text))
        assert answer.headers["content-security-policy"] == PAGE_POLICY
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert len(named) > 8
        assert not re.search(r"<script>|<style|style=|onload", answer.text)
        for name in set(named) - {"../logout", "../../logout", "logout"}:
            assert not name.startswith(("/", "http"))
            found = await server.get(urljoin(page, name), key="assets" not in name)
            assert found.status_code == 200, name
        assert (await server.get(page)).status_code == 401
    assert (await server.get("/openapi.json")).status_code == 401


async def test_a_file_of_the_page_is_kept_for_good(server: Client) -> None:
    """
    Its name changes with its content; names that are not in the list are 404.
    """
    page = (await server.get("/docs/explorer", key=True)).text
    (name,) = re.findall(r'docs/assets/(swagger-ui\.\w+\.css)"', page)
    first = await server.get(f"/docs/assets/{name}")
    again = await server.get(f"/docs/assets/{name}", if_none_match=first.headers["etag"])
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")
    for other in ("swagger-ui.css", "index.html", "explorer.html", "__init__.py"):
        answer = await server.get(f"/docs/assets/{other}", key=True)
        assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")
    outside = await server.get("/docs/assets/%2e%2e%2froutes.py", key=True)
    assert (outside.status_code, outside.json()["code"]) == (400, "request.malformed")


async def test_the_document_follows_a_reload(tmp_path: Path) -> None:
    """
    At once, in both directions.
    """
    # Nobody else looks at the folder, or the reload would find nothing left to do.
    prompts = PromptsSettings(folder=write_prompts(tmp_path), watch=False)
    settings = settings_in(tmp_path, prompts=prompts)
    async with running(create_app(settings)) as client:
        before = executions_in(await document_of(client))
        write_prompts(tmp_path, {"fresh.prompt.md": "---\ntitle: New\n---\nNew.\n"})
        answer = await client.http.post(
            "/prompts/reload", headers={"authorization": f"Bearer {client.key}"}
        )
        assert answer.json().get("added") == ["fresh"], answer.text
        assert executions_in(await document_of(client)) == sorted([*before, "fresh"])


async def test_the_documents_can_be_left_out(tmp_path: Path) -> None:
    """
    With `docs.enabled` false there is nothing at their addresses.
    """
    app = create_app(settings_in(tmp_path, docs=DocsSettings(enabled=False)))
    async with running(app) as client:
        for path in ("/docs", "/openapi.json"):
            assert (await client.get(path, key=True)).status_code == 404
