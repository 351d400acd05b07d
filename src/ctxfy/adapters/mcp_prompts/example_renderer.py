"""
Renders examples for documents: nothing is counted, and nobody is asking.
"""

from collections.abc import Mapping

from ctxfy.adapters.mcp_prompts.prompt_fields import ExecutionData, plain_rendering
from ctxfy.core.exceptions import RenderError
from ctxfy.core.models.prompt_models import PromptTemplate, RenderedPrompt
from ctxfy.core.ports.prompt_ports import ArgumentValidatorPort, PromptCatalogPort


MAX_EXAMPLE_CHARACTERS = 20_000
"""
A longer rendering is no example: two hundred of them would fill a page with megabytes.
"""

_REQUEST_ID = "5f0c2a7e9b6d4c1f8a3e7d2b4c6f8a0e"
_TIME_MS = 0.3


class ExampleRenderer:
    """
    Renders prompts of the set in service.
    """

    def __init__(
        self,
        catalog: PromptCatalogPort,
        validator: ArgumentValidatorPort,
        default_model: str | None,
    ) -> None:
        self._catalog = catalog
        self._validator = validator
        self._default_model = default_model

    def execution(
        self, template: PromptTemplate, arguments: Mapping[str, object]
    ) -> ExecutionData | None:
        """
        Make the answer to an execution; None if it is not one, or too long to be shown.

        A function is not called for it: it may do more than make text.
        """
        snapshot = self._catalog.snapshot()
        served = snapshot.catalog.find(template.name, template.version)
        outcome = self._validator.validate(template, arguments)
        compiled = snapshot.compiled.get((template.name, template.version))
        is_same = served is not None and served.digest == template.digest
        if not is_same or compiled is None or not outcome.result.is_valid:
            return None
        try:
            messages = compiled.render(outcome.values)
        except RenderError:
            return None
        rendered = RenderedPrompt(
            template=template,
            messages=messages,
            model=template.model or self._default_model,
            revision=snapshot.catalog.revision,
        )
        shown: ExecutionData = {
            "request_id": _REQUEST_ID,
            **plain_rendering(rendered),
            "execution_time_ms": _TIME_MS,
        }
        return shown if _size(shown) <= MAX_EXAMPLE_CHARACTERS else None


def _size(execution: ExecutionData) -> int:
    return len(execution["result"]) + sum(
        len(str(message["content"])) for message in execution["messages"]
    )
