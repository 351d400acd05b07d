"""
Requests over MCP in numbers: what clients usually send, and what differs from it in a place or two.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from random import Random  # noqa: TID251 - seeded: the requests are always the same
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.adapters.mcp_prompts.lane_kit import CALLERS, Request
from tests.strategies import JSON_VALUES, TEXTS


MODERN = "2026-07-28"
OLDER = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", None)
PREFIX = "io.modelcontextprotocol/"
BOTH = b"application/json, text/event-stream"

FILES: Mapping[str, str | bytes] = {
    "greet.prompt.md": (
        "---\ntitle: Greet\ndescription: Grüße \u2603 𝄞\nversion: 2.0\nowner: team\n"
        "tags: [b, a]\narguments:\n"
        "  who: {description: Whom, required: true, max_length: 40}\n"
        "  tone: {enum: [warm, cool], default: warm}\n"
        "  times: {type: integer, default: 1, minimum: 0}\n---\n"
        "Hi {{ who }}, {{ tone }}, {{ times }}.\n<!-- @assistant -->\nTo {{ who }}.\n"
    ),
    "old.prompt.md": "---\nname: greet\nversion: 1.0\nscope: write\n---\nHail.\n",
    "every-kind.prompt.md": (
        "---\ntitle: Every kind\narguments:\n"
        "  a: {type: 'list[string]', complete: [alpha, beta]}\n  b: {type: boolean}\n"
        "  c: {type: object}\n  d: {type: number, required: true}\n---\n"
        "{{ a | join(', ') }} \u2028 {{ b }} {{ d }}\n"
        "<!-- @resource guide.md uri=ctxfy://guide type=text/markdown -->\n"
        "<!-- @image pixel.png -->\n<!-- @user -->\nEnd \x7f </script>.\n"
    ),
    "secret.prompt.md": "---\nscope: admin\n---\nThe plan.\n",
    "broken.prompt.md": "---\narguments: {n: {required: true, type: integer}}\n---\n{{ 1 // n }}\n",
    "large.prompt.md": "---\narguments: {x: {required: true}}\nlimits: {max_output_bytes: 1000}\n"
    "---\n{{ x }}\n",
    "guide.md": "# Guide \u00e9\n",
    "pixel.png": b"\x89PNG\r\n\x1a\n\xff\x00",
}
USUAL_ARGUMENTS: tuple[tuple[str, Any], ...] = (
    ("greet", {"who": "Ann"}),
    ("greet", {"who": 'Zoë \u2603 𝄞 \x7f\u2028\n\t\x01"\\', "tone": "cool", "times": "3"}),
    ("every-kind", {"d": "1.5", "a": "x,y", "b": "true", "c": '{"k": 1}'}),
    ("every-kind", {"d": "-0"}),
    ("large", {"x": "y" * 900}),
)
CLIENTS: tuple[Any, ...] = (
    {"name": "mcp", "version": "0.1.0"},
    {
        "name": "claude-code",
        "title": "Claude Code",
        "version": "2.1.330",
        "description": "An agent",
        "websiteUrl": "https://example.test",
    },
    {"name": "Zoë's client \u2603", "version": ""},
)
CAPABILITIES: tuple[Any, ...] = (
    {},
    {"roots": {"listChanged": True}, "sampling": {}},
    {"roots": {}, "elicitation": {"form": {}, "url": {}}, "experimental": {"x": {"n": [1, None]}}},
)
LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.0, 1.5, -0.0, 2**31, 2**53 + 1, 2**63, 2**64 - 1, 2**64, 2**70,
    -(2**63), -(2**63) - 1, 1e300, "", "x", "1", "null", "é\u2603𝄞", "\ud800", "a\udfffb", [], [1],
    {}, {"x": "y"}, ["who"], "x" * 5000,
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """
    A request that is still being made.
    """

    message: dict[str, Any]
    headers: list[tuple[bytes, bytes]]
    caller: int


def _usual(chance: Random) -> Draft:
    """
    What a client sends on a day when nothing is wrong.
    """
    modern = _maybe(chance)
    method, params = _call(chance, modern=modern)
    headers = [(b"content-type", b"application/json"), (b"accept", BOTH)]
    meta: dict[str, Any] = {}
    if modern:
        meta = _envelope(chance)
        headers += [
            (b"mcp-protocol-version", MODERN.encode()),
            (b"mcp-method", method.encode()),
        ]
        if method == "prompts/get":
            headers.append((b"mcp-name", params["name"].encode()))
    elif version := chance.choice(OLDER):
        headers.append((b"mcp-protocol-version", version.encode()))
    if chance.randrange(4) == 0:
        meta |= chance.choice(
            (
                {"progressToken": 7},
                {"progressToken": "p"},
                {"traceparent": TRACEPARENT, "tracestate": "a=b", "baggage": "c=d"},
            )
        )
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": _id(chance), "method": method}
    if params or meta or _maybe(chance):
        message["params"] = {**deepcopy(params), **({"_meta": meta} if meta else {})}
    return Draft(message, headers, caller=0)


def _id(chance: Random) -> int | str:
    numbers = (chance.randrange(100), chance.randrange(-(2**63), 2**64))
    return chance.choice((*numbers, chance.choice(_pool(TEXTS))))


def _envelope(chance: Random) -> dict[str, Any]:
    meta: dict[str, Any] = {
        PREFIX + "protocolVersion": MODERN,
        PREFIX + "clientCapabilities": chance.choice(CAPABILITIES),
    }
    if client := chance.choice((None, *CLIENTS)):
        meta[PREFIX + "clientInfo"] = client
    if level := chance.choice((None, *LEVELS)):
        meta[PREFIX + "logLevel"] = level
    return deepcopy(meta)


def _call(chance: Random, *, modern: bool) -> tuple[str, dict[str, Any]]:
    kinds = ["prompts/get"] * 4 + ["prompts/list", "completion/complete"]
    method = chance.choice([*kinds, *(["server/discover"] if modern else ["initialize", "ping"])])
    match method:
        case "prompts/get":
            name, arguments = chance.choice(USUAL_ARGUMENTS)
            return method, {"name": name, "arguments": arguments}
        case "completion/complete":
            name, argument, value = chance.choice(_COMPLETIONS)
            reference = {"type": "ref/prompt", "name": name}
            params: dict[str, Any] = {
                "ref": reference,
                "argument": {"name": argument, "value": value},
            }
            if _maybe(chance):
                params["context"] = {"arguments": {"who": "Ann"}}
            return method, params
        case "initialize":
            return method, {
                "protocolVersion": chance.choice(("2025-11-25", "2025-03-26", "1999-01-01")),
                "capabilities": chance.choice(CAPABILITIES),
                "clientInfo": chance.choice(CLIENTS),
            }
        case _:
            return method, {}


_COMPLETIONS = (
    ("greet", "tone", "w"), ("greet", "tone", ""), ("greet", "who", "A"), ("greet", "nope", ""),
    ("every-kind", "a", "é, al"), ("every-kind", "b", "t"),
)  # fmt: skip


def _id_is_odd(chance: Random, draft: Draft) -> None:
    draft.message["id"] = chance.choice((*ODD, *_pool(JSON_VALUES)))


def _member_is_odd(chance: Random, draft: Draft) -> None:
    draft.message[chance.choice(("jsonrpc", "method", "params"))] = chance.choice(ODD)


def _member_is_missing(chance: Random, draft: Draft) -> None:
    draft.message.pop(chance.choice(("jsonrpc", "id", "method", "params")), None)


def _member_is_more(chance: Random, draft: Draft) -> None:
    draft.message[chance.choice(("result", "error", "x", "", "Params"))] = chance.choice(ODD)


def _method_is_another(chance: Random, draft: Draft) -> None:
    draft.message["method"] = method = chance.choice(_METHODS)
    if _maybe(chance):
        _replace_header(draft, b"mcp-method", method.encode())


_METHODS = (
    "ping", "initialize", "server/discover", "prompts/list", "prompts/get", "completion/complete",
    "tools/list", "resources/list", "logging/setLevel", "nope", "Prompts/get", "prompts/get ",
    "notifications/initialized",
)  # fmt: skip


def _param_is_odd(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    if isinstance(params, dict) and params:
        params[chance.choice(sorted(params))] = chance.choice(ODD)


def _param_is_missing(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    if isinstance(params, dict) and params:
        del params[chance.choice(sorted(params))]


def _param_is_more(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    if isinstance(params, dict):
        name = chance.choice(("cursor", "inputResponses", "requestState", "arguments", "x"))
        params[name] = chance.choice(ODD)


def _name_is_another(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    if isinstance(params, dict) and "name" in params:
        name = chance.choice((*_NAMES, *_pool(TEXTS)))
        params["name"] = name
        if _maybe(chance):
            written = name.encode("utf-8", "surrogatepass")
            _replace_header(draft, b"mcp-name", written)


_NAMES = ("nope", "secret", "old", "broken", "plan", "GREET", "greet ", "", "../greet", "x" * 300)


def _arguments_are_odd(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    if isinstance(params, dict) and isinstance(params.get("arguments"), dict):
        name = chance.choice(("who", "tone", "times", "d", "c", "nope", "", "copy"))
        params["arguments"][name] = chance.choice((*ODD, *_pool(TEXTS)))


def _nested_is_odd(chance: Random, draft: Draft) -> None:
    params = draft.message.get("params")
    nested = (
        [each for each in params.values() if isinstance(each, dict)]
        if isinstance(params, dict)
        else []
    )
    if nested:
        place = chance.choice(nested)
        name = chance.choice([*sorted(place), "x", "title"])
        if _maybe(chance):
            place[name] = chance.choice(ODD)
        else:
            place.pop(name, None)


def _meta_is_odd(chance: Random, draft: Draft) -> None:
    params = draft.message.setdefault("params", {})
    if isinstance(params, dict):
        meta = params.setdefault("_meta", {})
        if isinstance(meta, dict):
            name, value = chance.choice(_META_NAMES), chance.choice(_META_VALUES)
            meta[name] = value


_META_NAMES = (
    PREFIX + "protocolVersion", PREFIX + "clientInfo", PREFIX + "clientCapabilities",
    PREFIX + "logLevel", PREFIX + "serverInfo", "progressToken", "traceparent",
    "tracestate", "baggage", "fastmcp", "x", "",
)  # fmt: skip
_META_VALUES: tuple[Any, ...] = (
        *ODD, *CLIENTS, *CAPABILITIES, MODERN, "2025-11-25", "2099-01-01", "debug", "loud",
        TRACEPARENT, {"version": "1.0"}, {"name": "x"}, {"name": 1, "version": "1"},
        {"sampling": 1}, {"experimental": {"deep": [[[[1]]]]}},
)  # fmt: skip


def _header_is_another(chance: Random, draft: Draft) -> None:
    name, values = chance.choice(_HEADERS)
    _replace_header(draft, name, chance.choice(values))


_HEADERS: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (
    (
        b"accept",
        (
            b"", b"*/*", b"application/json", b"text/event-stream", b"application/*, text/*",
            b"text/event-stream,application/json", b"Application/JSON, Text/Event-Stream",
            b"application/json;q=0.5, text/event-stream;q=0", b"application/json text/event-stream",
            BOTH + b", */*;q=0.1", b"text/html", b"\xff",
        ),
    ),
    (
        b"content-type",
        (
            b"", b"application/json; charset=utf-8", b'application/json;charset="utf-8"',
            b"application/json ", b" application/json", b"Application/JSON", b"text/plain",
            b"application/jsonx", b"application/json, text/plain", b"application/vnd.api+json",
        ),
    ),
    (
        b"mcp-protocol-version",
        (
            MODERN.encode(), b"2025-11-25", b"2025-03-26", b"2024-11-05", b"2099-01-01", b"",
            b"2026-07-28 ", b"\xe9", b"draft",
        ),
    ),
    (b"mcp-method", (b"", b"ping", b"prompts/get", b"prompts/get ", b"PROMPTS/GET", b"nope")),
    (
        b"mcp-name",
        (
            b"", b"greet", b"greet ", b"Greet", b"=?base64?Z3JlZXQ=?=", b"=?base64?Z3JlZXR=?=",
            b"=?base64?!!?=", b"secret", b"gr\xe9et",
        ),
    ),
    (b"mcp-session-id", (b"s1", b"")),
    (b"last-event-id", (b"7",)),
)  # fmt: skip


def _header_is_missing(chance: Random, draft: Draft) -> None:
    names = sorted({name for name, _ in draft.headers})
    gone = chance.choice(names)
    draft.headers = [pair for pair in draft.headers if pair[0] != gone]


def _header_comes_twice(chance: Random, draft: Draft) -> None:
    name, value = chance.choice(draft.headers)
    other = chance.choice((value, b"x", b"2025-11-25", b"application/json"))
    draft.headers.insert(chance.randint(0, len(draft.headers)), (name, other))


def _caller_is_another(chance: Random, draft: Draft) -> None:
    draft.caller = chance.randrange(len(CALLERS))


def _replace_header(draft: Draft, name: bytes, value: bytes) -> None:
    draft.headers = [pair for pair in draft.headers if pair[0] != name] + [(name, value)]


CHANGES = (
    _id_is_odd, _member_is_odd, _member_is_missing, _member_is_more, _method_is_another,
    _param_is_odd, _param_is_missing, _param_is_more, _name_is_another,
    _arguments_are_odd, _arguments_are_odd, _arguments_are_odd,
    _nested_is_odd, _meta_is_odd, _meta_is_odd, _header_is_another, _header_is_another,
    _header_is_missing, _header_comes_twice, _caller_is_another, _caller_is_another,
)  # fmt: skip


def _written_oddly(chance: Random, body: bytes) -> bytes:  # noqa: C901, PLR0911 - a list of oddities
    match chance.randrange(12):
        case 0:
            return b" \n\t" + body + b"\r\n "
        case 1:
            return b"[" + body + b"]"
        case 2:
            return body[: chance.randint(0, len(body))]
        case 3:
            return body + chance.choice((b",", b"}", b"{}", b"\x0b", b"//"))
        case 4:  # the same member twice: the last one counts, for everyone
            member = chance.choice((b'"id":9,', b'"method":"ping",', b'"params":{},'))
            return b"{" + member + body[1:]
        case 5:
            member = chance.choice((b',"id":9}', b',"method":"ping"}', b',"params":{}}'))
            return body[:-1] + member
        case 6:
            return body.replace(b'"id"', chance.choice((b'"\\u0069d"', b'"ID"', b"'id'")))
        case 7:
            odd = chance.choice((b"NaN", b"-Infinity", b"1e400", b"01", b"1E2", b"-0", b"+1"))
            return b'{"id":' + odd + b"," + body[1:].replace(b'"id"', b'"x"', 1)
        case 8:
            depth = chance.choice((50, 190, 250, 900, 1100))
            deep = b"[" * depth + b"]" * depth
            return body.replace(
                b'"capabilities":{}', b'"capabilities":{"experimental":{"x":{"y":%b}}}' % deep
            ).replace(
                b'clientCapabilities":{}',
                b'clientCapabilities":{"experimental":{"x":{"y":%b}}}' % deep,
            )
        case 9:
            return body.replace(b'"', chance.choice((b'\\"', b"\xff", b'"\xed\xa0\x80')), 3)
        case 10:
            return chance.choice((b"", b"null", b"[]", b"{}", b'"x"', b"1", b"\xef\xbb\xbf"))
        case _:
            return body.replace(b"a", b"\\u0061", 5)


def _request(chance: Random) -> Request:
    """
    A usual request, or one that differs from it.
    """
    draft = _usual(chance)
    changes = chance.choices(CHANGES, k=chance.randrange(3))
    for change in changes:
        change(chance, draft)
    text = json.dumps(
        draft.message,
        ensure_ascii=_maybe(chance),
        separators=chance.choice(((",", ":"), (", ", ": "))),
    )
    body = text.encode("utf-8", "surrogatepass")
    is_odd = chance.randrange(8) == 0
    if is_odd:
        body = _written_oddly(chance, body)
    return Request(tuple(draft.headers), body, draft.caller, is_usual=not (is_odd or changes))


def corpus(number: int) -> list[Request]:
    """
    Make so many requests, no two alike, and always the same.
    """
    chance = Random(number)  # noqa: S311 - as above
    found: dict[Request, None] = {}
    while len(found) < number:
        found.setdefault(_request(chance))
    return list(found)


@cache
def _pool(strategy: st.SearchStrategy[Any]) -> tuple[Any, ...]:
    """
    A hundred values of a strategy, always the same.
    """
    found: list[Any] = []

    @settings(
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategy)
    def collect(value: object) -> None:
        found.append(value)

    collect()
    return tuple(found)


def _maybe(chance: Random) -> bool:
    return chance.random() < 0.5
