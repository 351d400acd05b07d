"""
Prompts that are compiled when they are first rendered.
"""

from typing import override

from ctxfy.adapters.mcp_prompts.deferred_engine import DeferredEngine
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine, MiniJinjaPrompt
from ctxfy.core.models.prompt_models import PromptTemplate
from tests.builders import SAMPLE_VALUES, make_template, texts_of


def test_a_prompt_is_compiled_once_and_only_when_it_is_rendered() -> None:
    """
    Others of its set cost nothing until somebody asks for them.
    """
    compiled: list[str] = []

    class Engine(MiniJinjaEngine):
        @override
        def compile(self, template: PromptTemplate) -> MiniJinjaPrompt:
            compiled.append(template.name)
            return super().compile(template)

    prompt = DeferredEngine(Engine()).compile(make_template("Hi"))
    assert compiled == []
    assert [texts_of(prompt.render(SAMPLE_VALUES)) for _ in range(2)] == [["Hi"], ["Hi"]]
    assert len(compiled) == 1
