"""
What stands in a line, for whoever reads it with a program: one table of the fields.

The page of the reference and the JSON Schema in `log_line.schema.json` are made from it.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from ctxfy.adapters.monitoring.log_pipeline import OUR_LOGGER
from ctxfy.core.models.monitoring_models import LogLevel


type Schema = Mapping[str, object]


class LineField(NamedTuple):
    """
    One field of a line.

    Attributes:
        type: In the words of JSON Schema.
        meaning: For the reference, in Markdown.
        bounds: What else there is to say about its values, in the words of JSON Schema.
    """

    name: str
    type: str
    meaning: str
    bounds: Schema = MappingProxyType({})


_NEVER_NULL = frozenset({"timestamp", "level", "message", "logger"})

FIELDS: Mapping[str, tuple[LineField, ...]] = {
    "On every line": (
        LineField(
            "timestamp",
            "string",
            "UTC, milliseconds, `2026-11-22T13:35:26.899Z`",
            {"pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
        ),
        LineField(
            "level",
            "string",
            f"{', '.join(f'`{level}`' for level in LogLevel)}; on a request's line `ERROR` from"
            " status 500 on, `WARNING` for 401, 403 and 429, else `INFO`",
            {"enum": [level.value for level in LogLevel]},
        ),
        LineField(
            "message",
            "string",
            "what happened; our own are words in the past tense such as `request_served`",
        ),
        LineField(
            "request_id",
            "string",
            "the request it belongs to; also in the header `X-Request-Id` of the answer",
        ),
        LineField(
            "latency_ms",
            "number",
            "from the request's first byte to its answer's last, milliseconds",
        ),
        LineField(
            "user_id",
            "string",
            "whose key it is: a pseudonym, or the name if `CTXFY_LOGGING__USER_ID` is `clear`",
        ),
        LineField(
            "endpoint",
            "string",
            "the template of the route, never a raw path; `other` if there is none",
        ),
        LineField("method", "string", "HTTP method"),
        LineField(
            "status_code",
            "integer",
            "HTTP status; 499 if the client left before the answer was complete",
        ),
        LineField(
            "llm_model", "string", "the model the prompt names, else `CTXFY_LLM__DEFAULT_MODEL`"
        ),
        LineField(
            "trace_id",
            "string",
            "the trace that the request belongs to, 32 hexadecimal digits; `null` without traces",
        ),
        LineField(
            "span_id",
            "string",
            "the part of its time in which the line was written, 16 hexadecimal digits; on the line"
            " of the request, the request itself",
        ),
        LineField("key_id", "string", "public id of the key"),
        LineField("prompt", "string", "the prompt that was asked for"),
        LineField("prompt_version", "string", "its version"),
        LineField(
            "client_name",
            "string",
            "what the client calls itself: in every message of protocol 2026-07-28, before that"
            " only in `initialize`; `other` if it does not look like a name",
        ),
        LineField("client_version", "string", "and its version, by its own word"),
        LineField("protocol_version", "string", "of MCP"),
        LineField("bytes_in", "integer", "bytes of the request's body"),
        LineField("bytes_out", "integer", "bytes of the answer's body"),
        LineField("logger", "string", f"who wrote it: `{OUR_LOGGER}`, or a library"),
    ),
    "On a request's line": (
        LineField(
            "denial",
            "string",
            "why the credential was refused; `rate` or `concurrency` if a limit was met",
        ),
        LineField(
            "limit",
            "string",
            "which: `key`, `user`, `bytes`, `address`, `concurrency`, `process`",
        ),
        LineField("error_code", "string", "the code of the error the request ended in"),
        LineField("rpc_method", "string", "the method of MCP; `other` if it is none"),
        LineField("lane", "string", "who answered over MCP: `express`, or `fastmcp`"),
        LineField(
            "rpc_error",
            "integer",
            "the code of JSON-RPC that it was answered with, if it was an error",
        ),
        LineField(
            "render_ms",
            "number",
            "how long the prompt's rendering took, milliseconds",
            {"minimum": 0},
        ),
        LineField(
            "render_failure",
            "string",
            "`template`, `function`, `fuel`, `time` or `output`, if a rendering failed",
        ),
        LineField("render_place", "string", "where in the prompt that was, file and line"),
        LineField("status_sent", "integer", "the status that was already out when it went wrong"),
    ),
    "On the line of an audit event": (
        LineField(
            "fate",
            "string",
            "`stored`; `spooled` while the database is away (no second line follows when it"
            " moves); `lost`",
            {"enum": ["stored", "spooled", "lost"]},
        ),
        LineField("at", "string", "when it happened, UTC, microseconds"),
        LineField("action", "string", "what was done"),
        LineField("outcome", "string", "`ok`, or why not"),
        LineField(
            "person_id",
            "string",
            "who did it: a random id, which stands for nobody once that person is erased",
        ),
        LineField("subject_id", "string", "the person it was done to, likewise"),
        LineField("target", "string", "the key, prompt or setting it was done to"),
        LineField("chain", "string", "the chain its row is in; only if `stored`"),
        LineField("seq", "integer", "its place there", {"minimum": 0}),
        LineField("hash", "string", "its hash there"),
    ),
    "On every line, with several workers": (
        LineField("worker", "integer", "which of them wrote it, from 1 on", {"minimum": 1}),
    ),
    "On other lines": (
        LineField("url", "string", "where the server is, on `server_started`"),
        LineField("version", "string", "of ctxfy, likewise"),
        LineField("prompts", "integer", "how many are served", {"minimum": 0}),
        LineField("revision", "string", "which state of the folder that is"),
        LineField("reason", "string", "why something was lost or refused"),
        LineField("remedy", "string", "what to do about it"),
    ),
}
"""
By where they stand. Only the first stand on lines of libraries too.
"""


def line_schema() -> dict[str, object]:
    """
    Describe a line as JSON Schema (draft 2020-12).

    Libraries and prompt functions may add fields of any name that is not on every line, and of any
    type: what is told of the other fields holds for lines of ctxfy.
    """
    every, *others = FIELDS.values()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ctxfy log line",
        "description": "One line of the log, with CTXFY_LOGGING__FORMAT=json.",
        "type": "object",
        "required": [field.name for field in every],
        "properties": _properties(every)
        | {
            "unformatted_because": {
                "type": "string",
                "description": "Why the record could not be formatted; what could be saved is"
                " there.",
            },
            # As text, where something in it has no form in JSON.
            "exception": {"anyOf": [{"$ref": "#/$defs/exception"}, {"type": "string"}]},
        },
        "if": {"properties": {"logger": {"const": OUR_LOGGER}}},
        "then": {"properties": _properties(field for part in others for field in part)},
        "$defs": {"exception": _exception_schema()},
    }


def _properties(fields: Iterable[LineField]) -> dict[str, Schema]:
    return {
        field.name: {
            "type": field.type if field.name in _NEVER_NULL else [field.type, "null"],
            "description": field.meaning,
            **field.bounds,
        }
        for field in fields
    }


def _exception_schema() -> Schema:
    itself = {"$ref": "#/$defs/exception"}
    frame = {
        "file": {"type": "string"},
        "line": {"type": "integer"},
        "function": {"type": "string"},
    }
    return {
        "type": "object",
        "required": ["type", "message", "frames", "cause"],
        "properties": {
            "type": {"type": "string", "description": "Its class."},
            "message": {"type": "string"},
            "frames": {
                "type": "array",
                "description": "Where it came by; the last one is where it happened.",
                "items": {"type": "object", "required": [*frame], "properties": frame},
            },
            "cause": {"anyOf": [itself, {"type": "null"}]},
            "exceptions": {"type": "array", "description": "Those of a group.", "items": itself},
        },
        "additionalProperties": False,
    }
