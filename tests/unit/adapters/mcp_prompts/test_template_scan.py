"""
What the scan sees of a template, however it is written.
"""

from contextlib import suppress

import pytest
from hypothesis import example, given
from minijinja import Environment, TemplateError

from ctxfy.adapters.mcp_prompts.template_scan import scan_template
from tests.strategies import TEMPLATES, TEXTS


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("{% include 'a' %}", ["a"]),
        ('{%include "a/b.md"%}', ["a/b.md"]),
        ("{%- include 'a' -%}", ["a"]),
        ("{%+ include 'a' +%}", ["a"]),
        ("{%\n include\t'a' ignore missing\n%}", ["a"]),
        ("{% import 'a' as x %}{% from 'b' import y %}{% extends 'c' %}", ["a", "b", "c"]),
        ("{# {% include 'a' %} #}{% include 'b' %}", ["b"]),
        ("{% raw %}{% include 'a' %}{% endraw %}{% include 'b' %}", ["b"]),
        ("{%- raw -%}{% include 'a' %}{%- endraw -%}{% include 'b' %}", ["b"]),
        ("{%+raw+%}{% include 'a' %}{%+endraw+%}{% include 'b' %}", ["b"]),
        ("{{ '{% include \\'a\\' %}' }}{% include 'b' %}", ["b"]),
        ("{{ '}}' }}{% include 'b' %}", ["b"]),
        ('{{ "}}" ~ \'"\' }}{% include "b" %}', ["b"]),
        ("{% set x = '%}' %}{% include 'b' %}", ["b"]),
        ("{{ {'a': {'b': 1}} }}{% include 'b' %}", ["b"]),
        ("{{ {'a': {'b': '}}'}}.a }}{% include 'b' %}", ["b"]),
        ("{{{'a': 1}}}{% include 'b' %}", ["b"]),
        ("{{ 'it\\'s' }}{% include 'b' %}", ["b"]),
        ("{# '#}{% include 'b' %}{# ' #}", ["b"]),
        ("it's {% include 'b' %}", ["b"]),
        ("{ % include 'a' %}{ { }}{% include 'b' %}", ["b"]),
        ("{{ include }}", []),
        ("{% includes 'a' %}", []),
        ("{% include a %}", []),
        ("{% include 'a", []),
        ("{{ 'a", []),
        ("{# {% include 'a' %}", []),
        ("{% raw %}{% include 'a' %}", []),
    ],
)
def test_includes(source: str, paths: list[str]) -> None:
    """
    Includes are found where MiniJinja would see them, and nowhere else.
    """
    assert [include.path for include in scan_template(source).includes] == paths


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("{% include 'a' %}\n{% include 'a' %}\n\n{% include 'a' %}", [1, 2, 4]),
        ("{#\n\n#}{% include 'a' %}", [3]),
        ("{% raw %}\n{% endraw %}{% include 'a' %}", [2]),
        ("{{ 'a\nb' }}{% include 'a' %}", [2]),
        ("{%\n\n include 'a' %}{% include 'a' %}", [1, 3]),
    ],
)
def test_lines(source: str, lines: list[int]) -> None:
    """
    A tag's line is the one it begins on, whatever stands before it.
    """
    assert [include.line for include in scan_template(source).includes] == lines


@pytest.mark.parametrize(
    ("source", "repeated"),
    [
        ("{% include 'a' %}", False),
        ("{% for x in y %}{% include 'a' %}{% endfor %}", True),
        ("{% for x in y %}{% endfor %}{% include 'a' %}", False),
        ("{% macro m() %}{% include 'a' %}{% endmacro %}", True),
        ("{% call m() %}{% include 'a' %}{% endcall %}", True),
        ("{% block b %}{% include 'a' %}{% endblock %}", True),
        ("{%- for x in y %}{% if x %}{%- include 'a' %}{% endif %}{% endfor -%}", True),
        ("{{ for }}{% include 'a' %}", False),
    ],
)
def test_repeated_includes(source: str, repeated: bool) -> None:
    """
    It is known whether an include stands where it can run more than once.
    """
    assert [include.repeated for include in scan_template(source).includes] == [repeated]


@pytest.mark.parametrize(
    ("source", "literal", "in_loop"),
    [
        ("", 0, 0),
        ("abc", 3, 0),
        ("\u20ac", 3, 0),
        ("abc{{ x }}abcde", 5, 0),
        ("abc{% for x in y %}ab{% endfor %}", 3, 2),
        ("{% raw %}{{ }}{% endraw %}", 5, 0),
        ("{% for x in y %}{% raw %}{{ }}{% endraw %}{% endfor %}", 5, 5),
        ("{# a long comment #}", 0, 0),
        ("{{ 'a long text' }}", 0, 0),
    ],
)
def test_literals(source: str, literal: int, in_loop: int) -> None:
    """
    The longest literal text is measured in bytes, and apart where it can be repeated.
    """
    facts = scan_template(source)
    assert (facts.literal, facts.loop_literal) == (literal, in_loop)


@pytest.mark.parametrize(
    ("source", "filters"),
    [
        ("{{ a|b }}", [("b", 1)]),
        ("{{ a | b | c(1) }}\n{% if a|d %}", [("b", 1), ("c", 1), ("d", 2)]),
        ("{{ 'a|b' }}{# a|b #}{% raw %}{{ a|b }}{% endraw %}a|b", []),
        ("{% filter b|c %}{% endfilter %}", [("c", 1)]),
        ("{% set x | b %}{% endset %}", [("b", 1)]),
    ],
)
def test_filters(source: str, filters: list[tuple[str, int]]) -> None:
    """
    Filters are found in tags, not in texts.
    """
    assert list(scan_template(source).filters) == filters


def test_assigned() -> None:
    """
    Names that a template gives values to are known.
    """
    source = (
        "{% set a, b = 1 %}{% for c in d %}{% with e = 1 %}{% macro f(g) %}{% from 'x' import h %}"
    )
    assert {"a", "b", "c", "e", "f", "g", "h"} <= scan_template(source).assigned
    assert "z" not in scan_template("{{ z }}").assigned


@given(source=TEMPLATES)
@example(source="{{ '" + "\\'" * 50_000)
@example(source="{{ " + "\\'" * 50_000)
@example(source="{% raw %}" * 10_000)
@example(source="{%" + " " * 100_000)
@example(source="{{x}}\n" * 20_000)
@example(source="{{ " + "a(" * 50_000)
@example(source="{% macro m() %}" * 5_000)
@example(source="{{ '' * " * 10_000)
@example(source="{#" * 50_000)
@example(source="{" * 100_000)
@example(source="{% set " + "x ~ " * 25_000 + "%}")
def test_any_template(source: str) -> None:
    """
    No text makes the scan raise or hang, and what it tells lies within the text.
    """
    facts = scan_template(source, ["text", "x"])
    last = source.count("\n") + 1
    assert facts.loop_literal <= facts.literal <= len(source.encode())
    assert all(1 <= line <= last for line, _ in facts.refusals)
    assert all(1 <= include.line <= last for include in facts.includes)


@given(text=TEXTS.filter(lambda text: "{" not in text))
def test_plain_text(text: str) -> None:
    """
    Text without tags is one literal and nothing else.
    """
    facts = scan_template(text, ["x"])
    assert facts.literal == len(text.encode())
    assert (*facts.includes, *facts.filters, *facts.refusals, *facts.assigned) == ()


@given(source=TEMPLATES)
def test_agrees_with_the_engine(source: str) -> None:
    """
    Where MiniJinja reads a template, the scan sees every include that it would run, or refuses it.
    """
    asked: list[str] = []

    def note(name: str, _parent: str) -> str:
        asked.append(name)
        return name

    environment = Environment(path_join_callback=note, fuel=5_000)
    with suppress(TemplateError):
        environment.render_str(source, "t", text="x", x="x", y=["y"], m=lambda *_: "")
    facts = scan_template(source)
    refused = any("include needs a path" in reason for _, reason in facts.refusals)
    assert refused or set(asked) - {"x"} <= {include.path for include in facts.includes}
