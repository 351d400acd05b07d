"""
The prompts over MCP: a FastMCP server with a Provider over the catalog.

Prompts are a `Prompt` subclass and not functions: FastMCP answers a missing argument of a function
with -32603 and puts the text of its exceptions on the wire; a subclass has neither fault.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, override

import mcp_types as mt
from fastmcp import FastMCP
from fastmcp.exceptions import FastMCPError, NotFoundError
from fastmcp.prompts import Prompt, PromptResult
from fastmcp.resources import Resource, ResourceResult
from fastmcp.server.auth import AuthProvider
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.server.providers import Provider
from fastmcp.utilities.components import FastMCPComponent
from fastmcp.utilities.versions import VersionSpec
from mcp import MCPError
from mcp.server.lowlevel import NotificationOptions
from pydantic import PrivateAttr

from ctxfy.adapters.mcp_prompts.function_prompts import running_servers
from ctxfy.adapters.mcp_prompts.mcp_resources import CatalogResource, missing_resource
from ctxfy.adapters.mcp_prompts.rpc_facts import Annotate, RpcFacts
from ctxfy.adapters.mcp_prompts.wire_forms import (
    wire_completion,
    wire_error,
    wire_prompt,
    wire_result,
)
from ctxfy.core.exceptions import (
    CtxfyError,
    NotAuthenticatedError,
    PromptNotFoundError,
    ResourceNotFoundError,
)
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.prompt_models import (
    PromptRequest,
    PromptTemplate,
)
from ctxfy.core.ports.monitoring_ports import TracerPort
from ctxfy.core.ports.prompt_ports import PromptCommandPort, PromptFunctionPort, PromptQueryPort


LIST_TTL_SECONDS = 10
"""
How long a client may keep a list. Private: lists differ by key.
"""

INSTRUCTIONS = (
    "This server offers a team's prompts. List them with prompts/list, get one with prompts/get; "
    "argument values come through completion/complete where there is a choice."
)

type CurrentPrincipal = Callable[[], Principal | None]


class McpPrompts:
    """
    What the MCP side needs: both prompt ports, and who is calling.

    Args:
        functions: Prompts of modules, whose servers live as long as this one.
    """

    def __init__(
        self,
        commands: PromptCommandPort,
        queries: PromptQueryPort,
        current_principal: CurrentPrincipal,
        functions: Iterable[PromptFunctionPort] = (),
    ) -> None:
        self.commands = commands
        self.queries = queries
        self.functions = tuple(functions)
        self.current_principal = current_principal

    def principal(self) -> Principal:
        """
        Name the caller of the request being served.

        Raises:
            NotAuthenticatedError: There is none: the gate was not passed.
        """
        principal = self.current_principal()
        if principal is None:
            raise NotAuthenticatedError("No API key came with the request.", presented=False)
        return principal

    def may_read(self, uri: str) -> bool:
        """
        Whether the caller of the request being served may read a resource.
        """
        try:
            self.queries.read_resource(uri, self.principal())
        except ResourceNotFoundError:
            return False
        return True


def build_mcp_server(
    prompts: McpPrompts,
    *,
    version: str,
    auth: AuthProvider | None,
    annotate: Annotate,
    tracer: TracerPort,
) -> FastMCP[Any]:
    """
    Make the FastMCP server.

    Args:
        prompts: What it serves, and to whom.
        version: Told to clients.
        auth: Must know callers by what the gate decided; None without HTTP.
        annotate: Is told what each request was.
        tracer: Is told where its time goes.
    """
    server: FastMCP[Any] = FastMCP(
        "ctxfy",
        instructions=INSTRUCTIONS,
        version=version,
        auth=auth,
        middleware=[RpcFacts(annotate, tracer), _ErrorData()],
        providers=[CatalogProvider(prompts)],
        mask_error_details=True,
        dereference_schemas=False,
        cache_ttl=LIST_TTL_SECONDS,
        cache_scope="private",
    )
    # A stateless server cannot notify on the 2025 wire, so it must not promise to.
    server._mcp_server.notification_options = NotificationOptions()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - no public way

    @server.completion
    async def complete(
        ref: mt.PromptReference | mt.ResourceTemplateReference,
        argument: mt.CompletionArgument,
        context: mt.CompletionContext | None,  # noqa: ARG001 - FastMCP's signature
    ) -> mt.Completion:
        """
        Offer values for an argument of a prompt.
        """
        if not isinstance(ref, mt.PromptReference):
            raise MCPError(code=mt.INVALID_PARAMS, message="Only prompts have completions here.")
        try:
            offers = prompts.queries.complete(
                ref.name, argument.name, argument.value, prompts.principal()
            )
        except PromptNotFoundError as error:
            raise wire_error(error) from error
        return wire_completion(offers)

    return server


class CatalogProvider(Provider):
    """
    Sources FastMCP's prompts and resources from the catalog, as far as the caller sees it.
    """

    def __init__(self, prompts: McpPrompts) -> None:
        super().__init__()
        self._prompts = prompts

    @override
    async def _list_prompts(self) -> Sequence[Prompt]:
        found = self._prompts.queries.list_prompts(self._prompts.principal())
        return [CatalogPrompt.of(template, self._prompts) for template in found]

    @override
    async def _get_prompt(self, name: str, version: VersionSpec | None = None) -> Prompt | None:
        wanted = version.eq if version is not None else None
        try:
            template = self._prompts.queries.get_prompt(name, self._prompts.principal(), wanted)
        except PromptNotFoundError:
            return None
        return CatalogPrompt.of(template, self._prompts)

    @override
    async def _list_resources(self) -> Sequence[Resource]:
        found = self._prompts.queries.list_resources(self._prompts.principal())
        return [CatalogResource.of(content) for content in found]

    @override
    async def _get_resource(self, uri: str, version: VersionSpec | None = None) -> Resource | None:
        try:
            content = self._prompts.queries.read_resource(uri, self._prompts.principal())
        except ResourceNotFoundError:
            return None
        return CatalogResource.of(content)

    @override
    @asynccontextmanager
    async def lifespan(self) -> AsyncGenerator[None]:
        async with running_servers(self._prompts.functions):
            yield

    @override
    async def get_tasks(self) -> Sequence[FastMCPComponent]:
        # FastMCP asks at start, when nobody is calling; no prompt of a file runs in the background.
        return []


class CatalogPrompt(Prompt):
    """
    One prompt of the catalog, rendered by the prompt service.
    """

    _template: PromptTemplate = PrivateAttr()
    _prompts: McpPrompts = PrivateAttr()

    @classmethod
    def of(cls, template: PromptTemplate, prompts: McpPrompts) -> "CatalogPrompt":
        """
        Wrap a template.
        """
        prompt = cls(name=template.name, version=template.version)
        prompt._template = template
        prompt._prompts = prompts
        return prompt

    @override
    def to_mcp_prompt(self, **overrides: Any) -> mt.Prompt:
        principal = self._prompts.principal()
        versions = self._prompts.queries.list_versions(self._template.name, principal)
        return wire_prompt(self._template, [item.version for item in versions])

    @override
    async def render(self, arguments: dict[str, Any] | None = None) -> PromptResult:
        request = PromptRequest(
            name=self._template.name, arguments=arguments or {}, version=self._template.version
        )
        try:
            rendered = await self._prompts.commands.execute(request, self._prompts.principal())
        except PromptNotFoundError as error:
            raise NotFoundError(str(error)) from error
        except CtxfyError as error:
            raise _RefusedError(error) from error
        return wire_result(rendered)


class _RefusedError(FastMCPError):
    """
    Carries one of our errors through FastMCP, which would log an MCPError with its stack.
    """

    def __init__(self, error: CtxfyError) -> None:
        super().__init__(str(error), log_level=logging.DEBUG)
        self.error = error


class _ErrorData(Middleware):
    """
    Gives our errors their code and data on the wire.
    """

    @override
    async def on_get_prompt(
        self,
        context: MiddlewareContext[mt.GetPromptRequestParams],
        call_next: CallNext[mt.GetPromptRequestParams, PromptResult],
    ) -> PromptResult:
        try:
            return await call_next(context)
        except _RefusedError as error:
            raise wire_error(error.error) from error
        except NotFoundError as error:
            raise wire_error(PromptNotFoundError(context.message.name)) from error

    @override
    async def on_read_resource(
        self,
        context: MiddlewareContext[mt.ReadResourceRequestParams],
        call_next: CallNext[mt.ReadResourceRequestParams, ResourceResult],
    ) -> ResourceResult:
        try:
            return await call_next(context)
        except NotFoundError as error:
            raise missing_resource(ResourceNotFoundError(context.message.uri), context) from error
