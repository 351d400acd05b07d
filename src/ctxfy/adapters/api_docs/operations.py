"""
What is said of each route beside what its policy and its handler say themselves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ctxfy.core.exceptions import CtxfyError


type Json = dict[str, Any]
type Operations = Mapping[tuple[str, str], "Operation"]
"""
By path, as the table of routes has it, and method.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    One answer of an operation that did what it was asked to.

    Attributes:
        media_type: The first; `other_media_types` are those it may have in its place.
        body: The Python type of the JSON in it, or a schema of OpenAPI 3.0; None if it is empty.
        examples: By name, as they go over the wire.
        headers: Descriptions of headers by name, beside those that every answer has.
    """

    description: str
    status: int = 200
    media_type: str = "application/json"
    other_media_types: tuple[str, ...] = ()
    body: object = None
    examples: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """
    One method of one path.

    Attributes:
        name: Unique; generators of clients make functions of it.
        summary: One sentence; that of the handler if empty.
        errors: What can go wrong beside what the policy of the route says already.
        parameters: In OpenAPI 3.0, if FastAPI does not know them.
        request_body: Likewise.
        request_examples: Bodies by name.
    """

    name: str
    tag: str
    answers: tuple[Answer, ...]
    summary: str = ""
    description: str = ""
    errors: tuple[type[CtxfyError], ...] = ()
    parameters: tuple[Json, ...] = ()
    request_body: Json | None = None
    request_examples: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorKind:
    """
    What an error is on the wire.

    Attributes:
        title: The reason phrase of its status.
        rpc: The code of JSON-RPC.
    """

    status: int
    title: str
    rpc: int
