"""
The OpenAPI 3.0.3 document, made from the routes and from the prompts a caller sees.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import orjson

from ctxfy.adapters.api_docs.entity_tags import etag_of
from ctxfy.adapters.api_docs.fixed_paths import MCP_PATHS, FixedPart, Surface, fixed_part
from ctxfy.adapters.api_docs.mcp_messages import describe_mcp, message_schemas
from ctxfy.adapters.api_docs.operations import Json
from ctxfy.adapters.api_docs.prompt_operations import (
    TAG,
    PromptOperations,
    PromptPart,
    RenderExample,
    slugs_of,
)
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.catalog_models import revision_of
from ctxfy.core.models.prompt_models import PromptTemplate
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort


OPENAPI_VERSION = "3.0.3"
EXECUTE = "/prompts/{name}/execute"
MAX_DOCUMENTS = 8
MAX_PARTS = 2_000

type ListPrompts = Callable[[Principal], tuple[PromptTemplate, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentHead:
    """
    What stands at the head of the document.

    Attributes:
        version: Of ctxfy.
        server_url: What paths are relative to; itself relative to the document if it has no host.
    """

    title: str
    version: str
    server_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """
    A document in JSON.

    Attributes:
        etag: Names this very content.
    """

    content: bytes
    etag: str


class OpenApiGenerator:
    """
    Makes the document for a caller, and keeps the last ones: one for each set of prompts seen.

    Args:
        surface: Asked for once, when the first document is wanted.
        list_prompts: Lists what a caller may use (PromptQueryPort has it).
        render: Makes the answers of examples.
    """

    def __init__(
        self,
        head: DocumentHead,
        surface: Callable[[], Surface],
        list_prompts: ListPrompts,
        validator: ArgumentValidatorPort,
        render: RenderExample,
    ) -> None:
        self._head = head
        self._surface = surface
        self._list_prompts = list_prompts
        self._validator = validator
        self._render = render
        self._turn = Lock()
        self._fixed: _Fixed | None = None
        self._parts: OrderedDict[tuple[str, str, str], PromptPart] = OrderedDict()
        self._documents: OrderedDict[str, Document] = OrderedDict()

    def document(self, principal: Principal) -> Document:
        """
        Write the document in JSON: every fixed route, and the prompts this caller may use.

        Slow for prompts not seen before (milliseconds for each), so call it in a thread.
        """
        visible = self._list_prompts(principal)
        key = revision_of(visible)
        with self._turn:
            if key not in self._documents:
                content = orjson.dumps(self._build(visible))
                self._documents[key] = Document(content=content, etag=etag_of(content))
                if len(self._documents) > MAX_DOCUMENTS:
                    self._documents.popitem(last=False)
            self._documents.move_to_end(key)
            return self._documents[key]

    def kept(self, principal: Principal) -> Document | None:
        """
        Give the document if it is made already.
        """
        return self._documents.get(revision_of(self._list_prompts(principal)))

    def _build(self, visible: Sequence[PromptTemplate]) -> Json:
        fixed = self._fixed = self._fixed or self._make_fixed()
        slugs = slugs_of(item.name for item in visible)
        parts = [self._part(fixed.prompts, item, slugs[item.name]) for item in visible]
        paths = dict(fixed.part.paths)
        schemas = dict(fixed.part.schemas)
        schemas |= message_schemas()
        example = next((part for part in parts if part.example is not None), None)
        for path in MCP_PATHS:
            paths[path] = {"post": describe_mcp(paths[path]["post"], example)}
        for part in parts:
            paths[f"/prompts/{part.template.name}/execute"] = {"post": part.operation}
            schemas |= part.schemas
        return {
            "openapi": OPENAPI_VERSION,
            "info": {
                "title": self._head.title,
                "version": self._head.version,
                "description": _ABOUT,
            },
            "servers": [{"url": self._head.server_url}],
            "tags": _TAGS,
            "paths": paths,
            "components": {
                "schemas": dict(sorted(schemas.items())),
                "responses": fixed.prompts.shared_responses(),
                "securitySchemes": _security_schemes(fixed.surface.session_cookie),
            },
        }

    def _part(self, prompts: PromptOperations, template: PromptTemplate, slug: str) -> PromptPart:
        key = (template.name, template.digest, slug)
        if key not in self._parts:
            self._parts[key] = prompts.part(template, slug)
            if len(self._parts) > MAX_PARTS:
                self._parts.popitem(last=False)
        self._parts.move_to_end(key)
        return self._parts[key]

    def _make_fixed(self) -> "_Fixed":
        surface = self._surface()
        part = fixed_part(surface)
        any_prompt = part.paths[EXECUTE]["post"]
        return _Fixed(
            surface=surface,
            part=part,
            prompts=PromptOperations(any_prompt, self._validator, self._render),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    surface: Surface
    part: FixedPart
    prompts: PromptOperations


def _security_schemes(session_cookie: str | None) -> Json:
    schemes: Json = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": "Any user, and an API key as the password.",
        },
    }
    if session_cookie is not None:
        schemes["session"] = {
            "type": "apiKey",
            "in": "cookie",
            "name": session_cookie,
            "description": (
                "Set by /login, for browsers. Methods that change something then need the cookie "
                "`ctxfy_csrf` in the header `X-CSRF-Token` too."
            ),
        }
    return schemes


_ABOUT = (
    "The prompts of this server, over MCP at `/mcp` and as plain JSON. Send exactly one key: as "
    "`Authorization: Bearer`, as `X-API-Key`, or as the password of Basic. Each prompt that your "
    "key sees has an operation of its own. Refusals are `application/problem+json` (RFC 9457) "
    "with a stable `code`."
)
_TAGS = [
    {"name": name, "description": text}
    for name, text in (
        (TAG, "Each prompt of your key, with its own arguments."),
        ("prompts", "The catalog of prompts."),
        ("mcp", "The Model Context Protocol."),
        ("keys", "API keys."),
        ("audit", "Who did what, and the proof of it."),
        ("privacy", "What is held about people, and how it is erased."),
        ("operations", "Health and metrics."),
        ("docs", "This description, and the pages of the server."),
        ("browsers", "Sessions for browsers."),
        ("discovery", "Addresses that clients try; there is nothing."),
    )
]
