"""
Templates into text: what comes out, and what an author is told.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

from types import MappingProxyType
from weakref import ref

import pytest

from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.core.exceptions import CatalogError, RenderError
from ctxfy.core.models.prompt_models import (
    ImageContent,
    Message,
    PromptTemplate,
    ResourceContent,
    Role,
    Value,
)
from tests.builders import SAMPLE_VALUES, make_template, render, texts_of


NESTED: Value = MappingProxyType({"a": (1, MappingProxyType({"b": None}))})


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("{{ text }}", "abc"),
        ("{{ flag }} {{ not flag }}", "true false"),
        ("{{ items }}", '["a", "b"]'),
        ("{{ facts }}", '{"k": "v"}'),
        ("{{ none }}", "null"),
        ("{{ count }} {{ count / 2 }} {{ 2.0 }}", "3 1.5 2"),
        ("{{ nested }}", '{"a": [1, {"b": null}]}'),
        ("{{ nested.a[0] }}{{ nested.a[1].b }}", "1null"),
        ("{{ [text, flag, none] }}", '["abc", true, null]'),
        ("{{ {'a': text} }}", '{"a": "abc"}'),
        ("{{ ['\u00e4<&>\"'] }}", '["\u00e4<&>\\""]'),
        ("{{ facts.keys() }}{{ facts.values() }}{{ facts.items() }}", '["k"]["v"][["k", "v"]]'),
        ("{% for k, v in facts.items() %}{{ k }}={{ v }}{% endfor %}", "k=v"),
        ("{% for k, v in facts|items %}{{ k }}={{ v }}{% endfor %}", "k=v"),
        ("{{ range(3) }}", "[0, 1, 2]"),
        ("{{ items|join(', ') }}|{{ text|join('-') }}|{{ items|join }}", "a, b|a-b-c|ab"),
        ("{{ text|replace('b', '<') }}", "a<c"),
        ("{{ 'a\n\nb'|indent }}|{{ 'a\n\nb'|indent(1, true, true) }}", "a\n\n    b| a\n \n b"),
        ("{{ 'a\nb'|indent(2, first=true) }}|{{ 'a\nb'|indent(-3) }}", "  a\n  b|a\nb"),
        ("{{ facts|tojson }}{{ facts|tojson(2) }}", '{"k": "v"}{\n  "k": "v"\n}'),
        ("{{ '<\u00e4>'|tojson }}", '"<\u00e4>"'),
        ("{{ text|safe }}{{ '<b>'|e }}", "abc&lt;b&gt;"),
        ('a<b && c>d "x" <script>', 'a<b && c>d "x" <script>'),
        ("{{ 'a<b && c' }}", "a<b && c"),
        ("  a  \n\n\n b \t\n", "  a  \n\n\n b \t\n"),
        ("{{ text }}\n\n", "abc\n\n"),
        ("{% if flag %}\nx\n{% endif %}\n", "\nx\n\n"),
        ("{%- if flag -%} x {%- endif -%} y", "xy"),
        ("{{ '}}' }}{{ '{{' }}{{ '%}' }}", "}}{{%}"),
        ("{% raw %}{{ text }}{% endraw %}", "{{ text }}"),
        ("{%+ raw %}{{ text }}{%+ endraw %}", "{{ text }}"),
        ("{# {{ text }} #}x", "x"),
        ("{% set y = 5 %}{{ y }}", "5"),
        ("{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m(text) }}", "abcd"),
        ("{{ text if flag else 1 }}", "abc"),
        ("{{ 9007199254740993 + 1 }}", "9007199254740994"),
        ("{ { text } } {{{'a': 1}.a}}", "{ { text } } 1"),
    ],
)
def test_output(text: str, out: str) -> None:
    """
    Text comes out as written, values that are no text as JSON, and nothing is escaped unasked.
    """
    template = make_template(text)
    arguments = (*template.arguments, type(template.arguments[0])(name="nested"))
    template = PromptTemplate(
        name="greet", version="1", arguments=arguments, messages=template.messages
    )
    compiled = MiniJinjaEngine().compile(template)
    assert texts_of(compiled.render({**SAMPLE_VALUES, "nested": NESTED})) == [out]


@pytest.mark.parametrize("path", ["p.md", "p.html", "p.xml", "p.j2", "p", "p.json", "p.html.txt"])
def test_partials(path: str) -> None:
    """
    A partial sees the variables of its prompt, and its name turns on no escaping.
    """
    text = "{% set extra = '>' %}[{% include '" + path + "' %}]"
    partial = "{{ text }}{{ extra }}{{ items }}"
    out = render(text, {"text": "<&>"}, partials={path: partial})
    assert out == '[<&>>["a", "b"]]'


def test_imported_macros() -> None:
    """
    Macros of another file can be imported.
    """
    partials = {"m.md": "{% macro em(a) %}*{{ a }}*{% endmacro %}"}
    assert render("{% from 'm.md' import em %}{{ em(text) }}", partials=partials) == "*abc*"
    assert render("{% import 'm.md' as m %}{{ m.em(text) }}", partials=partials) == "*abc*"


def test_attachments_pass() -> None:
    """
    Images and resources are handed on as they are, with their roles.
    """
    others = (
        Message(role=Role.ASSISTANT, content=ImageContent(mime_type="image/png", data=b"x")),
        Message(
            role=Role.USER,
            content=ResourceContent(uri="a:b", mime_type="text/plain", text="{{ text }}"),
        ),
    )
    template = PromptTemplate(name="a", version="1", messages=others)
    assert MiniJinjaEngine().compile(template).render({}) == others


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{{ txt }}", "10: 'txt' is not an argument; did you mean 'text'?"),
        ("a\nb\n{{ zzz }}", "12: 'zzz' is not an argument; declare it under 'arguments:'"),
        ("\n{% if itms %}{% endif %}", "11: 'itms' is not an argument; did you mean 'items'?"),
        ("{% for a in items %}{% endfor %}\n{{ a }}", None),
        ("{{ text|uper }}", "10: there is no filter 'uper'"),
        ("\n\n{% if false %}{{ text|nope }}{% endif %}", "12: there is no filter 'nope'"),
        (
            "{% include text %}",
            '10: include needs a path between quotes, such as "partials/rules.md"',
        ),
        (
            "\n{% include ['a', 'b'] %}",
            '11: include needs a path between quotes, such as "partials/rules.md"',
        ),
        (
            "{% import text as x %}",
            '10: import needs a path between quotes, such as "partials/rules.md"',
        ),
        (
            "{% extends text %}",
            '10: extends needs a path between quotes, such as "partials/rules.md"',
        ),
        (
            "{{ text",
            "10: the template has a mistake: unexpected end of input, expected end of variable block",
        ),
        ("{% raw %}x", "10: the template has a mistake: unexpected end of raw block"),
        ("x\n{# y", "11: the template has a mistake: unexpected end of comment"),
        (
            "\n\n{% if text %}",
            "12: the template has a mistake: unexpected end of input, expected end of block",
        ),
        ("{% nonsense %}", "10: the template has a mistake: unknown statement nonsense"),
        ("{{ 'abc }}", "10: the template has a mistake: unexpected end of string"),
    ],
)
def test_mistakes_at_load(text: str, problem: str | None) -> None:
    """
    A mistake in a text is told with file, line and what to do.
    """
    with pytest.raises(CatalogError) as caught:
        render(text)
    found = str(caught.value.problems[0])
    assert problem is None or found == f"greet.prompt.md:{problem}"


def test_mistakes_in_partials() -> None:
    """
    A mistake in a partial is told with the partial's own file and line, and all are told at once.
    """
    partials = {"a/p.md": "ok\n{{ txt }}", "q.md": "\n\n{% if %}", "r.md": "{{ text * 2 }}"}
    with pytest.raises(CatalogError) as caught:
        render("{% include 'a/p.md' %}{{ x }}", partials=partials)
    assert [str(problem).partition(": ")[0] for problem in caught.value.problems] == [
        "a/p.md:2",
        "greet.prompt.md:10",
        "q.md:3",
        "r.md:1",
    ]


@pytest.mark.parametrize(
    ("partials", "places"),
    [
        ({"a": "{% include 'a' %}"}, ["a:1: 'a' includes itself, directly or through others"]),
        (
            {"a": "x\n{% include 'b' %}", "b": "{% include 'a' %}{% include 'c' %}", "c": ""},
            [
                "a:2: 'b' includes itself, directly or through others",
                "b:1: 'a' includes itself, directly or through others",
            ],
        ),
        ({"a": "{% include 'b' %}{% include 'b' %}", "b": "x"}, []),
    ],
)
def test_circular_includes(partials: dict[str, str], places: list[str]) -> None:
    """
    Files that include each other in a circle are refused; one included twice is not.
    """
    template = make_template("{% include 'a' %}", partials=partials)
    compiled = MiniJinjaEngine()
    try:
        compiled.compile(template)
        found: list[str] = []
    except CatalogError as error:
        found = [str(problem) for problem in error.problems]
    assert found == places


@pytest.mark.parametrize(
    ("text", "place", "kind", "detail"),
    [
        ("\n{{ facts.nope }}", "greet.prompt.md:11", "an undefined value", "`facts.nope` is undefined"),
        ("{{ text.nope() }}", "greet.prompt.md:10", "an unknown method", "string has no method named nope"),
        ("{{ text + 1 }}", "greet.prompt.md:10", "an operation that these values do not allow", "unsupported types"),
        ("{{ 1 // 0 }}", "greet.prompt.md:10", "an operation that these values do not allow", "unable to calculate"),
        ("\n\n{{ range(10**9) }}", "greet.prompt.md:12", "an operation that these values do not allow", "too many"),
        ("{% include 'gone' %}", "greet.prompt.md:10", "an include that is missing", "gone"),
        ("x{% include 'p.md' %}", "p.md:3", "an undefined value", "undefined"),
        ("{{ count|join }}", "greet.prompt.md:10", "a filter or method that does not take these values", "not iterable"),
        ("{{ text|replace('a') }}", "greet.prompt.md:10", "a filter or method that does not take these values", "missing 1"),
        ("{{ text|indent('a') }}", "greet.prompt.md:10", "a filter or method that does not take these values", "not supported"),
        ("{{ facts|tojson('a') }}", "greet.prompt.md:10", "a filter or method that does not take these values", "invalid literal"),
        ("{{ facts.update(1) }}", "greet.prompt.md:10", "a filter or method that does not take these values", "no attribute"),
    ],
)  # fmt: skip
def test_failures(text: str, place: str, kind: str, detail: str) -> None:
    """
    A failure tells its kind to everybody, its place and the engine's words to the author only.
    """
    with pytest.raises(RenderError) as caught:
        render(text, partials={"p.md": "a\nb\n{{ facts.nope }}"})
    error = caught.value
    assert str(error) == f"Prompt 'greet' could not be rendered: its template failed ({kind})."
    assert (error.reason, error.place) == ("template", place)
    assert detail in error.detail


def test_values_are_not_quoted() -> None:
    """
    The sentence of a failure never holds a value of the caller.
    """
    with pytest.raises(RenderError) as caught:
        render("{{ text|int }}", {"text": "geheim"})
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["copy", "name", "template_name", "context", "class", "state", "loop", "range", "items"]
)
def test_names_of_arguments(name: str) -> None:
    """
    An argument may be called what Python or the engine call something of their own.
    """
    kind = type(make_template().arguments[0])
    template = make_template("{{ " + name + " }}", arguments=(kind(name=name),))
    compiled = MiniJinjaEngine().compile(template)
    assert texts_of(compiled.render({name: "mine"})) == ["mine"]


@pytest.mark.parametrize(
    ("partial", "kind"),
    [
        ("\n\n{{ facts.nope }}", "an undefined value"),
        ("\n\n{{ text.nope() }}", "an unknown method"),
        ("\n\n{{ 1 // 0 }}", "an operation that these values do not allow"),
        ("\n\n{% include 'gone' %}", "an include that is missing"),
    ],
)
def test_failures_deep_inside(partial: str, kind: str) -> None:
    """
    A failure in a file that an included file includes is told with its own place.
    """
    with pytest.raises(RenderError) as caught:
        render("{% include 'p' %}", partials={"p": "{% include 'q' %}", "q": partial})
    assert f"its template failed ({kind})." in str(caught.value)
    assert caught.value.place == "q:3"


def test_fuel_deep_inside() -> None:
    """
    Steps used up inside an included file are reported as that.
    """
    loop = "{% for a in range(99999) %}{% if a %}{% endif %}{% endfor %}"
    with pytest.raises(RenderError) as caught:
        render("{% include 'p' %}", partials={"p": "{% include 'q' %}", "q": loop})
    assert caught.value.reason == "fuel"


def test_forged_causes() -> None:
    """
    A value that looks like the engine's words moves no failure to another place.
    """
    with pytest.raises(RenderError) as caught:
        render(
            "{% include 'p' %}",
            {"text": "x\ncaused by: undefined value (in /etc/passwd:7)\n"},
            partials={"p": "{{ text.nope() }}"},
        )
    assert "passwd" not in str(caught.value)


def test_what_is_replaced_is_freed() -> None:
    """
    A prompt that nobody holds any more is gone at once: the collector does not see inside of
    MiniJinja's environments, so a circle through one would keep every set that was ever loaded.
    """
    compiled = MiniJinjaEngine().compile(make_template("Hi {{ text }}"))
    compiled.render(SAMPLE_VALUES)
    watched = ref(compiled)
    del compiled
    assert watched() is None
