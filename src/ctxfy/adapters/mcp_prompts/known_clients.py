"""
What clients say of themselves, validated once by the SDK and then known by its bytes.
"""

import json
from collections.abc import Mapping
from typing import Any

import mcp_types as mt
import orjson
from mcp.server.connection import Connection
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    LOG_LEVEL_META_KEY,
)
from mcp_types.methods import validate_client_request
from mcp_types.version import LATEST_MODERN_VERSION
from pydantic import ValidationError
from pydantic_core import from_json

from ctxfy.adapters.mcp_prompts.rpc_facts import envelope_facts


MAX_KNOWN = 1024
MAX_KNOWN_BYTES = 4096
"""
The most self-descriptions that are kept, and the largest; others are validated each time.
"""

type Facts = Mapping[str, object]


class KnownClients:
    """
    Tells the facts of an envelope, or that the SDK would not take it.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, Facts] = {}
        self._protocols: dict[str, Facts] = {}

    def protocol(self, version: str) -> Facts:
        """
        Tell the facts of a message that names a protocol and no client.
        """
        facts = self._protocols.get(version)
        if facts is None:
            facts = self._protocols[version] = envelope_facts(version, None)
        return facts

    def envelope(
        self, method: str, params: Mapping[str, Any], meta: Mapping[str, Any], body: bytes
    ) -> Facts | None:
        """
        Tell the facts of a message of 2026-07-28, whose protocol is proven already.
        """
        capabilities = meta.get(CLIENT_CAPABILITIES_META_KEY)
        client = meta.get(CLIENT_INFO_META_KEY)
        said = _bytes_of((capabilities, client, meta.get(LOG_LEVEL_META_KEY)))
        if said is None:
            return None
        facts = self._known.get(said)
        if facts is None:
            try:
                json.loads(body)  # as FastMCP reads it: it bears less depth
                validate_client_request(method, LATEST_MODERN_VERSION, params)
            except (ValidationError, ValueError, RecursionError):
                return None
            connection = Connection.from_envelope(LATEST_MODERN_VERSION, client, capabilities)
            facts = envelope_facts(LATEST_MODERN_VERSION, connection.client_params)
            self._keep(said, facts)
        return facts

    def handshake(self, version: str, params: Mapping[str, Any], body: bytes) -> Facts | None:
        """
        Tell the facts of an `initialize` of an older protocol.
        """
        said = _bytes_of((version, params))
        if said is None:
            return None
        facts = self._known.get(said)
        if facts is None:
            try:
                from_json(body)
                validate_client_request("initialize", version, params)
                client = mt.InitializeRequestParams.model_validate(params, by_name=False)
            except (ValidationError, ValueError):
                return None
            facts = envelope_facts(version, client)
            self._keep(said, facts)
        return facts

    def _keep(self, said: bytes, facts: Facts) -> None:
        if len(said) > MAX_KNOWN_BYTES:
            return
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[said] = facts


def _bytes_of(said: object) -> bytes | None:
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError:
        return None  # nested more deeply than anything that is meant
