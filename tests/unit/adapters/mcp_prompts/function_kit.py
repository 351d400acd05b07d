"""
A prompt module to try, and what loads one.
"""

from pathlib import Path

from ctxfy.adapters.auth.fastmcp_verifier import token_of
from ctxfy.adapters.mcp_prompts.function_loader import load_functions
from ctxfy.adapters.mcp_prompts.function_prompts import ModuleFunction
from ctxfy.core.exceptions import CatalogError


TEAM = '''\
from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager
from datetime import date
from typing import Annotated, Literal

from fastmcp import Context, FastMCP
from fastmcp.prompts import Message, PromptResult
from fastmcp.server.auth import require_scopes
from fastmcp.server.dependencies import get_access_token
from pydantic import Field

from ctxfy.business import count


@asynccontextmanager
async def lifespan(server):
    yield {"state": "open"}


mcp = FastMCP("team", lifespan=lifespan)


@mcp.prompt(
    title="Plan a week",
    version="2.0",
    tags={"planning"},
    meta={"ctxfy": {"owner": "planners", "model": "some-model"}},
)
def plan(
    person: str,
    days: Annotated[int, Field(ge=1)] = 5,
    style: Literal["calm", "busy"] = "calm",
    start: date | None = None,
    hours: list[int] = [],
) -> PromptResult:
    """Plan somebody's week.

    Args:
        person: For whom.
    """
    count("plan_made", style=style)
    text = f"{person}, {days} days, {style}, from {start}, {hours}"
    answer = [Message(text), Message("Planned.", role="assistant")]
    return PromptResult(answer, description=f"A plan for {person}", meta={"by": "hand"})


@mcp.prompt
async def walk(points: list[tuple[int, int]]) -> str:
    """Walk from one point to the next."""
    return f"{points}"


@mcp.prompt
async def who(ctx: Context) -> str:
    """Tell who is calling."""
    token = get_access_token()
    return f"{token.client_id} {token.subject} {ctx.lifespan_context['state']}"


@mcp.prompt
async def fail(word: str) -> str:
    """Fail with what it was given."""
    raise RuntimeError(f"secret {word}")


@mcp.prompt
async def sleep_async() -> str:
    """Wait, and let others work."""
    await asyncio.sleep(60)
    return "late"


@mcp.prompt
def sleep_sync() -> str:
    """Wait in a thread."""
    time.sleep(10)
    return "late"


@mcp.prompt
async def leave() -> str:
    """End the program."""
    sys.exit(3)


@mcp.prompt(meta={"ctxfy": {"scope": "write"}})
async def for_writers() -> str:
    """Only for writers."""
    return "hello"


@mcp.prompt(auth=require_scopes("admin"))
async def for_admins() -> str:
    """Only for admins."""
    return "hello"
'''


def functions_of(folder: Path, source: str, *, seconds: float = 60) -> dict[str, ModuleFunction]:
    """
    Write a module and load it; its prompts by name.
    """
    module = folder / "team.py"
    module.write_text(source)
    loaded = load_functions([str(module)], seconds=seconds, token_of=token_of)
    return {item.template.name: item for item in loaded}


def problems_of(*modules: str) -> list[str]:
    """
    Load modules that cannot be served, and list what their author is told.
    """
    try:
        load_functions(modules, seconds=5, token_of=token_of)
    except CatalogError as error:
        return [str(problem) for problem in error.problems]
    return []
