"""
What a rendering may cost, with values as large as callers can send them.
"""

import pytest

from ctxfy.adapters.mcp_prompts.template_engine import (
    FUEL,
    WORK_BUDGET,
    MiniJinjaEngine,
)
from ctxfy.adapters.mcp_prompts.template_spending import RENDER_SECONDS
from ctxfy.core.exceptions import RenderError
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument
from tests.builders import make_template


TEXT = PromptArgument(name="text")
WORDS = PromptArgument(name="words", type=ArgumentType.LIST, items=ArgumentType.STRING)
SEARCH = "{% for word in words %}{% if word in text %}x{% endif %}{% endfor %}"


def test_the_larger_the_values_the_fewer_the_steps() -> None:
    """
    A loop that runs over small texts runs out of fuel over large ones.
    """
    compiled = MiniJinjaEngine().compile(make_template(SEARCH, arguments=(TEXT, WORDS)))
    words = tuple(f"q{number}" for number in range(2000))
    compiled.render({"text": "a" * 100, "words": words})
    large = "a" * (WORK_BUDGET // 2000)
    with pytest.raises(RenderError) as caught:
        compiled.render({"text": large, "words": words})
    assert caught.value.reason == "fuel"


def test_small_values_leave_the_whole_fuel() -> None:
    """
    Ordinary prompts are not bounded by what large ones may cost.
    """
    compiled = MiniJinjaEngine().compile(make_template(SEARCH, arguments=(TEXT, WORDS)))
    words = tuple(str(number) for number in range(FUEL // 20))
    assert compiled.render({"text": "1", "words": words})


@pytest.mark.parametrize("name", ["lower", "upper", "title", "list", "sort", "unique", "trim"])
def test_time_is_looked_at_before_every_filter_that_copies(name: str) -> None:
    """
    With the time over, the next such filter ends the rendering.
    """
    moments = iter([0.0, RENDER_SECONDS / 2, RENDER_SECONDS * 2])
    engine = MiniJinjaEngine(lambda: next(moments))
    template = make_template(f"{{{{ text|{name} }}}}{{{{ text|{name} }}}}", arguments=(TEXT,))
    with pytest.raises(RenderError) as caught:
        engine.compile(template).render({"text": "abc"})
    assert caught.value.reason == "time"


def test_filters_give_nothing_that_can_be_changed() -> None:
    """
    What a filter returns has none of Python's methods either.
    """
    compiled = MiniJinjaEngine().compile(
        make_template("{{ (text|list).append('x') }}", arguments=(TEXT,))
    )
    with pytest.raises(RenderError, match="unknown method"):
        compiled.render({"text": "abc"})
