"""
Prompts that are compiled when they are first rendered: TemplateEnginePort.

For a set that was compiled and checked elsewhere. A compiled prompt takes some 50 kB, and of
thousands many are not asked for before the set is replaced.
"""

from collections.abc import Mapping

from ctxfy.core.models.prompt_models import Message, PromptTemplate, Value
from ctxfy.core.ports.prompt_ports import CompiledPromptPort, TemplateEnginePort


class DeferredEngine:
    """
    Leaves the work to another engine, and to the time when it is needed.
    """

    def __init__(self, engine: TemplateEnginePort) -> None:
        self._engine = engine

    def compile(self, template: PromptTemplate) -> "DeferredPrompt":
        """
        Keep a template that is known to be good.
        """
        return DeferredPrompt(template, self._engine)


class DeferredPrompt:
    """
    One prompt, compiled or not yet.
    """

    def __init__(self, template: PromptTemplate, engine: TemplateEnginePort) -> None:
        self._template = template
        self._engine = engine
        self._compiled: CompiledPromptPort | None = None

    def render(self, values: Mapping[str, Value]) -> tuple[Message, ...]:
        """
        Render every message.

        Raises:
            RenderError: The template failed or passed a limit.
        """
        compiled = self._compiled
        if compiled is None:
            compiled = self._compiled = self._engine.compile(self._template)
        return compiled.render(values)
