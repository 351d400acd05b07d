"""
What a rendering may cost: steps, bytes, and what a template cannot reach at all.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import pytest

from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.core.exceptions import CatalogError, RenderError
from ctxfy.core.models.prompt_models import Value
from tests.builders import SAMPLE_VALUES, make_template, render


FUEL_SENTENCE = (
    "Prompt 'greet' could not be rendered: it took more steps than a rendering may; shorten a loop."
)
SMALL = 10_000


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{% if a %}{% endif %}{% endfor %}",
        "{% for a in range(100000) %}x{% endfor %}",
        "{% macro m() %}{% for a in range(60000) %}{% endfor %}{% endmacro %}{{ m() }}{{ m() }}",
        "{% set y %}{% for a in range(100000) %}{% endfor %}{% endset %}",
    ],
)
def test_endless_loops(text: str) -> None:
    """
    A loop that would not end ends when its steps are used up.
    """
    with pytest.raises(RenderError) as caught:
        render(text)
    assert (caught.value.reason, str(caught.value)) == ("fuel", FUEL_SENTENCE)


def _too_large(limit: int) -> str:
    return f"Prompt 'greet' could not be rendered: its text passes the limit of {limit} bytes."


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{{ text }}", {"text": "a" * (SMALL + 1)}),
        ("{{ text }}{{ text }}", {"text": "a" * (SMALL // 2 + 1)}),
        ("{{ text }}", {"text": "\u20ac" * (SMALL // 3 + 1)}),
        ("{% for a in items %}{{ text }}{% endfor %}", {"text": "a" * 10, "items": ("x",) * 1001}),
        ("{% for a in range(1001) %}0123456789{% endfor %}", {}),
        ("x" * (SMALL + 1), {}),
        ("{{ '" + "x" * (SMALL + 1) + "' }}", {}),
        (
            "{% set y %}{{ text }}{{ text }}{% endset %}{% set z %}{{ y }}{{ y }}{% endset %}{{ z }}",
            {"text": "a" * 3000},
        ),
        (
            "{% set y %}{{ text }}{% endset %}{% set z %}{{ y }}{{ y }}{% endset %}ok",
            {"text": "a" * 4000},
        ),
        (
            "{% macro m(a) %}{{ a }}{{ a }}{% endmacro %}{{ m(m(m(m(text)))) }}",
            {"text": "a" * 1000},
        ),
        ("{% filter upper %}{{ text }}{{ text }}{% endfilter %}", {"text": "a" * 6000}),
        ("{{ text|replace('a', text) }}", {"text": "a" * 150}),
        ("{{ text|replace('', text) }}", {"text": "a" * 150}),
        ("{{ text|list|join(text) }}", {"text": "a" * 150}),
        ("{{ items|join(text) }}", {"text": "a" * 200, "items": ("x",) * 200}),
        ("{{ text|indent(20000) }}", {"text": "a\na"}),
        ("{{ text|indent(count) }}", {"text": "\n".join("a" * 200), "count": 100}),
        ("{{ text|indent(count) }}", {"text": "a\nb", "count": 10**15}),
        ("{{ text|indent(9, true, true) }}", {"text": "\n" * 2000}),
        ("{{ items|tojson }}", {"items": ("x" * 100,) * 101}),
        ("{{ items|tojson(8) }}", {"items": ("x",) * 1500}),
        ("{{ items }}", {"items": ("x" * 100,) * 101}),
        ("{{ text|e }}", {"text": "<" * 3000}),
        ("{{ text|urlencode }}", {"text": "\u20ac" * 1500}),
        ("{% include 'p.md' %}{% include 'p.md' %}", {"text": "a" * 6000}),
        ("{{ (text) * 2000 }}", {"text": "a" * 10}),
        ("{{ facts.k * 20000 }}", {}),
    ],
)
def test_output_bombs(text: str, values: dict[str, Value]) -> None:
    """
    Whatever would make more text than the prompt may put out is stopped, in captures too.
    """
    with pytest.raises(RenderError) as caught:
        render(text, values, partials={"p.md": "{{ text }}"}, limit=SMALL)
    assert (caught.value.reason, str(caught.value)) == ("output", _too_large(SMALL))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{{ text }}", {"text": "a" * SMALL}),
        ("{{ text }}", {"text": "\u20ac" * (SMALL // 3)}),
        ("{{ text|replace('a', 'bb') }}", {"text": "a" * (SMALL // 2)}),
        ("{{ text|upper }}", {"text": "a" * SMALL}),
        ("x" * SMALL, {}),
    ],
)
def test_just_within(text: str, values: dict[str, Value]) -> None:
    """
    Text up to the very limit comes out.
    """
    assert 0 < len(render(text, values, limit=SMALL).encode()) <= SMALL


def test_limit_over_messages() -> None:
    """
    The limit is for all messages of a rendering together, and begins anew with the next.
    """
    compiled = MiniJinjaEngine().compile(make_template("{{ text }}", "{{ text }}", limit=10))
    for _ in range(3):
        assert len(compiled.render({**SAMPLE_VALUES, "text": "12345"})) == 2
        with pytest.raises(RenderError, match="passes the limit of 10 bytes"):
            compiled.render({**SAMPLE_VALUES, "text": "123456"})


@pytest.mark.parametrize(
    ("text", "partials"),
    [
        ("{% for a in range(3000) %}LITERAL{% endfor %}", {}),
        (
            "{% macro m() %}LITERAL{% endmacro %}{% for a in range(3000) %}{% set y = m() %}{% endfor %}",
            {},
        ),
        (
            "{% for a in range(3000) %}{% set y %}{% include 'p' %}{% endset %}{% endfor %}",
            {"p": "LITERAL"},
        ),
        (
            "{% for a in range(3000) %}{% set y %}{% include 'p' %}{% endset %}{% endfor %}",
            {"p": "{% include 'q' %}", "q": "LITERAL"},
        ),
        (
            "{% block b %}LITERAL{% endblock %}{% for a in range(3000) %}{% set y = self.b() %}{% endfor %}",
            {},
        ),
    ],
)
def test_literals_in_loops(text: str, partials: dict[str, str]) -> None:
    """
    Literal text, which no counter sees, lowers the steps allowed where it can be repeated.
    """
    reasons: list[str] = []
    for literal in ("x" * 10, "x" * 100_000):
        template = make_template(
            text.replace("LITERAL", literal),
            partials={path: part.replace("LITERAL", literal) for path, part in partials.items()},
        )
        try:
            MiniJinjaEngine().compile(template).render(SAMPLE_VALUES)
        except RenderError as error:
            reasons.append(error.reason)
    assert reasons == ["fuel"]


def test_literals_outside_loops() -> None:
    """
    Long text that is put out once costs no steps.
    """
    text = "x" * 500_000 + "{% for a in range(9000) %}{% endfor %}"
    assert len(render(text)) == 500_000


MULTIPLIED = "a text or list may not be multiplied; write a loop over range(...)"
GROWTH = (
    "more than 4 of the operators ~ + * build up values here, and each can double a string; "
    "write {% set x %}...{% endset %} with the parts inside instead"
)
DOUBLE = "{% set y = y ~ y %}"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("{{ text * 9 }}", 10, MULTIPLIED),
        ("\n\n{{ 9 * text }}", 12, MULTIPLIED),
        ("{{ 'ab' * count }}", 10, MULTIPLIED),
        ('{{ count * "ab" }}', 10, MULTIPLIED),
        ("{% if items*count %}{% endif %}", 10, MULTIPLIED),
        ("{% set y = text %}" + DOUBLE * 5, 10, GROWTH),
        ("{% set y = text ~ text ~ text ~ text ~ text ~ text %}", 10, GROWTH),
        ("{% set y = text + text %}" + "{% set y = y + y %}\n" * 4, 13, GROWTH),
        ("{% with y = text ~ text, z = text ~ text %}{% endwith %}" * 3, 10, GROWTH),
        ("{% for y in [text ~ text] %}" * 5 + "{% endfor %}" * 5, 10, GROWTH),
        ("{% for y in [text + text] %}" * 5 + "{% endfor %}" * 5, 10, GROWTH),
        ("{% macro m(a) %}{% endmacro %}" + "{{ m(text ~ text) }}" * 5, 10, GROWTH),
        ("{% macro m(a) %}{% endmacro %}" + "{{ m(text + text) }}" * 5, 10, GROWTH),
        ("{% macro m(a) %}{% endmacro %}{{ m(m(m(m(m(text ~ 1) ~ 1) ~ 1) ~ 1) ~ 1) }}", 10, GROWTH),
        ("{{ text|default(text ~ text)|default(text ~ text ~ text ~ text ~ text) }}", 10, GROWTH),
        (
            "{% for a in items recursive %}{% endfor %}",
            10,
            "a recursive loop is not allowed; unroll it",
        ),
        (
            "{% for a in items recursive -%}{% endfor %}",
            10,
            "a recursive loop is not allowed; unroll it",
        ),
        ("{% macro m(a) %}\n{{ m(a) }}{% endmacro %}", 11, "the macro 'm' may not call itself"),
        (
            "{% macro m(a) %}{% if m (a) %}{% endif %}{% endmacro %}",
            10,
            "the macro 'm' may not call itself",
        ),
        (
            "{% macro m(a) %}{% macro n() %}{{ m(1) }}{% endmacro %}{% endmacro %}",
            10,
            "the macro 'm' may not call itself",
        ),
        ("{{ " + "-" * 6000 + "1 }}", 10, "a tag is longer than 5000 characters; split it"),
        ("{{ " + "not " * 2000 + "1 }}", 10, "a tag is longer than 5000 characters; split it"),
        ("{{ text" + "|upper" * 1000 + " }}", 10, "a tag is longer than 5000 characters; split it"),
        (
            "{% if 1 %}" + "{% elif 2 %}" * 500 + "{% endif %}",
            10,
            "more than 500 elif in one if; use a list or an object",
        ),
    ],
)
def test_refused_at_load(text: str, line: int, sentence: str) -> None:
    """
    What no counter could bound is refused before it is served, with place and remedy.
    """
    with pytest.raises(CatalogError) as caught:
        render(text)
    assert str(caught.value.problems[0]) == f"greet.prompt.md:{line}: {sentence}"


@pytest.mark.parametrize(
    "text",
    [
        "{% set n = count + 1 %}" * 9,
        "{% for a in range(count + 1) %}{% endfor %}" * 9,
        "{% macro m(a) %}{% endmacro %}" + "{{ m(1 + count) }}" * 9,
        "{{ text ~ text ~ text ~ text ~ text ~ text }}",
        "{{ 'a * b ~ c + d' }}" * 9,
        "{# text * 9 #}",
        "{% raw %}{{ text * 9 }}{% endraw %}",
        "{{ count * 2 }} {{ count ** 2 }}",
        "{% macro m(a) %}m(1){% endmacro %}{{ m(1) }}",
        "{{ '" + "x" * 6000 + "' }}",
    ],
)
def test_not_refused(text: str) -> None:
    """
    Counting, output and what only looks like an operator stay allowed.
    """
    assert isinstance(render(text), str)


@pytest.mark.parametrize(
    "text",
    [
        "{% macro a(f) %}{{ f(f) }}{% endmacro %}{{ a(a) }}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{% macro a(f) %}{{ f(f) ~ f(f) }}{% endmacro %}{{ a(a) }}",
    ],
)
def test_hidden_recursion(text: str) -> None:
    """
    Recursion that the scan does not see ends at the engine's own limit.
    """
    with pytest.raises(RenderError) as caught:
        render(text)
    assert caught.value.detail == "recursion limit exceeded"


@pytest.mark.parametrize(
    "text",
    [
        "{{ namespace(a=1) }}",
        "{{ debug() }}",
        "{{ cycler('a') }}",
        "{{ joiner() }}",
        "{{ lipsum(9) }}",
        "{{ url_for('x') }}",
        "{{ request }}",
        "{{ config }}",
        "{{ environ }}",
        "{{ __builtins__ }}",
        "{{ open('/etc/passwd') }}",
    ],
)
def test_removed_globals(text: str) -> None:
    """
    There are no globals but range and dict: no accumulator, no environment, no Python.
    """
    with pytest.raises(CatalogError, match="is not an argument; declare it under 'arguments:'"):
        render(text)


@pytest.mark.parametrize("name", ["batch", "slice", "pprint", "center", "safer", "attrs", "eval"])
def test_removed_filters(name: str) -> None:
    """
    Filters that could grow a value unchecked do not exist, also where no test would reach them.
    """
    with pytest.raises(CatalogError) as caught:
        render("\n{% if flag and not flag %}{{ text|" + name + "(2) }}{% endif %}")
    assert str(caught.value.problems[0]) == f"greet.prompt.md:11: there is no filter '{name}'"


@pytest.mark.parametrize(
    "expression",
    [
        "text.__class__",
        "text['__class__']",
        "text|attr('__class__')",
        "items.__class__",
        "items.append('x')",
        "items.pop()",
        "items.__init__.__globals__",
        "facts.__class__",
        "facts['__class__']",
        "facts|attr('__class__')",
        "facts.__class__.__mro__",
        "facts.get.__self__",
        "facts.get",
        "facts.items",
        "facts.update({'k': 1})",
        "facts.clear()",
        "facts.pop('k')",
        "facts.setdefault('q', 1)",
        "text.upper()",
        "text.format(1)",
        "text.__len__()",
        "count.__class__",
        "count.real",
        "range.__globals__",
        "''.__class__.__mro__",
        "().__class__",
        "self.__init__",
        "loop.index",
    ],
)
def test_no_introspection(expression: str) -> None:
    """
    Values have no methods that change them and no way into Python.
    """
    with pytest.raises(RenderError) as caught:
        render("{{ " + expression + " }}")
    assert caught.value.reason == "template"


def test_values_are_not_changed() -> None:
    """
    What a template tries to assign into a value fails, and the value stays.
    """
    with pytest.raises(RenderError, match="an operation that these values do not allow"):
        render("{% set facts.k = 5 %}")
    assert SAMPLE_VALUES["facts"] == {"k": "v"}
