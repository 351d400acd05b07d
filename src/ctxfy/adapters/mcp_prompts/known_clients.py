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
    PROTOCOL_VERSION_META_KEY,
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

_ENVELOPE = frozenset(
    {
        CLIENT_CAPABILITIES_META_KEY,
        CLIENT_INFO_META_KEY,
        LOG_LEVEL_META_KEY,
        PROTOCOL_VERSION_META_KEY,
    }
)

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
        self, method: str, params: Mapping[str, Any], lasting: Mapping[str, Any], body: bytes
    ) -> Facts | None:
        """
        Tell the facts of a message of 2026-07-28.

        Of its `_meta`, `lasting` is what each message of a client has alike: once it was proven,
        its bytes prove all that is in it.
        """
        said = _bytes_of(lasting)
        if said is None:
            return None
        facts = self._known.get(said)
        if facts is None and (facts := _proven(method, params, lasting, body)) is not None:
            self._keep(said, facts)
        return facts

    def handshake(self, version: str, params: Mapping[str, Any], body: bytes) -> Facts | None:
        """
        Tell the facts of an `initialize` of an older protocol.
        """
        own = {name: value for name, value in params.items() if name != "_meta"}
        said = _bytes_of((version, own))
        if said is None:
            return None
        facts = self._known.get(said)
        if facts is None:
            try:
                from_json(body)
                validate_client_request("initialize", version, own)
                client = mt.InitializeRequestParams.model_validate(own, by_name=False)
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


def _proven(
    method: str, params: Mapping[str, Any], lasting: Mapping[str, Any], body: bytes
) -> Facts | None:
    """
    Have the SDK prove a message; None if it takes it not, or if `_meta` could change an answer.
    """
    if not lasting.keys() <= _ENVELOPE:
        return None  # such as the version of a prompt that FastMCP's clients may pin
    if lasting.get(PROTOCOL_VERSION_META_KEY) != LATEST_MODERN_VERSION:
        return None
    try:
        json.loads(body)  # as FastMCP reads it: it bears less depth
        validate_client_request(method, LATEST_MODERN_VERSION, params)
    except (ValidationError, ValueError, RecursionError):
        return None
    connection = Connection.from_envelope(
        LATEST_MODERN_VERSION,
        lasting.get(CLIENT_INFO_META_KEY),
        lasting.get(CLIENT_CAPABILITIES_META_KEY),
    )
    return envelope_facts(LATEST_MODERN_VERSION, connection.client_params)


def _bytes_of(said: object) -> bytes | None:
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError:
        return None  # nested more deeply than anything that is meant
