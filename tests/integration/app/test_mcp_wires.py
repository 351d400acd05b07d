"""
Prompts over MCP, on the wire of 2025 and on that of 2026: real FastMCP, real store.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ctxfy.core.models.auth_models import Scope
from tests.integration.app.app_kit import Client, message_of


type Ask = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["2025", "2026"])
def wire(request: pytest.FixtureRequest) -> str:
    """
    Each wire in turn.
    """
    return str(request.param)


@pytest.fixture
def ask(server: Client, wire: str) -> Ask:
    """
    Ask on the wire.
    """
    return _ask(server, wire)


def _ask(client: Client, wire: str) -> Ask:
    return client.ask_2025 if wire == "2025" else client.ask_2026


async def test_prompts_are_listed(ask: Ask, wire: str) -> None:
    """
    Each by its highest version, with arguments described; on the 2026 wire with cache hints.
    """
    result = (await ask("prompts/list"))["result"]
    listed = {prompt["name"]: prompt for prompt in result["prompts"]}
    greet = listed["greet"]
    assert list(listed) == ["broken", "code-review", "greet", "secret-plan"]
    assert (greet["title"], greet["description"]) == ("Greet somebody", "Writes a greeting.")
    assert [(item["name"], item["required"]) for item in greet["arguments"]] == [
        ("who", True),
        ("tone", False),
        ("times", False),
    ]
    assert "warm" in greet["arguments"][1]["description"]
    assert greet["_meta"]["fastmcp"]["versions"] == ["2.0.0", "1.0.0"]
    assert greet["_meta"]["ctxfy/owner"] == "platform-team"
    hints = (result.get("ttlMs"), result.get("cacheScope"))
    assert hints == ((10_000, "private") if wire == "2026" else (None, None))


async def test_a_prompt_is_rendered(ask: Ask) -> None:
    """
    Messages with their roles, and in `_meta` which text it was.
    """
    result = (await ask("prompts/get", name="greet", arguments={"who": "Ann", "times": "2"}))[
        "result"
    ]
    assert [(item["role"], item["content"]["text"]) for item in result["messages"]] == [
        ("user", "Say hello to Ann, warm, 2 times."),
        ("assistant", "To Ann."),
    ]
    meta = result["_meta"]
    assert meta["ctxfy/version"] == "2.0.0"
    assert (len(meta["ctxfy/digest"]), len(meta["ctxfy/revision"])) == (64, 12)


async def test_a_version_can_be_pinned(ask: Ask) -> None:
    """
    By `_meta.fastmcp.version`; a version that is not there is an unknown prompt.
    """
    pin = {"fastmcp": {"version": "1.0.0"}}
    old = await ask("prompts/get", name="greet", arguments={"who": "Ann"}, _meta=pin)
    assert old["result"]["messages"][0]["content"]["text"] == "Hail to Ann, warm, 1 times."
    assert old["result"]["_meta"]["ctxfy/version"] == "1.0.0"
    pin = {"fastmcp": {"version": "7"}}
    none = await ask("prompts/get", name="greet", arguments={"who": "Ann"}, _meta=pin)
    assert none["error"]["code"] == -32602


async def test_wrong_arguments_are_all_named_at_once(ask: Ask, wire: str) -> None:
    """
    -32602 with every mistake in `data`; HTTP 400 where the wire has it.
    """
    answer = await ask(
        "prompts/get", name="greet", arguments={"times": "x", "tone": "hot", "nope": "1"}
    )
    error = answer["error"]
    assert (error["code"], answer.get("status", 400)) == (-32602, 400)
    assert error["data"]["code"] == "prompt.invalid_arguments"
    assert {item["field"]: item["code"] for item in error["data"]["errors"]} == {
        "who": "missing",
        "tone": "invalid_choice",
        "times": "wrong_type",
        "nope": "unknown",
    }


async def test_arguments_are_strings(ask: Ask) -> None:
    """
    MCP has only strings: another value is -32602 before anything is rendered.
    """
    for arguments in ({"who": 7}, {"who": None}, {"who": ["a"]}, ["who"], "who"):
        answer = await ask("prompts/get", name="greet", arguments=arguments)
        assert answer["error"]["code"] == -32602


async def test_an_unknown_prompt_is_a_wrong_parameter(ask: Ask, wire: str) -> None:
    """
    -32602 for rendering and for completion alike.
    """
    argument = {"name": "a", "value": ""}
    for name in ("nope", "GREET", "../greet", "x" * 5000):
        reference = {"type": "ref/prompt", "name": name}
        for answer in (
            await ask("prompts/get", name=name),
            await ask("completion/complete", ref=reference, argument=argument),
        ):
            assert (answer["error"]["code"], answer.get("status", 400)) == (-32602, 400)
            assert "Unknown prompt" in answer["error"]["message"]


async def test_a_failed_rendering_shows_nothing_of_the_inside(ask: Ask) -> None:
    """
    -32603 with our code: no line of the template, no value, no word of the engine, no folder.
    """
    error = (await ask("prompts/get", name="broken", arguments={"n": "0"}))["error"]
    assert (error["code"], error["data"]) == (-32603, {"code": "prompt.render_failed"})
    for inner in ("//", "minijinja", "Traceback", "tmp", "division", "zero", "{{"):
        assert inner not in json.dumps(error)


async def test_completions_come_from_the_choices(ask: Ask) -> None:
    """
    What begins as typed, of an enum; nothing for free text; only prompts have completions.
    """
    reference = {"type": "ref/prompt", "name": "greet"}
    values = [
        (await ask("completion/complete", ref=reference, argument={"name": name, "value": typed}))[
            "result"
        ]["completion"]["values"]
        for name, typed in (("tone", "w"), ("tone", ""), ("who", "A"), ("nope", ""))
    ]
    assert values == [["warm"], ["warm", "cool"], [], []]
    resource = {"type": "ref/resource", "uri": "ctxfy://{x}"}
    answer = await ask("completion/complete", ref=resource, argument={"name": "x", "value": ""})
    assert answer["error"]["code"] == -32602


async def test_a_narrowed_key_sees_what_its_globs_allow(server: Client, wire: str) -> None:
    """
    What it may not use is not listed and unknown to it, completions too.
    """
    ask = _ask(await server.with_key("ann", prompts=("code-*",)), wire)
    listed = (await ask("prompts/list"))["result"]["prompts"]
    assert [prompt["name"] for prompt in listed] == ["code-review"]
    reference = {"type": "ref/prompt", "name": "greet"}
    hidden = await ask("prompts/get", name="greet", arguments={"who": "Ann"})
    missing = await ask("prompts/get", name="greets", arguments={"who": "Ann"})
    completed = await ask(
        "completion/complete", ref=reference, argument={"name": "tone", "value": ""}
    )
    assert hidden["error"]["code"] == completed["error"]["code"] == -32602
    # Nothing tells a hidden prompt from one that is not there.
    assert json.dumps(hidden) == json.dumps(missing).replace("greets", "greet")


async def test_a_prompt_above_a_key_s_scope_is_unknown_to_it(server: Client, wire: str) -> None:
    """
    A prompt for admins is neither listed for nor rendered by a reader; the admin gets it.
    """
    ask = _ask(await server.with_key("ann", scope=Scope.WRITE), wire)
    listed = (await ask("prompts/list"))["result"]["prompts"]
    assert "secret-plan" not in [prompt["name"] for prompt in listed]
    assert (await ask("prompts/get", name="secret-plan"))["error"]["code"] == -32602
    given = await _ask(server, wire)("prompts/get", name="secret-plan")
    assert given["result"]["messages"][0]["content"]["text"] == "The plan."


async def test_the_2025_handshake_promises_only_what_is_kept(server: Client) -> None:
    """
    No session, no list_changed; completions and prompts are there.
    """
    client_info = {"name": "test", "version": "1"}
    result = (
        await server.ask_2025(
            "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client_info
        )
    )["result"]
    assert result["protocolVersion"] == "2025-11-25"
    assert result["capabilities"]["prompts"] == {"listChanged": False}
    assert "completions" in result["capabilities"]
    assert result["serverInfo"]["name"] == "ctxfy"
    assert (await server.ask_2025("ping"))["result"] == {}


async def test_the_2026_discovery_tells_the_same(server: Client) -> None:
    """
    server/discover answers without a handshake, cacheable by the caller alone.
    """
    result = (await server.ask_2026("server/discover"))["result"]
    assert result["supportedVersions"] == ["2026-07-28"]
    assert result["capabilities"]["prompts"] == {"listChanged": True}
    assert (result["ttlMs"], result["cacheScope"]) == (10_000, "private")


async def test_what_the_2026_wire_dropped_is_gone(server: Client) -> None:
    """
    The handshake and ping are 404 there, as are methods nobody knows.
    """
    for method in ("initialize", "ping", "logging/setLevel", "nope/nope"):
        answer = await server.ask_2026(method)
        assert (answer["status"], answer["error"]["code"]) == (404, -32601)


async def test_what_is_authorised_is_the_body(server: Client) -> None:
    """
    A header that names another prompt than the body opens nothing: -32020.
    """
    narrow = await server.with_key("ann", prompts=("code-*",))
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "greet", "arguments": {"who": "x"}, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": params}
    answer = await narrow.post(
        json.dumps(message),
        mcp_protocol_version="2026-07-28",
        mcp_method="prompts/get",
        mcp_name="code-review",
    )
    assert (answer.status_code, message_of(answer)["error"]["code"]) == (400, -32020)


async def test_the_slash_at_the_end_makes_no_difference(server: Client) -> None:
    """
    No redirect, which would lose a POST.
    """
    listed = await server.ask_2025("prompts/list", path="/mcp/")
    assert listed == await server.ask_2025("prompts/list")


NO_MESSAGES = (
    b"",
    b"{",
    b"not json",
    b"\xff\xfe",
    b"[" * 50_000,
    b'{"a":' * 15_000,
    b"null",
    b"[]",
    b'{"jsonrpc":"1.0","id":1,"method":"ping"}',
)


async def test_what_is_no_message_is_refused(server: Client, wire: str) -> None:
    """
    Broken, deep, binary or strange JSON is a 400 in JSON-RPC, never a fault of the server.
    """
    modern = {"mcp_protocol_version": "2026-07-28", "mcp_method": "ping"}
    for content in NO_MESSAGES:
        answer = await server.post(content, **(modern if wire == "2026" else {}))
        message = answer.json()
        assert (answer.status_code, message["jsonrpc"]) == (400, "2.0"), content[:20]
        if content in NO_MESSAGES[:6]:
            assert (message["error"]["code"], message["id"]) == (-32700, None), content[:20]
