"""
Which requests over MCP are proven well formed: those that FastMCP would take, and nobody else's.

Every check of the SDK is made here too, or is stricter. What is not proven is no mistake yet:
it is left to FastMCP, whose answer it then gets.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeGuard

import orjson
from mcp.shared.inbound import decode_header_value
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
_MEMBERS = 3  # jsonrpc, id and method; params are the fourth
_ID_TYPES = frozenset({int, str})
_TRACE_META = ("traceparent", "tracestate", "baggage")
_PASSING_META = frozenset({"progressToken", *_TRACE_META})
_NOTHING: dict[str, Any] = {}


class LaneRequest(NamedTuple):
    """
    A request that is proven well formed.

    Attributes:
        params: Those of its method, and `_meta`.
        facts: What its envelope tells: protocol and client.
    """

    wire: Wire
    id: RequestId
    method: str
    params: Mapping[str, Any]
    facts: Mapping[str, object]


class RequestReader:
    """
    Proves requests.

    Args:
        known: What clients said of themselves, validated.
    """

    def __init__(self, known: KnownClients) -> None:
        self._known = known

    def read(self, headers: Sequence[Header], body: bytes) -> LaneRequest | None:
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
        method, params = message["method"], message.get("params")
        named = fields.get(b"mcp-method")
        if named is None or _MODERN_METHODS.get(method) != named or not _is_own(params, method):
            return None
        if method == "prompts/get" and not _is_named(fields, params["name"]):
            return None
        lasting = _lasting(params.get("_meta"))
        if lasting is None:
            return None
        facts = self._known.envelope(method, params, lasting, body)
        return None if facts is None else LaneRequest(MODERN, message["id"], method, params, facts)

    def _older(self, version: str, message: dict[str, Any], body: bytes) -> LaneRequest | None:
        method, params = message["method"], message.get("params", _NOTHING)
        if method not in _OLDER_METHODS or not _is_own(params, method):
            return None
        if _lasting(params.get("_meta", _NOTHING)) != _NOTHING:
            return None
        facts = (
            self._known.handshake(version, params, body)
            if method == "initialize"
            else self._known.protocol(version)
        )
        return None if facts is None else LaneRequest(EVENTS, message["id"], method, params, facts)


def _fields(headers: Sequence[Header]) -> dict[bytes, bytes] | None:
    """
    Look headers up by name, if those that count come once and say JSON both ways.
    """
    fields = dict(headers)
    if len(fields) != len(headers) and _repeats(headers):
        return None
    kinds = fields.get(b"content-type", b""), fields.get(b"accept", b"")
    return fields if _is_json(*kinds) else None


def _repeats(headers: Sequence[Header]) -> bool:
    names = [name for name, _ in headers if name in _READ_HEADERS]
    return len(set(names)) != len(names)


@lru_cache(maxsize=256)
def _is_json(content_type: bytes, accept: bytes) -> bool:
    """
    Whether JSON comes, and JSON and streams of events are both taken.

    Of wildcards, FastMCP is the judge.
    """
    kinds = {kind.partition(b";")[0].strip().lower() for kind in accept.split(b",")}
    return (
        content_type.partition(b";")[0].rstrip() == b"application/json"
        and {b"application/json", b"text/event-stream"} <= kinds
    )


def _message(body: bytes) -> dict[str, Any] | None:
    """
    Read a JSON-RPC request; its parameters are not looked at.
    """
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if type(message) is not dict or len(message) != _MEMBERS + ("params" in message):
        return None
    if message.get("jsonrpc") != "2.0" or type(message.get("method")) is not str:
        return None
    # An integer of more than 64 bits has become a number with a fraction here.
    return message if type(message.get("id")) in _ID_TYPES else None


def _lasting(meta: object) -> dict[str, Any] | None:
    """
    Take out of `_meta` what each message has of its own; None if that is not as it should be.
    """
    if type(meta) is not dict:
        return None
    if _PASSING_META.isdisjoint(meta):
        return meta
    if "progressToken" in meta and type(meta["progressToken"]) not in _ID_TYPES:
        return None
    if not all(type(meta[name]) is str for name in _TRACE_META if name in meta):
        return None
    return {name: item for name, item in meta.items() if name not in _PASSING_META}


def _is_named(fields: Mapping[bytes, bytes], name: str) -> bool:
    written = fields.get(b"mcp-name")
    if written is None:
        return False
    # A name that reads as an encoded one is no prompt's, so what is made of it does not matter.
    return (written.isascii() and written == name.encode()) or (
        decode_header_value(written.decode("latin-1")) == name
    )


def _is_own(params: object, method: str) -> TypeGuard[dict[str, Any]]:
    """
    Whether the parameters of a method are all there, and of their types; `_meta` is not looked at.
    """
    return type(params) is dict and _OWN_PARAMS[method](params)


def _asks_for_prompt(params: dict[str, Any]) -> bool:
    if not params.keys() <= _PROMPT or type(params.get("name")) is not str:
        return False
    arguments = params.get("arguments")
    return arguments is None or _is_texts(arguments)


def _asks_for_values(params: dict[str, Any]) -> bool:
    if not _VALUES <= params.keys() <= _VALUES_IN_CONTEXT:
        return False
    reference, argument = params["ref"], params["argument"]
    return (
        _is_texts(reference)
        and reference.keys() == {"type", "name"}
        and reference["type"] == "ref/prompt"
        and _is_texts(argument)
        and argument.keys() == {"name", "value"}
        and _is_context(params.get("context", _NOTHING))
    )


def _shakes_hands(params: dict[str, Any]) -> bool:
    return _HANDSHAKE <= params.keys() <= _HANDSHAKE | {"_meta"}


def _asks_for_all(params: dict[str, Any]) -> bool:
    return params.keys() <= {"_meta"}


_PROMPT = frozenset({"name", "arguments", "_meta"})
_VALUES = frozenset({"ref", "argument"})
_VALUES_IN_CONTEXT = _VALUES | {"context", "_meta"}
_HANDSHAKE = frozenset({"protocolVersion", "capabilities", "clientInfo"})
_TEXT = frozenset({str})
_OWN_PARAMS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    "prompts/get": _asks_for_prompt,
    "completion/complete": _asks_for_values,
    "initialize": _shakes_hands,
    "ping": _asks_for_all,
    "prompts/list": _asks_for_all,
    "server/discover": _asks_for_all,
}
_OLDER_METHODS = _OWN_PARAMS.keys() - {"server/discover"}
_MODERN_METHODS = {
    method: method.encode() for method in _OWN_PARAMS.keys() - {"initialize", "ping"}
}


def _is_context(context: object) -> bool:
    if type(context) is not dict or not context.keys() <= {"arguments"}:
        return False
    return _is_texts(context.get("arguments", _NOTHING))


def _is_texts(value: object) -> bool:
    return type(value) is dict and set(map(type, value.values())) <= _TEXT
