"""
Both lanes over one catalog, without a gate: a request goes through each, and all that each did is
kept to be compared.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from ctxfy.adapters.auth.fastmcp_verifier import PrincipalVerifier
from ctxfy.adapters.mcp_prompts.catalog import MemoryCatalog
from ctxfy.adapters.mcp_prompts.express_lane import ExpressLane
from ctxfy.adapters.mcp_prompts.prompt_lists import PromptLists
from ctxfy.adapters.mcp_prompts.prompt_service import PromptService
from ctxfy.adapters.mcp_prompts.result_forms import ResultForms
from ctxfy.adapters.mcp_prompts.server import McpPrompts, build_mcp_server
from ctxfy.adapters.monitoring.null_tracer import NO_SPAN, NoSpan
from ctxfy.adapters.monitoring.tracer import spanned
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.auth_models import Principal, Scope
from ctxfy.core.models.trace_models import Step
from ctxfy.core.ports.prompt_ports import CatalogSnapshot, PromptFunctionPort
from tests.builders import make_principal
from tests.fakes.monitoring_fakes import RecordingLogging, RecordingMetrics


CALLERS = (
    make_principal(scope=Scope.ADMIN),
    make_principal(scope=Scope.WRITE),
    make_principal(scope=Scope.READ, prompts=("gr*", "every-*")),
    make_principal(scope=Scope.ADMIN, prompts=("nothing",)),
)


@dataclass(frozen=True, slots=True)
class Request:
    """
    A request over MCP.

    Attributes:
        caller: Its place in `CALLERS`.
        is_usual: Whether the express lane has to answer it by itself.
    """

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    caller: int = 0
    is_usual: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    All that one lane did: what it answered, and what it told about it.
    """

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    facts: dict[str, object]
    executions: tuple[dict[str, object], ...]
    failures: tuple[tuple[str, str], ...]
    steps: tuple[Step, ...]
    parents: tuple[object, ...]


@dataclass(slots=True)
class RecordingTracer:
    """
    `TracerPort`: the steps, and the parents that messages named.
    """

    steps: list[Step] = field(default_factory=list[Step])
    parents: list[object] = field(default_factory=list[object])

    def span(self, step: Step, /, **facts: str | int) -> NoSpan:
        """
        Note a step.
        """
        self.steps.append(step)
        return NO_SPAN

    def traced[**P, T](self, step: Step, call: Callable[P, T], /) -> Callable[P, T]:
        """
        Note a step at each call.
        """
        return spanned(lambda: self.span(step), call)

    def continue_trace(self, traceparent: object, tracestate: object = None) -> None:
        """
        Note a parent; what is none is none.
        """
        self.parents.append((traceparent, tracestate))


class Lanes:
    """
    The express lane before FastMCP, and FastMCP alone.
    """

    def __init__(
        self, snapshot: CatalogSnapshot, functions: Sequence[PromptFunctionPort] = ()
    ) -> None:
        self.caller: Principal | None = None
        self.logging = RecordingLogging()
        self.metrics = RecordingMetrics()
        self.tracer = RecordingTracer()
        self.catalog = MemoryCatalog(snapshot)
        service = PromptService(
            self.catalog,
            SchemaValidator(),
            logging=self.logging,
            metrics=self.metrics,
            tracer=self.tracer,
            monotonic=lambda: 0.0,
        )
        prompts = McpPrompts(service, service, lambda: self.caller, functions=functions)
        server = build_mcp_server(
            prompts,
            version="1.2.3",
            auth=PrincipalVerifier(lambda: self.caller),
            annotate=self.logging.annotate,
            tracer=self.tracer,
        )
        self.fastmcp: Any = server.http_app(
            path="/mcp", stateless_http=True, host_origin_protection=False
        )
        forms = ResultForms(server)
        self.lists = PromptLists(self.catalog, service, forms)
        self.express = ExpressLane(
            self.fastmcp,
            prompts=prompts,
            forms=forms,
            lists=self.lists,
            annotate=self.logging.annotate,
            tracer=self.tracer,
        )

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Lanes"]:
        """
        Let FastMCP live.
        """
        async with self.fastmcp.lifespan(self.fastmcp):
            yield self

    async def both(self, request: Request) -> tuple[Outcome, Outcome]:
        """
        Send a request through the express lane, and through FastMCP alone.
        """
        return await self.send(self.express, request), await self.send(self.fastmcp, request)

    async def send(self, app: ASGIApp, request: Request) -> Outcome:
        """
        Send a request through one of them.
        """
        self.caller = CALLERS[request.caller]
        self.logging.facts = {}
        for noted in (
            self.metrics.executions,
            self.metrics.validation_failures,
            self.tracer.steps,
            self.tracer.parents,
        ):
            noted.clear()
        sent = await _exchange(app, request, self.caller)
        start = next(each for each in sent if each["type"] == "http.response.start")
        return Outcome(
            status=start["status"],
            headers=tuple(sorted((name.lower(), value) for name, value in start["headers"])),
            body=b"".join(each.get("body", b"") for each in sent),
            facts=dict(self.logging.facts),
            executions=tuple(self.metrics.executions),
            failures=tuple(self.metrics.validation_failures),
            steps=tuple(self.tracer.steps),
            parents=tuple(self.tracer.parents),
        )


async def _exchange(app: ASGIApp, request: Request, caller: Principal) -> list[Message]:
    waiting: list[Message] = [{"type": "http.request", "body": request.body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    token = (b"authorization", b"Bearer " + caller.key_id.encode())
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), token, *request.headers],
        "client": ("127.0.0.1", 50000),
        "server": ("localhost", 80),
        "state": {},
    }
    await app(scope, receive, send)
    return sent
