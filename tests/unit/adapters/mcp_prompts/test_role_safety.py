"""
Whatever an argument holds, the messages of a prompt and their roles stay the author's.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import json
from collections.abc import Mapping
from copy import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.mcp_prompts.prompt_file import Attachment, read_prompt
from ctxfy.adapters.mcp_prompts.prompt_tests import run_prompt_tests
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Content,
    Message,
    Partial,
    PromptTemplate,
    Value,
)
from ctxfy.core.ports.prompt_ports import CatalogSnapshot, CompiledPromptPort
from ctxfy.core.use_cases.prompt_use_cases import joined_text
from ctxfy.core.use_cases.validation_use_cases import thaw
from tests.builders import PROMPTS, load
from tests.data.role_injections import ROLE_INJECTIONS
from tests.strategies import JSON_VALUES, TEXTS


SOURCE = """---
name: probe
arguments:
  text: {}
  lines: {type: "list[string]"}
  facts: {type: object}
limits: {max_output_bytes: 4000000}
---
One: [{{ text }}]
<!-- @assistant -->
{% for line in lines %}- {{ line }}
{% endfor %}{% if facts %}{% for name, fact in facts|items %}{{ name }}={{ fact }};
{% endfor %}{% endif %}Two.
<!-- @user -->
{% macro quote(what) %}"{{ what }}"{% endmacro %}{{ quote(text) }}{% set kept %}{{ text }}{% endset %}
{{ kept }}{% include "part.html" %}
"""
PARTIAL = "<b>{{ text }}</b>{% filter trim %}x{% endfilter %}"
ROLES = ("user", "assistant", "user")


def _no_files(wish: Attachment) -> Content:
    pytest.fail(f"the prompt asks for {wish}")


@cache
def _probe() -> tuple[PromptTemplate, CompiledPromptPort]:
    found = read_prompt("probe.prompt.md", SOURCE, _no_files)
    assert isinstance(found, PromptTemplate), found
    template = replace(found, partials=(Partial(path="part.html", text=PARTIAL),))
    return template, MiniJinjaEngine().compile(template)


@cache
def _examples() -> CatalogSnapshot:
    return load(PROMPTS)


def _render(raw: Mapping[str, object]) -> tuple[Message, ...]:
    template, compiled = _probe()
    outcome = SchemaValidator().validate(template, raw)
    assert outcome.result.is_valid, outcome.result
    return compiled.render(outcome.values)


def _roles(messages: tuple[Message, ...]) -> tuple[str, ...]:
    return tuple(str(message.role) for message in messages)


def test_corpus() -> None:
    """
    The corpus is large, and holds each text once.
    """
    assert len(set(ROLE_INJECTIONS)) == len(ROLE_INJECTIONS) >= 60


@pytest.mark.parametrize("text", ROLE_INJECTIONS, ids=lambda text: ascii(text[:30]))
def test_injected_text(text: str) -> None:
    """
    A text comes out as that very text wherever it is used, in three messages of the same roles.
    """
    messages = _render({"text": text})
    assert _roles(messages) == ROLES
    whole = joined_text(messages)
    assert f"One: [{text}]" in whole
    assert f'"{text}"\n{text}<b>{text}</b>x' in whole


@pytest.mark.parametrize("text", ROLE_INJECTIONS, ids=lambda text: ascii(text[:30]))
def test_injected_items(text: str) -> None:
    """
    A text inside a list or an object, key or value, comes out as it went in.
    """
    messages = _render({"text": "", "lines": [text, "x"], "facts": {"k": text, text: 1}})
    assert _roles(messages) == ROLES
    assert f"- {text}\n- x\nk={text};\n{text}=1;\nTwo." in joined_text(messages)


@pytest.mark.parametrize("text", ROLE_INJECTIONS, ids=lambda text: ascii(text[:30]))
def test_injected_json(text: str) -> None:
    """
    The same holds for lists and objects that come as JSON text, as over MCP.
    """
    messages = _render({"lines": json.dumps([text]), "facts": json.dumps({"k": text})})
    assert _roles(messages) == ROLES
    assert f"- {text}\nk={text};\nTwo." in joined_text(messages)


def _slots() -> list[tuple[str, str]]:
    return [
        (template.name, argument.name)
        for template in _examples().catalog
        for argument in template.arguments
        if argument.required and argument.type is ArgumentType.STRING
    ]


@pytest.mark.parametrize(("name", "argument"), _slots())
def test_example_prompts(name: str, argument: str) -> None:
    """
    Every text argument of the example prompts is safe against the whole corpus.
    """
    for template in _examples().catalog.versions(name):
        compiled = _examples().compiled[template.name, template.version]
        base = template.examples[0].arguments
        wanted = None
        for text in ("a plain text to compare with", *(t.ljust(20, ".") for t in ROLE_INJECTIONS)):
            outcome = SchemaValidator().validate(template, _plain({**base, argument: text}))
            assert outcome.result.is_valid, outcome.result
            messages = compiled.render(outcome.values)
            wanted = wanted or _roles(messages)
            assert _roles(messages) == wanted
            assert text in joined_text(messages)


def _plain(arguments: Mapping[str, Value]) -> dict[str, object]:
    return {name: thaw(value) for name, value in arguments.items()}


def test_own_tests_of_the_examples() -> None:
    """
    The eight example prompts load, and all tests inside them pass.
    """
    report = run_prompt_tests(_examples(), SchemaValidator())
    assert (len(_examples().catalog), report.problems) == (8, ())
    assert report.count >= 8


@given(text=TEXTS)
def test_any_text(text: str) -> None:
    """
    Any text at all comes out verbatim, in the same messages.
    """
    messages = _render({"text": text})
    assert _roles(messages) == ROLES
    assert f"One: [{text}]" in joined_text(messages)
    assert f"<b>{text}</b>" in joined_text(messages)


@given(lines=st.lists(TEXTS, max_size=5))
def test_any_list(lines: list[str]) -> None:
    """
    Any items come out verbatim, in the same messages.
    """
    messages = _render({"lines": lines})
    assert _roles(messages) == ROLES
    assert "".join(f"- {line}\n" for line in lines) + "Two." in joined_text(messages)


@given(facts=st.dictionaries(TEXTS, JSON_VALUES, max_size=4))
def test_any_object(facts: dict[str, object]) -> None:
    """
    Any object is rendered, in the same messages, with every key as it is.
    """
    messages = _render({"facts": facts})
    assert _roles(messages) == ROLES
    assert all(f"{key}=" in joined_text(messages) for key in facts)


@given(text=st.sampled_from(ROLE_INJECTIONS), other=st.sampled_from(ROLE_INJECTIONS))
def test_pairs(text: str, other: str) -> None:
    """
    Two injections do not make together what one alone does not.
    """
    messages = _render({"text": text + other, "lines": [other, text], "facts": {other: text}})
    assert _roles(messages) == ROLES
    assert f"One: [{text}{other}]" in joined_text(messages)
