"""
A prompt that is a Python function, behind the gate, through the real FastMCP.
"""

from pathlib import Path
from typing import Any

import pytest
from fastmcp import FastMCP
from fastmcp.server.auth import AuthProvider, require_scopes
from fastmcp.server.dependencies import get_access_token, get_http_headers, get_http_request

from ctxfy.adapters.mcp_prompts.rpc_facts import Annotate
from ctxfy.adapters.mcp_prompts.server import McpPrompts, build_mcp_server
from ctxfy.app import main
from ctxfy.core.models.auth_models import Scope
from ctxfy.core.ports.monitoring_ports import TracerPort
from tests.integration.app.app_kit import ADMIN_KEY, running, settings_in


async def test_a_function_sees_who_calls_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `get_access_token()` and `auth=` work by the key's public id; the key is nowhere to be found.
    """
    seen: list[str] = []

    def build_with_functions(
        prompts: McpPrompts,
        *,
        version: str,
        auth: AuthProvider,
        annotate: Annotate,
        tracer: TracerPort,
    ) -> FastMCP[Any]:
        server = build_mcp_server(
            prompts, version=version, auth=auth, annotate=annotate, tracer=tracer
        )

        @server.prompt(version="1")
        async def who_am_i() -> str:
            """
            Tell who is calling.
            """
            token = get_access_token()
            assert token is not None
            request = get_http_request()
            headers = get_http_headers(include_all=True)
            seen.append(f"{token!r} {request.scope!r} {request.headers!r} {headers!r}")
            return f"{token.client_id} {token.subject} {' '.join(token.scopes)}"

        @server.prompt(version="1", auth=require_scopes("admin"))
        async def for_admins() -> str:
            """
            Only for admins.
            """
            return "hello, admin"

        return server

    monkeypatch.setattr(main, "build_mcp_server", build_with_functions)
    async with running(main.create_app(settings_in(tmp_path))) as admin:
        writer = await admin.with_key("ann", scope=Scope.WRITE)
        for client, scopes in ((admin, "admin read write admin"), (writer, "ann read write")):
            user, _, granted = scopes.partition(" ")
            for ask in (client.ask_2025, client.ask_2026):
                answer = await ask("prompts/get", name="who_am_i")
                (message,) = answer["result"]["messages"]
                assert message["content"]["text"] == f"{client.key[6:18]} {user} {granted}"
        allowed = await admin.ask_2025("prompts/get", name="for_admins")
        refused = await writer.ask_2025("prompts/get", name="for_admins")
        assert allowed["result"]["messages"][0]["content"]["text"] == "hello, admin"
        assert "error" in refused
    assert len(seen) == 4
    for text in seen:
        for key in (ADMIN_KEY, writer.key):
            assert key not in text
            assert key[19:62] not in text
