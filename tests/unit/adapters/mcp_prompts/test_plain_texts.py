"""
Texts that only put values in are filled without the engine, and nobody can tell by what comes out.
"""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.mcp_prompts.plain_texts import find_plain_text
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.mcp_prompts.template_scan import scan_template
from ctxfy.core.exceptions import CatalogError, RenderError
from ctxfy.core.models.prompt_models import (
    Message,
    PromptArgument,
    PromptTemplate,
    Role,
    TextContent,
    Value,
)
from tests.strategies import TEXTS


NAMES = ("a", "b", "true", "loop")
BY_THE_ENGINE = "{% set unused = 1 %}"  # puts nothing out, and only the engine can tell

OUTPUTS = ("{{ a }}", "{{a}}", "{{- b -}}", "{{+ a +}}", "{{ true }}", "{{ loop }}")
OTHERS = ("{# a #}", "{#- b -#}", "{% raw %}{{ a }}{% endraw %}", "{{ 'a' }}", "{{ a | upper }}")
WRITTEN = (
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "%",
    "%s",
    "%%",
    "{",
    "}}",
    "\x1e",
    "\x1ea\x1e",
    "\u00e9",
    "<&>",
)
SOURCES = st.lists(
    st.sampled_from([*OUTPUTS, *OUTPUTS, *OTHERS, *WRITTEN])
    | TEXTS.filter(lambda text: "{" not in text),
    max_size=8,
).map("".join)
VALUES: st.SearchStrategy[Value] = (
    TEXTS
    | st.sampled_from(["{{ a }}", "{% raw %}", "\ud800", "\x1e", "%s", "<script>"])
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([0.0, 2.0, 1e16])
    | st.none()
    | st.tuples(TEXTS)
)


def _prompt(sources: Sequence[str], limit: int) -> PromptTemplate:
    return PromptTemplate(
        name="p",
        version="1",
        arguments=tuple(PromptArgument(name=name) for name in NAMES),
        messages=tuple(
            Message(role=Role.USER, content=TextContent(text=source)) for source in sources
        ),
        max_output_bytes=limit,
    )


def _rendered(template: PromptTemplate, values: Mapping[str, Value]) -> object:
    try:
        return MiniJinjaEngine().compile(template).render(values)
    except RenderError as error:
        return error.reason, error.place, str(error)
    except CatalogError as error:  # such as braces that happened to meet
        return str(error)


@given(
    sources=st.lists(SOURCES, min_size=1, max_size=3),
    values=st.tuples(*[VALUES] * len(NAMES)),
    limit=st.sampled_from([0, 5, 30, 100_000]),
)
def test_the_engine_would_have_written_the_same(
    sources: list[str], values: tuple[Value, ...], limit: int
) -> None:
    """
    Texts, limits and errors are those of the engine, whatever is written and put in.
    """
    given_values: dict[str, Value] = dict(zip(NAMES, values, strict=True))
    by_the_engine = _prompt([BY_THE_ENGINE + source for source in sources], limit)
    assert _rendered(_prompt(sources, limit), given_values) == _rendered(
        by_the_engine, given_values
    )


@pytest.mark.parametrize(
    ("source", "outputs"),
    [
        ("", ()),
        ("Hi.", ()),
        ("{{ a }} and {{- b -}} and {{ a }}", ("a", "b", "a")),
        ("{# {{ a }} #}{% raw %}{{ b }}{% endraw %}{{ c }}", ("c",)),
        ("{{ a.b }}", None),
        ("{{ a | upper }}", None),
        ("{{ 'a' }}", None),
        ("{{ a }}{% if a %}{% endif %}", None),
        ("{% include 'x.md' %}", None),
    ],
)
def test_which_texts_are_plain(source: str, outputs: tuple[str, ...] | None) -> None:
    """
    Those that put out names and do nothing else.
    """
    assert scan_template(source).outputs == outputs


def test_what_the_engine_takes_for_something_else_is_not_plain() -> None:
    """
    A name that means something to the engine is not taken for an argument of that name.
    """
    assert find_plain_text(["true"], lambda _marks: "It is true.") is None


def test_a_text_of_a_hundred_thousand_values_is_not_written_to_be_measured() -> None:
    """
    Its size is known before: a value of two million characters stays alone in memory.
    """
    plain = find_plain_text(["a"] * 100_000, lambda marks: marks["a"] * 100_000)
    assert plain is not None
    assert plain.fill({"a": "x" * 2_000_000}, 1_000_000) is None
