"""
Real clients over HTTP against the real process: they list and get every example, with a key.
"""

import json
from collections.abc import Mapping

import mcp_types as mt
import pytest
from fastmcp import Client as FastMCPClient
from mcp import MCPError

from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.app.config import load_settings
from ctxfy.app.loading import make_loader
from ctxfy.core.models.catalog_models import Catalog
from ctxfy.core.models.prompt_models import Value
from ctxfy.core.use_cases.validation_use_cases import thaw
from tests.e2e.conftest import ROOT, Server
from tests.e2e.sdk import Mode, sdk_client


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """
    The example prompts, to compare with.
    """
    load_settings()
    return make_loader(ROOT / "prompts", SchemaValidator()).load().catalog


def as_text(arguments: Mapping[str, Value]) -> dict[str, str]:
    """
    Write arguments as MCP sends them: every value a text.
    """
    return {
        name: value if isinstance(value, str) else json.dumps(thaw(value))
        for name, value in arguments.items()
    }


async def test_fastmcps_client_lists_and_gets_every_example(
    server: Server, catalog: Catalog
) -> None:
    """
    FastMCP's own client sees every prompt and renders every example of each.
    """
    async with FastMCPClient(server.mcp, auth=server.key) as client:
        listed = {prompt.name for prompt in await client.list_prompts()}
        assert listed == {template.name for template in catalog}
        for template in catalog:
            for example in template.examples:
                result = await client.get_prompt(template.name, as_text(example.arguments))
                assert len(result.messages) == len(template.messages)
                roles = [message.role for message in result.messages]
                assert roles == [str(message.role) for message in template.messages]


async def test_fastmcps_client_gets_completions_and_is_told_its_mistakes(server: Server) -> None:
    """
    FastMCP's client is offered values, and hears of every mistake.
    """
    async with FastMCPClient(server.mcp, auth=server.key) as client:
        offered = await client.complete(
            mt.PromptReference(type="ref/prompt", name="code-review"),
            {"name": "language", "value": "py"},
        )
        assert offered.values == ["python"]
        with pytest.raises(MCPError, match="must be one of") as caught:
            await client.get_prompt("code-review", {"language": "cobol"})
    assert caught.value.error.code == mt.INVALID_PARAMS


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_lists_and_gets_every_example(
    server: Server, catalog: Catalog, mode: Mode
) -> None:
    """
    The official SDK does so too, on the 2026 wire and on the 2025 one.
    """
    async with sdk_client(server, server.key, mode) as client:
        listed = (await client.list_prompts()).prompts
        assert [prompt.name for prompt in listed] == [template.name for template in catalog]
        for prompt, template in zip(listed, catalog, strict=True):
            declared = [(item.name, item.required) for item in template.arguments]
            shown = [(item.name, item.required) for item in prompt.arguments or []]
            assert shown == declared
            for example in template.examples:
                result = await client.get_prompt(template.name, as_text(example.arguments))
                assert isinstance(result, mt.GetPromptResult)
                assert len(result.messages) == len(template.messages)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_gets_completions(server: Server, mode: Mode) -> None:
    """
    A client that types `py` is offered `python`.
    """
    async with sdk_client(server, server.key, mode) as client:
        found = await client.complete(
            mt.PromptReference(type="ref/prompt", name="code-review"),
            {"name": "language", "value": "py"},
        )
        assert found.completion.values == ["python"]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_is_told_every_mistake_at_once(server: Server, mode: Mode) -> None:
    """
    Wrong arguments come back as -32602 with a list of what to mend.
    """
    async with sdk_client(server, server.key, mode) as client:
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("code-review", {"language": "cobol", "colour": "red"})
    error = caught.value.error
    assert error.code == mt.INVALID_PARAMS
    found = [(item["field"], item["code"]) for item in error.data["errors"]]
    assert found == [("language", "invalid_choice"), ("code", "missing"), ("colour", "unknown")]


@pytest.mark.parametrize("key", ["", "ctxfy_wrong", "ctxfy_AAAAAAAAAAAA_" + "A" * 49])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_sdk_is_refused_without_a_valid_key(server: Server, mode: Mode, key: str) -> None:
    """
    No key, half a key and a made-up key: nothing is listed.
    """
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - groups of errors, by client
        async with sdk_client(server, key, mode) as client:
            await client.list_prompts()
    text = repr(caught.value) + str(getattr(caught.value, "exceptions", ""))
    assert "API key" in text or "401" in text


@pytest.mark.parametrize("key", [None, "ctxfy_wrong"])
async def test_fastmcps_client_is_refused_without_a_valid_key(
    server: Server, key: str | None
) -> None:
    """
    FastMCP's client is told that an API key is needed, or that this is none.
    """
    with pytest.raises(Exception, match=r"API key|401"):
        async with FastMCPClient(server.mcp, auth=key) as client:
            await client.list_prompts()
