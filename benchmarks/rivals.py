"""
What others serve a prompt with: applications for uvicorn, which know one prompt.

FastMCP and the SDK answer in JSON and keep no sessions, as ctxfy does, which is their fastest way.
The prompt's text is `CTXFY_BENCH_TEXT` bytes long.
"""

import logging
import os
import sys
from typing import Any

import mcp_types as mt
from fastmcp import FastMCP
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier
from fastmcp.server.middleware.logging import StructuredLoggingMiddleware
from fastmcp.server.middleware.rate_limiting import RateLimitingMiddleware
from mcp.server.lowlevel import Server

from benchmarks.prompt_calls import PATH, PROMPT, TOKEN, prompt_text


TEXT_BYTES = int(os.environ.get("CTXFY_BENCH_TEXT", "0"))
NO_LIMIT = 1e9  # requests a second


def fastmcp_bare() -> Any:  # noqa: ANN401 - Starlette's application with FastMCP's lifespan
    """
    FastMCP with an `async def` prompt and nothing else.
    """
    return _served(FastMCP("bench"))


def fastmcp_guarded() -> Any:  # noqa: ANN401 - as above
    """
    FastMCP with its own verifier of tokens, structured log and rate limit.
    """
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    return _served(
        FastMCP(
            "bench",
            auth=StaticTokenVerifier({TOKEN: {"client_id": "bench", "scopes": ["read"]}}),
            middleware=[
                StructuredLoggingMiddleware(),
                RateLimitingMiddleware(NO_LIMIT, burst_capacity=int(NO_LIMIT)),
            ],
        )
    )


def sdk_lowlevel() -> Any:  # noqa: ANN401 - as above
    """
    The SDK's low-level server.
    """

    async def get_prompt(_: Any, params: mt.GetPromptRequestParams) -> mt.GetPromptResult:  # noqa: ANN401
        code = (params.arguments or {})["code"]
        text = mt.TextContent(type="text", text=prompt_text(TEXT_BYTES, code))
        return mt.GetPromptResult(messages=[mt.PromptMessage(role="user", content=text)])

    server = Server("bench", on_get_prompt=get_prompt)
    return server.streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True
    )


def _served(server: FastMCP[Any]) -> Any:  # noqa: ANN401 - as above
    async def render(code: str) -> str:
        return prompt_text(TEXT_BYTES, code)

    server.prompt(render, name=PROMPT)
    return server.http_app(path=PATH, json_response=True, stateless_http=True)
