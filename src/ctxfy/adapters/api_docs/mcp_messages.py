"""
What is posted to /mcp: the JSON-RPC messages of MCP that this server answers.
"""

import json

from ctxfy.adapters.api_docs.operations import Json
from ctxfy.adapters.api_docs.prompt_operations import PromptPart
from ctxfy.adapters.api_docs.schema_conversion import COMPONENTS
from ctxfy.core.models.prompt_models import PromptArgument, PromptTemplate
from ctxfy.core.use_cases.prompt_use_cases import complete_argument
from ctxfy.core.use_cases.validation_use_cases import describe_argument


PROTOCOL_2025 = "2025-11-25"
PROTOCOL_2026 = "2026-07-28"
LIST_TTL_MS = 10_000  # a test compares it with the server's
_SHORTENED = {"summary": "Shortened to one prompt."}
_META = "io.modelcontextprotocol/"
_ID: Json = {
    "description": "Comes back in the answer.",
    "anyOf": [{"type": "string"}, {"type": "integer"}],
}
_NAME: Json = {"type": "string", "description": "The name of a prompt."}


def message_schemas() -> Json:
    """
    Write the schemas of the messages, for `components/schemas`.
    """
    arguments = {
        "type": "object",
        "description": "By name; MCP has texts only.",
        "additionalProperties": {"type": "string"},
    }
    return {
        "McpListPrompts": _message(
            "prompts/list", "List the prompts.", {"cursor": {"type": "string"}}, ()
        ),
        "McpGetPrompt": _message(
            "prompts/get", "Render a prompt.", {"name": _NAME, "arguments": arguments}, ("name",)
        ),
        "McpComplete": _message(
            "completion/complete",
            "Offer values for an argument of a prompt.",
            {
                "ref": _object(
                    {"type": {"type": "string", "enum": ["ref/prompt"]}, "name": _NAME},
                    ("type", "name"),
                ),
                "argument": _object(
                    {"name": {"type": "string"}, "value": {"type": "string"}}, ("name", "value")
                ),
            },
            ("ref", "argument"),
        ),
        "McpOther": _object(
            {
                "jsonrpc": {"type": "string", "enum": ["2.0"]},
                "id": _ID,
                "method": {"type": "string"},
                "params": {"type": "object"},
            },
            ("jsonrpc", "method"),
            description="Any other message of the protocol, `initialize` and notifications too.",
        ),
        "McpAnswer": _object(
            {
                "jsonrpc": {"type": "string", "enum": ["2.0"]},
                "id": {
                    "description": "That of the request; null if it could not be read.",
                    "anyOf": [{"type": "string", "nullable": True}, {"type": "integer"}],
                },
                "result": {"type": "object"},
                "error": _object(
                    {
                        "code": {"type": "integer"},
                        "message": {"type": "string"},
                        "data": {"description": "`code`, and `errors` with every mistake."},
                    },
                    ("code", "message"),
                ),
            },
            ("jsonrpc",),
            description="Either `result` or `error`.",
        ),
    }


MESSAGES = ("McpListPrompts", "McpGetPrompt", "McpComplete", "McpOther")


def _message(method: str, text: str, params: Json, required: tuple[str, ...]) -> Json:
    meta = {"type": "object", "description": f"Must be there from {PROTOCOL_2026} on."}
    properties = {
        "jsonrpc": {"type": "string", "enum": ["2.0"]},
        "id": _ID,
        "method": {"type": "string", "enum": [method]},
        "params": _object(params | {"_meta": meta}, required),
    }
    needed = ("jsonrpc", "id", "method", *(("params",) if required else ()))
    return _object(properties, needed, description=text)


def _object(properties: Json, required: tuple[str, ...], *, description: str = "") -> Json:
    written: Json = {"type": "object", "properties": properties}
    if required:
        written["required"] = list(required)
    if description:
        written["description"] = description
    return written


def describe_mcp(operation: Json, part: PromptPart | None) -> Json:
    """
    Say what is posted and answered, with one prompt as the example if there is one.
    """
    asked, answered = _examples(part)
    answer = operation["responses"]["200"]
    plain = {"schema": {"$ref": COMPONENTS + "McpAnswer"}, "examples": _values(answered)}
    # No type: to some readers a stream is a text, to others a list of events.
    stream = {"schema": {"description": "One event, whose data is the answer."}}
    content = {"application/json": plain, "text/event-stream": stream}
    return operation | {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"anyOf": [{"$ref": COMPONENTS + name} for name in MESSAGES]},
                    "examples": _values(asked),
                }
            },
        },
        "responses": operation["responses"] | {"200": {**answer, "content": content}},
    }


def _examples(part: PromptPart | None) -> tuple[Json, Json]:
    asked = _on_both_wires("prompts/list", {})
    answered: Json = {}
    if part is None or part.example is None:
        return asked, answered
    template = part.template
    answered |= _answered(
        "prompts/list",
        {"prompts": [_listed(template)]},
        {"ttlMs": LIST_TTL_MS, "cacheScope": "private"},
    )
    given, rendering = part.example
    texts = {name: _text(value) for name, value in given.items()}
    asked |= _on_both_wires("prompts/get", {"name": template.name, "arguments": texts})
    result: Json = {"description": template.description} if template.description else {}
    result |= {
        "messages": rendering["messages"],
        "_meta": {"ctxfy/version": template.version, "ctxfy/digest": template.digest},
    }
    answered |= _answered("prompts/get", result)
    chosen = next((item for item in template.arguments if item.choices or item.complete), None)
    if chosen is not None:
        asked |= _on_both_wires(
            "completion/complete",
            {
                "ref": {"type": "ref/prompt", "name": template.name},
                "argument": {"name": chosen.name, "value": ""},
            },
        )
        values = list(complete_argument(template, chosen.name, ""))
        completion = {"values": values, "total": len(values), "hasMore": False}
        answered |= _answered("completion/complete", {"completion": completion})
    return asked, answered


def _listed(template: PromptTemplate) -> Json:
    title: Json = {"title": template.title} if template.title else {}
    return title | {
        "name": template.name,
        "description": template.description or template.title or template.name,
        "arguments": [_listed_argument(argument) for argument in template.arguments],
        "_meta": {"ctxfy/version": template.version, "ctxfy/digest": template.digest},
    }


def _listed_argument(argument: PromptArgument) -> Json:
    text = describe_argument(argument)
    told: Json = {"description": text} if text else {}
    return told | {"name": argument.name, "required": argument.required}


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _values(examples: Json) -> Json:
    return {
        name: {"value": value} | (_SHORTENED if value.get("result", {}).get("prompts") else {})
        for name, value in examples.items()
    }


def _answered(method: str, result: Json, hints: Json | None = None) -> Json:
    """
    Write the answer as both revisions have it; `hints` are what the newer one adds.
    """
    return {
        f"{method}, {PROTOCOL_2025}": {"jsonrpc": "2.0", "id": 1, "result": result},
        f"{method}, {PROTOCOL_2026}": {
            "jsonrpc": "2.0",
            "id": 1,
            "result": {**result, **(hints or {}), "resultType": "complete"},
        },
    }


def _on_both_wires(method: str, params: Json) -> Json:
    envelope = {
        _META + "protocolVersion": PROTOCOL_2026,
        _META + "clientInfo": {"name": "example", "version": "1"},
        _META + "clientCapabilities": {},
    }
    forms = {PROTOCOL_2025: params, PROTOCOL_2026: {**params, "_meta": envelope}}
    return {
        f"{method}, {revision}": {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
        for revision, given in forms.items()
    }
