"""
Results as the SDK writes them: it writes each form once, and what changes is put in between.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import mcp_types as mt
from fastmcp import FastMCP
from mcp.server.connection import Connection
from mcp.server.runner import ServerRunner
from mcp_types.version import (
    HANDSHAKE_PROTOCOL_VERSIONS,
    LATEST_HANDSHAKE_VERSION,
    LATEST_MODERN_VERSION,
    MODERN_PROTOCOL_VERSIONS,
)
from pydantic import BaseModel

from ctxfy.adapters.mcp_prompts.wire_forms import wire_completion, wire_prompt, wire_result
from ctxfy.adapters.mcp_prompts.wires import EVENTS, MODERN, WIRES, Wire
from ctxfy.core.models.prompt_models import PromptTemplate, RenderedPrompt, TextContent


type Gaps = Sequence[bytes]
"""
Pieces of JSON, with a gap between each and the next.
"""

_NO_COMPLETIONS = mt.CompleteResult(completion=wire_completion(()))


class ResultForms:
    """
    Writes results for both wires.

    Args:
        server: Whose results they are: its name, its capabilities, its hints for caches.
    """

    def __init__(self, server: FastMCP[Any]) -> None:
        self._server = server._mcp_server  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way
        self._handshakes = {
            version: self._handshake(version) for version in HANDSHAKE_PROTOCOL_VERSIONS
        }
        self.discovery = self._discovery()
        self._lists = {wire: self._list_gap(wire) for wire in WIRES}
        self._completions = {wire: self._completion_gap(wire) for wire in WIRES}

    def handshake(self, requested: object) -> bytes:
        """
        Answer `initialize`; who asks for a protocol that is not known gets the newest.
        """
        version = requested if isinstance(requested, str) else LATEST_HANDSHAKE_VERSION
        return self._handshakes.get(version) or self._handshakes[LATEST_HANDSHAKE_VERSION]

    def prompt(self, wire: Wire, template: PromptTemplate, versions: Sequence[str]) -> bytes:
        """
        Write a prompt as an entry of a list.
        """
        result = mt.ListPromptsResult(prompts=[wire_prompt(template, versions)])
        return wire.json(self._serialized("prompts/list", wire, result)["prompts"][0])

    def prompts(self, wire: Wire, entries: bytes) -> bytes:
        """
        Answer `prompts/list` with entries that are written already, commas between.
        """
        return entries.join(self._lists[wire])

    def completion(self, wire: Wire, offers: Sequence[str]) -> bytes:
        """
        Answer `completion/complete`.
        """
        found = wire_completion(offers).model_dump(by_alias=True, mode="json", exclude_none=True)
        return wire.json(dict(sorted(found.items()))).join(self._completions[wire])

    def rendering_gaps(self, wire: Wire, rendered: RenderedPrompt) -> Gaps:
        """
        Write a rendering with gaps where its texts go, quotes and all.
        """
        marks = [f"{rendered.template.digest}/{place}" for place in range(len(rendered.messages))]
        marked = tuple(
            replace(message, content=replace(message.content, text=mark))
            if isinstance(message.content, TextContent)
            else message
            for message, mark in zip(rendered.messages, marks, strict=True)
        )
        result = wire_result(replace(rendered, messages=marked)).to_mcp_prompt_result()
        return tuple(_cut(self._written("prompts/get", wire, result), map(wire.text, marks)))

    def _list_gap(self, wire: Wire) -> Gaps:
        written = self._written("prompts/list", wire, mt.ListPromptsResult(prompts=[]))
        head, _, tail = written.partition(b'"prompts":[')
        return head + b'"prompts":[', tail

    def _completion_gap(self, wire: Wire) -> Gaps:
        serialized = self._serialized("completion/complete", wire, _NO_COMPLETIONS)
        mark = wire.json(serialized["completion"])
        head, _, tail = wire.json(serialized).partition(mark)
        return head, tail

    def _handshake(self, version: str) -> bytes:
        params = {
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": {"name": "", "version": ""},
        }
        said = self._runner(EVENTS)._handle_initialize(params)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way
        serialized = self._serialized("initialize", EVENTS, said)
        # FastMCP reads it again, for its middleware, and writes it once more.
        return EVENTS.json(_dumped(mt.InitializeResult.model_validate(serialized)))

    def _discovery(self) -> bytes:
        said = mt.DiscoverResult(
            supported_versions=list(MODERN_PROTOCOL_VERSIONS),
            capabilities=self._server.get_capabilities(protocol_version=LATEST_MODERN_VERSION),
            instructions=self._server.instructions,
        )
        serialized = self._serialized("server/discover", MODERN, said)
        return MODERN.json(_dumped(mt.DiscoverResult.model_validate(serialized)))

    def _written(self, method: str, wire: Wire, result: BaseModel) -> bytes:
        return wire.json(self._serialized(method, wire, result))

    def _serialized(self, method: str, wire: Wire, result: BaseModel) -> dict[str, Any]:
        return self._runner(wire)._serialize(method, wire.version, result)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way

    def _runner(self, wire: Wire) -> ServerRunner[Any]:
        connection = Connection.from_envelope(wire.version, None, None)
        return ServerRunner(self._server, connection, None)


def _dumped(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(by_alias=True, mode="json", exclude_none=True)


def _cut(written: bytes, marks: Iterator[bytes]) -> Iterator[bytes]:
    """
    Cut at each mark that is there, in order.
    """
    for mark in marks:
        head, found, tail = written.partition(mark)
        if found:
            yield head
            written = tail
    yield written
