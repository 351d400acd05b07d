"""
Prompts that are functions of Python modules: PromptFunctionPort, on FastMCP's own rendering.

FastMCP puts the text of a function's exception on the wire, and answers a missing argument with an
internal error. Arguments are checked before it sees them, and what it raises is caught here.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from fastmcp import FastMCP
from fastmcp.exceptions import PromptError
from fastmcp.prompts import Prompt, PromptResult
from fastmcp.server.auth import AccessToken
from fastmcp.server.context import set_transport
from fastmcp.server.providers.fastmcp_provider import FastMCPProvider
from fastmcp.utilities.versions import VersionSpec
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser

from ctxfy.adapters.mcp_prompts.bounded_calls import BoundedCalls
from ctxfy.adapters.mcp_prompts.function_arguments import adapters_of, fits
from ctxfy.adapters.mcp_prompts.function_content import UnfitAnswerError, answer_of, size_of
from ctxfy.core.exceptions import CtxfyError, PromptNotFoundError, RenderError
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.prompt_models import PromptTemplate, Value
from ctxfy.core.models.validation_models import ErrorCode, ValidationError
from ctxfy.core.ports.prompt_ports import FunctionAnswer, PromptFunctionPort
from ctxfy.core.use_cases.validation_use_cases import explain_mistake, thaw


if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

type TokenOf = Callable[[Principal], AccessToken]
"""
What functions learn of a caller: never the secret.
"""

# FastMCP logs what a function raises, twice; the prompt service does it once, with the request.
_LOUD = ("fastmcp.prompts.function_prompt", "fastmcp.server.server")
_calling: ContextVar[bool] = ContextVar("ctxfy_calling_a_prompt_function", default=False)


class ModuleFunction:
    """
    One prompt of one module, called within its bounds.
    """

    def __init__(
        self,
        server: FastMCP[Any],
        prompt: Prompt,
        template: PromptTemplate,
        *,
        calls: BoundedCalls,
        token_of: TokenOf,
    ) -> None:
        self.server = server
        self._prompt = prompt
        self._template = template
        self._calls = calls
        self._token_of = token_of
        self._adapters = adapters_of(prompt)
        self._version = VersionSpec(eq=prompt.version) if prompt.version else None

    @property
    def template(self) -> PromptTemplate:
        """
        Describe the prompt; it has no messages.
        """
        return self._template

    def mistakes(self, raw: Mapping[str, object]) -> tuple[ValidationError, ...]:
        """
        Say which raw values of type `ANY` the function does not take.
        """
        return tuple(
            ValidationError(
                field=argument.name,
                message=explain_mistake(argument, ErrorCode.WRONG_TYPE),
                code=ErrorCode.WRONG_TYPE,
            )
            for argument in self._template.arguments
            if argument.name in raw
            and argument.name in self._adapters
            and not fits(self._adapters[argument.name], raw[argument.name])
        )

    async def call(self, given: Mapping[str, Value], principal: Principal | None) -> FunctionAnswer:
        """
        Let the function make the messages, within its time and size.

        Raises:
            PromptNotFoundError: The function is not for this caller.
            RenderError: It failed, took too long, or made what no prompt can be.
            UnavailableError: Too many of them are running.
        """
        arguments = {name: _as_text(value) for name, value in given.items()}
        try:
            answer = answer_of(await self._calls.run(lambda: self._render(arguments, principal)))
            size = size_of(answer.messages)
        except CtxfyError:
            raise
        except TimeoutError as error:
            limit = f"its function took longer than {self._calls.seconds:g} seconds."
            raise self._failure("time", limit) from error
        except UnfitAnswerError as error:
            raise self._failure("function", f"{error}.") from error
        except Exception as error:  # noqa: BLE001 - whatever an author's code raises
            cause = _cause_of(error)
            words = f"{type(cause).__name__}: {cause}"
            raise self._failure("function", "its function failed.", detail=words) from cause
        if size > self._template.max_output_bytes:
            limit = f"it passes the limit of {self._template.max_output_bytes} bytes."
            raise self._failure("output", limit)
        return answer

    async def _render(self, arguments: dict[str, Any], principal: Principal | None) -> PromptResult:
        # In a task of its own, so that what is set here ends with it.
        _calling.set(True)
        if principal is None:
            set_transport("stdio")  # to FastMCP: whoever is at this machine may do everything
        else:
            auth_context_var.set(AuthenticatedUser(self._token_of(principal)))
        if self._prompt.auth is not None:
            name = self._template.name
            if await self.server.get_prompt(self._prompt.name, self._version) is None:
                raise PromptNotFoundError(name)
        return await self.server.render_prompt(self._prompt.name, arguments, version=self._version)

    def _failure(self, reason: str, cause: str, *, detail: str = "") -> RenderError:
        return RenderError(
            self._template.name, reason, cause, place=self._template.source, detail=detail
        )


def _cause_of(error: Exception) -> Exception:
    # FastMCP wraps what a function raises.
    inner = error.__cause__
    return inner if isinstance(error, PromptError) and isinstance(inner, Exception) else error


def _as_text(value: Value) -> str:
    # As MCP would bring it; FastMCP reads it by the function's annotation.
    return value if isinstance(value, str) else json.dumps(thaw(value))


@asynccontextmanager
async def running_servers(functions: Iterable[PromptFunctionPort]) -> "AsyncGenerator[None]":
    """
    Keep the lifespans open that the modules of these functions have.
    """
    servers = {
        id(item.server): item.server for item in functions if isinstance(item, ModuleFunction)
    }
    async with AsyncExitStack() as stack:
        for server in servers.values():
            await stack.enter_async_context(FastMCPProvider(server).lifespan())
        yield


def call_here(function: PromptFunctionPort, given: Mapping[str, Value]) -> FunctionAnswer:
    """
    Call a function without a server, for whoever sits at this machine.

    Raises:
        RenderError: It failed.
    """

    async def call() -> FunctionAnswer:
        async with running_servers([function]):
            return await function.call(given, None)

    return asyncio.run(call())


def quieten_fastmcp() -> None:
    """
    Keep FastMCP from logging what happens in calls; may be called again.
    """
    for name in _LOUD:
        logging.getLogger(name).addFilter(_is_not_of_a_call)


def _is_not_of_a_call(_record: logging.LogRecord) -> bool:
    return not _calling.get()
