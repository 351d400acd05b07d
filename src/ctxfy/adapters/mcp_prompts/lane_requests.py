"""
Which requests over MCP are proven well formed: those that FastMCP would take, and nobody else's.

Every check of the SDK is made here too, or is stricter. What is not proven is no mistake yet:
it is left to FastMCP, whose answer it then gets.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from mcp.shared.inbound import decode_header_value
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    LOG_LEVEL_META_KEY,
    PROTOCOL_VERSION_META_KEY,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from ctxfy.adapters.mcp_prompts.known_clients import KnownClients
from ctxfy.adapters.mcp_prompts.wires import EVENTS, MODERN, Header, RequestId, Wire


MAX_BODY_BYTES = 4 * 1024 * 1024
"""
What FastMCP takes; the gate may be set to let more through.
"""

UNSTATED_VERSION = "2025-03-26"
"""
The protocol of whoever names none, as the specification has it.
"""

_MODERN_VERSION = MODERN.version.encode()
_OLDER_VERSIONS = {version.encode(): version for version in HANDSHAKE_PROTOCOL_VERSIONS}
_READ_HEADERS = frozenset(
    {b"accept", b"content-type", b"mcp-protocol-version", b"mcp-method", b"mcp-name"}
)
_MESSAGE = frozenset({"jsonrpc", "id", "method"})
_MESSAGE_WITH_PARAMS = _MESSAGE | {"params"}
_TRACE_META = ("traceparent", "tracestate", "baggage")
_OLDER_META = frozenset({"progressToken", *_TRACE_META})
_MODERN_META = _OLDER_META | {
    CLIENT_CAPABILITIES_META_KEY,
    CLIENT_INFO_META_KEY,
    LOG_LEVEL_META_KEY,
    PROTOCOL_VERSION_META_KEY,
}
_OLDER_METHODS = frozenset(
    {"completion/complete", "initialize", "ping", "prompts/get", "prompts/list"}
)
_MODERN_METHODS = frozenset(
    {"completion/complete", "prompts/get", "prompts/list", "server/discover"}
)


class LaneRequest(NamedTuple):
    """
    A request that is proven well formed.

    Attributes:
        params: Those of its method, without `_meta`.
        facts: What its envelope tells: protocol and client.
        meta: Its `_meta`.
    """

    wire: Wire
    id: RequestId
    method: str
    params: Mapping[str, Any]
    facts: Mapping[str, object]
    meta: Mapping[str, Any]


class RequestReader:
    """
    Proves requests.

    Args:
        known: What clients said of themselves, validated.
    """

    def __init__(self, known: KnownClients) -> None:
        self._known = known

    def read(self, headers: Iterable[Header], body: bytes) -> LaneRequest | None:
        """
        Prove one request; None if it cannot be.
        """
        fields = _fields(headers)
        if fields is None or len(body) > MAX_BODY_BYTES:
            return None
        message = _message(body)
        if message is None:
            return None
        version = fields.get(b"mcp-protocol-version")
        if version == _MODERN_VERSION:
            return self._modern(fields, message, body)
        if version is None:
            return self._older(UNSTATED_VERSION, message, body)
        older = _OLDER_VERSIONS.get(version)
        return None if older is None else self._older(older, message, body)

    def _modern(
        self, fields: Mapping[bytes, bytes], message: dict[str, Any], body: bytes
    ) -> LaneRequest | None:
        method, params = message["method"], message.get("params", _NOTHING)
        if method not in _MODERN_METHODS or fields.get(b"mcp-method") != method.encode():
            return None
        found = _parts(method, params, _MODERN_META)
        if found is None or found[1].get(PROTOCOL_VERSION_META_KEY) != MODERN.version:
            return None
        own, meta = found
        if method == "prompts/get" and not _is_named(fields, own["name"]):
            return None
        facts = self._known.envelope(method, params, meta, body)
        return (
            None if facts is None else LaneRequest(MODERN, message["id"], method, own, facts, meta)
        )

    def _older(self, version: str, message: dict[str, Any], body: bytes) -> LaneRequest | None:
        method, params = message["method"], message.get("params", _NOTHING)
        if method not in _OLDER_METHODS or (found := _parts(method, params, _OLDER_META)) is None:
            return None
        own, meta = found
        facts = (
            self._known.handshake(version, own, body)
            if method == "initialize"
            else self._known.protocol(version)
        )
        return (
            None if facts is None else LaneRequest(EVENTS, message["id"], method, own, facts, meta)
        )


_NOTHING: dict[str, Any] = {}


def _fields(headers: Iterable[Header]) -> dict[bytes, bytes] | None:
    """
    Take the headers that count, if each comes once and they say JSON both ways.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _READ_HEADERS:
            if name in found:
                return None
            found[name] = value
    if not (_is_json(found.get(b"content-type", b"")) and _takes_both(found.get(b"accept", b""))):
        return None
    return found


@lru_cache(maxsize=64)
def _is_json(content_type: bytes) -> bool:
    return content_type.partition(b";")[0].rstrip() == b"application/json"


@lru_cache(maxsize=256)
def _takes_both(accept: bytes) -> bool:
    """
    Whether JSON and streams of events are both named; of wildcards, FastMCP is the judge.
    """
    kinds = {kind.partition(b";")[0].strip().lower() for kind in accept.split(b",")}
    return {b"application/json", b"text/event-stream"} <= kinds


def _message(body: bytes) -> dict[str, Any] | None:
    """
    Read a JSON-RPC request; its parameters are not looked at.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if type(message) is not dict:
        return None
    if not _MESSAGE <= message.keys() <= _MESSAGE_WITH_PARAMS or message["jsonrpc"] != "2.0":
        return None
    # An integer of more than 64 bits has become a number with a fraction here.
    if type(message["id"]) not in _ID_TYPES or type(message["method"]) is not str:
        return None
    return message


_ID_TYPES = frozenset({int, str})


def _is_plain(meta: Mapping[str, Any], allowed: frozenset[str]) -> bool:
    """
    Whether nothing is in `_meta` that could change an answer.
    """
    if not meta.keys() <= allowed:
        return False  # such as the version of a prompt that FastMCP's clients may pin
    if "progressToken" in meta and type(meta["progressToken"]) not in _ID_TYPES:
        return False
    return all(type(meta[name]) is str for name in _TRACE_META if name in meta)


def _parts(
    method: str, params: object, allowed: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """
    Part the parameters of a method from `_meta`, if both are as they should be.
    """
    if type(params) is not dict:
        return None
    meta = params.get("_meta", _NOTHING)
    if type(meta) is not dict or not _is_plain(meta, allowed):
        return None
    own = _own_params(method, params)
    return None if own is None else (own, meta)


def _is_named(fields: Mapping[bytes, bytes], name: str) -> bool:
    written = fields.get(b"mcp-name")
    return written is not None and decode_header_value(written.decode("latin-1")) == name


def _own_params(method: str, params: dict[str, Any]) -> dict[str, Any] | None:
    """
    Take the parameters of a method less `_meta`, if all are there, and of their types.
    """
    own = {name: value for name, value in params.items() if name != "_meta"}
    match method:
        case "prompts/get":
            return own if _asks_for_prompt(own) else None
        case "completion/complete":
            return own if _asks_for_values(own) else None
        case "initialize":
            return own if own.keys() == _HANDSHAKE else None
        case _:
            return None if own else own


_HANDSHAKE = frozenset({"protocolVersion", "capabilities", "clientInfo"})
_PROMPT = frozenset({"name"})
_PROMPT_WITH_ARGUMENTS = frozenset({"name", "arguments"})
_VALUES = frozenset({"ref", "argument"})
_VALUES_IN_CONTEXT = frozenset({"ref", "argument", "context"})


def _asks_for_prompt(own: Mapping[str, Any]) -> bool:
    if not _PROMPT <= own.keys() <= _PROMPT_WITH_ARGUMENTS or type(own["name"]) is not str:
        return False
    arguments = own.get("arguments")
    return arguments is None or _is_texts(arguments)


def _asks_for_values(own: Mapping[str, Any]) -> bool:
    if not _VALUES <= own.keys() <= _VALUES_IN_CONTEXT:
        return False
    reference, argument = own["ref"], own["argument"]
    return (
        _is_texts(reference)
        and reference.keys() == {"type", "name"}
        and reference["type"] == "ref/prompt"
        and _is_texts(argument)
        and argument.keys() == {"name", "value"}
        and _is_context(own.get("context", _NOTHING))
    )


def _is_context(context: object) -> bool:
    if type(context) is not dict or not context.keys() <= {"arguments"}:
        return False
    return _is_texts(context.get("arguments", _NOTHING))


def _is_texts(value: object) -> bool:
    return type(value) is dict and all(type(item) is str for item in value.values())
