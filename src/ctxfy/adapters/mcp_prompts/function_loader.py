"""
The prompts of Python modules, found and described: wholly good, or refused with all that is wrong.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import pydantic
from fastmcp import FastMCP
from fastmcp.prompts import Prompt
from fastmcp.prompts.function_prompt import FunctionPrompt
from fastmcp.server.context import set_transport
from fastmcp.utilities.authorization import AuthContext, run_auth_checks
from pydantic import BaseModel, ConfigDict, Field

from ctxfy.adapters.mcp_prompts.bounded_calls import BoundedCalls
from ctxfy.adapters.mcp_prompts.function_arguments import arguments_of, resolve_annotations
from ctxfy.adapters.mcp_prompts.function_prompts import ModuleFunction, TokenOf, quieten_fastmcp
from ctxfy.adapters.mcp_prompts.prompt_modules import import_servers
from ctxfy.adapters.mcp_prompts.prompt_schema import MAX_OUTPUT_BYTES, NAME_PATTERN
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.auth_models import KeyId, Principal, Scope
from ctxfy.core.models.catalog_models import duplicates_of, is_version
from ctxfy.core.models.prompt_models import PromptProblem, PromptTemplate
from ctxfy.core.use_cases.validation_use_cases import did_you_mean


class FunctionMeta(BaseModel):
    """
    What `meta={"ctxfy": {...}}` of a function may say: what FastMCP has no word for.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    scope: Literal["read", "write", "admin"] = "read"
    owner: str = Field(default="", max_length=200)
    model: str | None = Field(default=None, max_length=200)
    changes: str = Field(default="", max_length=2000)
    complete: dict[str, list[str]] = {}
    max_output_bytes: int = Field(default=1_000_000, ge=1, le=MAX_OUTPUT_BYTES)


def load_functions(
    modules: Sequence[str], *, seconds: float, token_of: TokenOf
) -> tuple[ModuleFunction, ...]:
    """
    Import modules and take their prompts.

    Args:
        modules: Names that can be imported, or paths of files `.py`.
        seconds: How long one call may take.
        token_of: What functions learn of a caller.

    Raises:
        CatalogError: With all that is wrong.
    """
    quieten_fastmcp()
    servers = import_servers(modules)
    with ThreadPoolExecutor(1) as aside:  # there may be a running loop in this thread
        work = _Modules(BoundedCalls(seconds), token_of).read(servers)
        functions, problems = aside.submit(asyncio.run, work).result()
    problems += _duplicates([item.template for item in functions])
    if problems:
        raise CatalogError(problems)
    return tuple(functions)


class _Modules:
    def __init__(self, calls: BoundedCalls, token_of: TokenOf) -> None:
        self._calls = calls
        self._token_of = token_of

    async def read(
        self, servers: Mapping[str, FastMCP[Any]]
    ) -> tuple[list[ModuleFunction], list[PromptProblem]]:
        functions: list[ModuleFunction] = []
        problems: list[PromptProblem] = []
        set_transport("stdio")  # to FastMCP: list what has `auth=` too
        for module, server in servers.items():
            prompts = await server.list_prompts()
            if not prompts:
                text = "the module holds no prompts; write a function below @mcp.prompt"
                problems.append(PromptProblem(path=module, line=None, message=text))
            for prompt in prompts:
                try:
                    template = await self._template(module, prompt)
                except _UnfitPromptError as error:
                    line, text = _line_of(prompt), f"prompt '{prompt.name}': {error}"
                    problems.append(PromptProblem(path=module, line=line, message=text))
                    continue
                functions.append(
                    ModuleFunction(
                        server, prompt, template, calls=self._calls, token_of=self._token_of
                    )
                )
        return functions, problems

    async def _template(self, module: str, prompt: Prompt) -> PromptTemplate:
        resolve_annotations(prompt)
        meta = _meta_of(prompt)
        _check_names(prompt)
        arguments = arguments_of(
            prompt, {name: tuple(values) for name, values in meta.complete.items()}
        )
        for name in meta.complete.keys() - {argument.name for argument in arguments}:
            raise _UnfitPromptError(f"there is no argument '{name}' to complete")
        return PromptTemplate(
            name=prompt.name,
            version=prompt.version or "1",
            title=prompt.title or "",
            description=(prompt.description or "").strip(),
            changes=meta.changes,
            owner=meta.owner,
            model=meta.model,
            tags=tuple(sorted(prompt.tags)),
            scope=max(
                Scope(meta.scope), await self._least_scope(prompt), key=lambda scope: scope.rank
            ),
            arguments=arguments,
            max_output_bytes=meta.max_output_bytes,
            source=f"{module}:{prompt.name}",
            digest=_digest(module, prompt),
            is_function=True,
        )

    async def _least_scope(self, prompt: Prompt) -> Scope:
        """
        Find the least scope that `auth=` lets in, so that lists show what can be had.
        """
        if prompt.auth is None:
            return Scope.READ
        for scope in Scope:
            nobody = Principal(key_id=KeyId("0" * 12), user_id="nobody", scope=scope)
            context = AuthContext(token=self._token_of(nobody), component=prompt)
            if await run_auth_checks(prompt.auth, context):
                return scope
        raise _UnfitPromptError(
            "its auth= lets no key in; use require_scopes with 'read', 'write' or 'admin'"
        )


class _UnfitPromptError(Exception):
    """
    A prompt that cannot be served; the text says why.
    """


def _meta_of(prompt: Prompt) -> FunctionMeta:
    try:
        return FunctionMeta.model_validate((prompt.meta or {}).get("ctxfy", {}))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        text = f"meta['ctxfy'] is not right at '{place}': {first['msg'].lower()}"
        if first["type"] == "extra_forbidden":
            hint = did_you_mean(place, FunctionMeta.model_fields)
            known = hint or f"it knows {', '.join(FunctionMeta.model_fields)}"
            text = f"meta['ctxfy'] does not know '{place}'; {known}"
        raise _UnfitPromptError(text) from error


def _check_names(prompt: Prompt) -> None:
    if not re.fullmatch(NAME_PATTERN, prompt.name):
        raise _UnfitPromptError("this cannot be a prompt's name; give one by @mcp.prompt(name=...)")
    if prompt.version is not None and not is_version(prompt.version):
        raise _UnfitPromptError(f"'{prompt.version}' is not a version; write for example 2.1.0")


def _duplicates(templates: Sequence[PromptTemplate]) -> Iterator[PromptProblem]:
    for first, *others in duplicates_of(templates):
        for other in others:
            yield PromptProblem(
                path=other.source.rpartition(":")[0],
                line=None,
                message=(
                    f"prompt '{other.name}' version {other.version} is in "
                    f"{first.source.rpartition(':')[0]} too; "
                    "give one of them another name or version"
                ),
            )


def _digest(module: str, prompt: Prompt) -> str:
    """
    Hash the file a function is written in, and what the module says of it.
    """
    function = _written(prompt)
    file = None if function is None else inspect.getsourcefile(function)
    said = {
        "module": Path(module).name,
        "name": prompt.name,
        "version": prompt.version,
        "title": prompt.title,
        "description": prompt.description,
        "tags": sorted(prompt.tags),
        "meta": prompt.meta,
        "arguments": [item.model_dump() for item in prompt.arguments or ()],
    }
    text = json.dumps(said, sort_keys=True, default=str).encode()
    return sha256(text + (Path(file).read_bytes() if file else b"")).hexdigest()


def _line_of(prompt: Prompt) -> int | None:
    function = _written(prompt)
    return None if function is None else function.__code__.co_firstlineno


def _written(prompt: Prompt) -> Any:  # noqa: ANN401 - a function, of any signature
    """
    Find the function as its author wrote it: FastMCP wraps those that it hands its own things to.
    """
    function: object = prompt.fn if isinstance(prompt, FunctionPrompt) else None
    while callable(function) and inspect.isfunction(inner := inspect.unwrap(function)):
        wrapped = inspect.getclosurevars(inner).nonlocals.get("fn")
        if wrapped is None or not inner.__globals__["__name__"].startswith("fastmcp."):
            return inner
        function = wrapped
    return None
