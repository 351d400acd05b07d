"""
One prompt and the call that asks for it, on both wires.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


PATH = "/mcp"
PROMPT = "bench"
TOKEN = "a-token-of-the-benchmark"  # noqa: S105 - no secret
CODE = "print('a < b && c')"

_LINE = (
    "Look at each function once, and say in one sentence what it is for and what may go wrong.\n"
)
_TEMPLATE = """---
name: {name}
description: Review some code.
arguments:
  code: {{description: The code, required: true, max_length: 1000}}
---
{text}"""


@dataclass(frozen=True, slots=True)
class Call:
    """
    What is sent.
    """

    headers: Sequence[str]
    body: str


def prompt_text(least_bytes: int, code: str) -> str:
    """
    Write what the prompt says about some code: a few lines, or at least so many bytes of them.
    """
    lines = max(2, -(-least_bytes // len(_LINE)))
    return f"{_LINE * lines}\n{code}"


def write_prompts(folder: Path, count: int, least_bytes: int) -> Path:
    """
    Write the prompt for ctxfy, and others beside it, so that there are `count`.
    """
    folder.mkdir(parents=True)
    for number in range(count):
        name = f"{PROMPT}-{number}" if number else PROMPT
        size = 0 if number else least_bytes
        text = prompt_text(size, "{{ code }}")
        (folder / f"{name}.prompt.md").write_text(_TEMPLATE.format(name=name, text=text))
    return folder


def call_2026(token: str) -> Call:
    """
    `prompts/get` as protocol 2026-07-28 has it.
    """
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    more = ("Mcp-Method: prompts/get", f"Mcp-Name: {PROMPT}")
    return _call(token, "2026-07-28", {"_meta": meta}, more)


def call_2025(token: str) -> Call:
    """
    `prompts/get` as protocol 2025-11-25 has it, without a session.
    """
    return _call(token, "2025-11-25", {}, ())


def _call(token: str, version: str, meta: dict[str, object], more: Sequence[str]) -> Call:
    params: dict[str, object] = {"name": PROMPT, "arguments": {"code": CODE}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": params | meta}
    headers = (
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"Authorization: Bearer {token}",
        f"Mcp-Protocol-Version: {version}",
        *more,
    )
    return Call(headers, json.dumps(message))
