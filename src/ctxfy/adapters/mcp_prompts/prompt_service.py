"""
The one way to execute a prompt, behind both prompt ports: load, decide, act, report.

MCP and REST are doors to it.
"""

from collections.abc import Callable, Mapping
from functools import partial

from ctxfy.core.exceptions import (
    InvalidArgumentsError,
    PromptNotFoundError,
    RenderError,
    ResourceNotFoundError,
)
from ctxfy.core.models.auth_models import Principal
from ctxfy.core.models.prompt_models import (
    PromptRequest,
    PromptTemplate,
    RenderedPrompt,
    ResourceContent,
    Value,
)
from ctxfy.core.models.trace_models import Step
from ctxfy.core.models.validation_models import ValidationResult
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort, TracerPort
from ctxfy.core.ports.prompt_ports import (
    ArgumentOutcome,
    ArgumentValidatorPort,
    CatalogSnapshot,
    PromptCatalogPort,
    PromptFunctionPort,
)
from ctxfy.core.use_cases.auth_use_cases import may_use_prompt
from ctxfy.core.use_cases.prompt_use_cases import (
    complete_argument,
    count_labels,
    find_visible,
    find_visible_resource,
    list_visible,
    list_visible_resources,
)
from ctxfy.core.use_cases.validation_use_cases import in_order


def check_arguments(
    validator: ArgumentValidatorPort,
    template: PromptTemplate,
    function: PromptFunctionPort | None,
    raw: Mapping[str, object],
) -> ArgumentOutcome:
    """
    Coerce and check arguments, those too that only the function itself can judge.
    """
    outcome = validator.validate(template, raw)
    if function is None:
        return outcome
    unfit = {error.field for error in outcome.result.errors}
    own = {
        argument.name: raw[argument.name]
        for argument in template.arguments
        if argument.schema is not None and argument.name in outcome.given - unfit
    }
    errors = in_order(template.arguments, (*outcome.result.errors, *function.mistakes(own)))
    return ArgumentOutcome(
        values={} if errors else outcome.values,
        result=ValidationResult(errors=errors),
        given=outcome.given,
    )


def given_values(outcome: ArgumentOutcome) -> Mapping[str, Value]:
    """
    Leave the defaults out: a function has its own, which JSON may have no word for.
    """
    return {name: value for name, value in outcome.values.items() if name in outcome.given}


class PromptService:
    """
    Implements PromptCommandPort and PromptQueryPort.

    Args:
        default_model: Named in logs and metrics for prompts that name no model.
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        catalog: PromptCatalogPort,
        validator: ArgumentValidatorPort,
        *,
        logging: LoggingPort,
        metrics: MetricsPort,
        tracer: TracerPort,
        monotonic: Callable[[], float],
        default_model: str | None = None,
    ) -> None:
        self._catalog = catalog
        self._logging = logging
        self._metrics = metrics
        self._find = tracer.traced(Step.CATALOG, self._visible)
        self._check = tracer.traced(Step.VALIDATION, partial(check_arguments, validator))
        self._render = tracer.traced(Step.RENDER, self._rendered)
        self._call = tracer.traced(Step.FUNCTION, self._called)
        self._monotonic = monotonic
        self._default_model = default_model

    async def execute(self, request: PromptRequest, principal: Principal) -> RenderedPrompt:
        """
        Render a prompt for a caller.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
            InvalidArgumentsError: With every mistake at once.
            RenderError: The template or function failed, or passed a limit.
            UnavailableError: Too many functions are running.
        """
        started = self._monotonic()
        snapshot = self._catalog.snapshot()
        template = self._find(snapshot, request.name, principal, request.version)
        self._logging.annotate(
            prompt=template.name, prompt_version=template.version, llm_model=self._model(template)
        )
        place = template.name, template.version
        function = snapshot.functions[place] if template.is_function else None
        outcome = self._check(template, function, request.arguments)
        if outcome.result.errors:
            self._record_invalid(template, outcome, started)
            raise InvalidArgumentsError(template.name, outcome.result)
        try:
            rendered = (
                self._render(snapshot, template, outcome)
                if function is None
                else await self._call(snapshot, function, outcome, principal)
            )
        except RenderError as error:
            self._record_failure(template, error, started)
            raise
        self._record(template, "ok", started)
        if template.count_by:
            self._metrics.record_prompt_count(template.name, count_labels(template, outcome.values))
        return rendered

    def list_prompts(self, principal: Principal) -> tuple[PromptTemplate, ...]:
        """
        List the served version of each prompt, by name.
        """
        return list_visible(self._catalog.snapshot().catalog, principal)

    def get_prompt(
        self, name: str, principal: Principal, version: str | None = None
    ) -> PromptTemplate:
        """
        Look one up.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
        """
        return self._visible(self._catalog.snapshot(), name, principal, version)

    def list_versions(self, name: str, principal: Principal) -> tuple[PromptTemplate, ...]:
        """
        List every version of a prompt that the caller may use, highest first.
        """
        versions = self._catalog.snapshot().catalog.versions(name)
        return tuple(item for item in versions if may_use_prompt(principal, name, item.scope))

    def complete(
        self, name: str, argument: str, typed: str, principal: Principal
    ) -> tuple[str, ...]:
        """
        Offer values for an argument, the best first.

        Raises:
            PromptNotFoundError: No such prompt for this caller.
        """
        template = self._visible(self._catalog.snapshot(), name, principal, None)
        return complete_argument(template, argument, typed)

    def list_resources(self, principal: Principal) -> tuple[ResourceContent, ...]:
        """
        List the files that the caller's prompts embed, in any version, by URI.
        """
        return list_visible_resources(self._catalog.snapshot().catalog, principal)

    def read_resource(self, uri: str, principal: Principal) -> ResourceContent:
        """
        Look one of them up.

        Raises:
            ResourceNotFoundError: No prompt of this caller embeds it.
        """
        content = find_visible_resource(self._catalog.snapshot().catalog, principal, uri)
        if content is None:
            raise ResourceNotFoundError(uri)
        return content

    @staticmethod
    def _visible(
        snapshot: CatalogSnapshot, name: str, principal: Principal, version: str | None
    ) -> PromptTemplate:
        template = find_visible(snapshot.catalog, principal, name, version)
        if template is None:
            raise PromptNotFoundError(name, version)
        return template

    def _model(self, template: PromptTemplate) -> str | None:
        return template.model or self._default_model

    def _rendered(
        self, snapshot: CatalogSnapshot, template: PromptTemplate, outcome: ArgumentOutcome
    ) -> RenderedPrompt:
        compiled = snapshot.compiled[template.name, template.version]
        return RenderedPrompt(
            template=template,
            messages=compiled.render(outcome.values),
            model=self._model(template),
            revision=snapshot.catalog.revision,
        )

    async def _called(
        self,
        snapshot: CatalogSnapshot,
        function: PromptFunctionPort,
        outcome: ArgumentOutcome,
        principal: Principal,
    ) -> RenderedPrompt:
        answer = await function.call(given_values(outcome), principal)
        return RenderedPrompt(
            template=function.template,
            messages=answer.messages,
            model=self._model(function.template),
            revision=snapshot.catalog.revision,
            description=answer.description,
            meta=answer.meta,
        )

    def _record_failure(self, template: PromptTemplate, error: RenderError, started: float) -> None:
        self._logging.annotate(render_failure=error.reason, render_place=error.place)
        if error.reason == "function" and isinstance(error.__cause__, Exception):
            # The only place where its stack is told; callers get one neutral sentence.
            context = {"prompt": template.name, "render_place": error.place}
            self._logging.log_error(None, error.__cause__, context)
        self._record(template, "failed", started)

    def _record_invalid(
        self, template: PromptTemplate, outcome: ArgumentOutcome, started: float
    ) -> None:
        for error in outcome.result.errors:
            self._metrics.record_validation_failure(template.name, error.code)
        self._record(template, "invalid", started)

    def _record(self, template: PromptTemplate, outcome: str, started: float) -> None:
        render_ms = (self._monotonic() - started) * 1000
        self._logging.annotate(render_ms=round(render_ms, 3))
        self._metrics.record_prompt_execution(
            template.name,
            render_ms,
            outcome == "ok",
            version=template.version,
            model=self._model(template),
            outcome=outcome,
        )
