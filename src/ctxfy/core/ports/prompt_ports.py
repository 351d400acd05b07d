"""
Ports about prompts: two that are driven by the outside, and what they drive in turn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.catalog_models import Catalog, CatalogChange
from ctxfy.core.models.prompt_models import (
    Message,
    PromptProblem,
    PromptRequest,
    PromptTemplate,
    RenderedPrompt,
    ResourceContent,
    Value,
)
from ctxfy.core.models.validation_models import ValidationError, ValidationResult


class PromptCommandPort(Protocol):
    """
    Primary port for executing prompts.
    """

    async def execute(self, request: PromptRequest, principal: Principal) -> RenderedPrompt:
        """
        Render a prompt for a caller.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
            InvalidArgumentsError: With every mistake at once.
            RenderError: The template failed or passed a limit.
        """
        ...


class CatalogCommandPort(Protocol):
    """
    Primary port for taking another set of prompts into service.
    """

    async def reload(self) -> CatalogChange:
        """
        Load the prompts now; tell what is served differently since.

        Raises:
            CatalogError: The set is not wholly good; the old one goes on being served.
            UnavailableError: The server is ending.
        """
        ...


class PromptQueryPort(Protocol):
    """
    Primary port for questions about prompts; answers only what the caller may use.
    """

    def list_prompts(self, principal: Principal) -> tuple[PromptTemplate, ...]:
        """
        List the served version of each prompt, by name.
        """
        ...

    def get_prompt(
        self, name: str, principal: Principal, version: str | None = None
    ) -> PromptTemplate:
        """
        Look one up.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
        """
        ...

    def list_versions(self, name: str, principal: Principal) -> tuple[PromptTemplate, ...]:
        """
        List every version of a prompt that the caller may use, highest first.
        """
        ...

    def complete(
        self, name: str, argument: str, typed: str, principal: Principal
    ) -> tuple[str, ...]:
        """
        Offer values for an argument, the best first; none for an argument that is not declared.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
        """
        ...

    def list_resources(self, principal: Principal) -> tuple[ResourceContent, ...]:
        """
        List the files that the caller's prompts embed, in any version, by URI.
        """
        ...

    def read_resource(self, uri: str, principal: Principal) -> ResourceContent:
        """
        Look one of them up.

        Raises:
            ResourceNotFoundError: No prompt of this caller embeds it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentOutcome:
    """
    What became of raw arguments: values for the template, or what is wrong with them.

    Attributes:
        values: Of every declared argument; empty if something is wrong.
        given: The names of those that are not just defaults.
    """

    values: Mapping[str, Value]
    result: ValidationResult
    given: frozenset[str] = frozenset()


class ArgumentValidatorPort(Protocol):
    """
    Driven port: raw arguments into values.
    """

    def validate(self, template: PromptTemplate, raw: Mapping[str, object]) -> ArgumentOutcome:
        """
        Coerce and check all arguments of a prompt, reporting every mistake.
        """
        ...

    def problems(self, template: PromptTemplate) -> tuple[PromptProblem, ...]:
        """
        Say what is wrong with the declarations themselves: patterns, defaults, examples.
        """
        ...

    def json_schema(self, template: PromptTemplate) -> Mapping[str, object]:
        """
        The JSON Schema (2020-12) of a prompt's arguments.
        """
        ...


class CompiledPromptPort(Protocol):
    """
    A template made ready to render. Driven port, made by TemplateEnginePort.
    """

    def render(self, values: Mapping[str, Value]) -> tuple[Message, ...]:
        """
        Render every message; their number and roles are the template's, whatever the values.

        Raises:
            RenderError: The template failed or passed a limit.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionAnswer:
    """
    What a function made.

    Attributes:
        description: Of this answer; empty if the prompt's own holds.
        meta: What it says of the answer.
    """

    messages: tuple[Message, ...]
    description: str = ""
    meta: Mapping[str, Value] = field(default_factory=dict[str, Value])


class PromptFunctionPort(Protocol):
    """
    Driven port: a prompt that a function makes.
    """

    @property
    def template(self) -> PromptTemplate:
        """
        Describe the prompt; it has no messages.
        """
        ...

    def mistakes(self, raw: Mapping[str, object]) -> tuple[ValidationError, ...]:
        """
        Say which raw values of type `ANY` the function does not take.
        """
        ...

    async def call(self, given: Mapping[str, Value], principal: Principal | None) -> FunctionAnswer:
        """
        Let the function make the messages, within its time and size.

        Args:
            given: The values that are not just defaults; those are the function's own.
            principal: Who is calling; None for whoever sits at this machine.

        Raises:
            PromptNotFoundError: The function is not for this caller.
            RenderError: It failed, took too long, or made what no prompt can be.
            UnavailableError: Too many of them are running.
        """
        ...


class TemplateEnginePort(Protocol):
    """
    Driven port: templates into text, bounded.
    """

    def compile(self, template: PromptTemplate) -> CompiledPromptPort:
        """
        Make a template ready.

        Raises:
            CatalogError: With every mistake in its text, by file and line.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSnapshot:
    """
    A catalog and what renders its prompts, replaced together and never changed.

    Attributes:
        compiled: Prompts of files, by name and version as written.
        functions: Prompts of functions, likewise; no prompt is in both.
        loaded_at: When it was taken into service, UTC.
    """

    catalog: Catalog
    compiled: Mapping[tuple[str, str], CompiledPromptPort]
    loaded_at: datetime
    functions: Mapping[tuple[str, str], PromptFunctionPort] = field(
        default_factory=dict[tuple[str, str], PromptFunctionPort]
    )


class PromptCatalogPort(Protocol):
    """
    Driven port: the prompts in service.
    """

    def snapshot(self) -> CatalogSnapshot:
        """
        The set being served now. A request takes it once and keeps to it.
        """
        ...
