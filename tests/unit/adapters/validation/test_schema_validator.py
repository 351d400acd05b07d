"""
Arguments into values, or into everything that is wrong with them.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxfy.adapters.validation.argument_plan import ArgumentLimits
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, PromptTemplate
from ctxfy.core.models.validation_models import ErrorCode
from ctxfy.core.use_cases.validation_use_cases import thaw
from tests.strategies import JSON_VALUES, TEXTS
from tests.unit.adapters.validation.validation_kit import (
    KINDS,
    VALIDATOR,
    make_argument,
    template_of,
)


def _value(kind: str, raw: object) -> object:
    outcome = VALIDATOR.validate(template_of(make_argument(kind)), {"a": raw})
    assert outcome.result.is_valid, outcome.result
    return thaw(outcome.values["a"])


def _codes(template: PromptTemplate, raw: dict[str, object]) -> list[tuple[str, str]]:
    outcome = VALIDATOR.validate(template, raw)
    assert not outcome.result.errors or outcome.values == {}
    return [(error.field, str(error.code)) for error in outcome.result.errors]


def _label(value: object) -> str:
    return f"{ascii(value)[:30]} of {len(str(value))}"


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("string", "abc", "abc"),
        ("string", "  abc\n", "  abc\n"),
        ("string", "\x00\u202e", "\x00\u202e"),
        ("string", "5", "5"),
        ("integer", "5", 5),
        ("integer", " +5 ", 5),
        ("integer", "-007", -7),
        ("integer", 5, 5),
        ("integer", 5.0, 5),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", -(2**63) + 1, -(2**63) + 1),
        ("number", "2.5", 2.5),
        ("number", "-.5", -0.5),
        ("number", "1.", 1.0),
        ("number", "1e5", 1e5),
        ("number", 3, 3.0),
        ("number", 3.5, 3.5),
        ("boolean", "true", True),
        ("boolean", " TRUE ", True),
        ("boolean", "yes", True),
        ("boolean", "on", True),
        ("boolean", "1", True),
        ("boolean", "False", False),
        ("boolean", "no", False),
        ("boolean", "off", False),
        ("boolean", "0", False),
        ("boolean", True, True),
        ("enum", "x", "x"),
        ("object", '{"a": [1, null]}', {"a": [1, None]}),
        ("object", {"a": {"b": 1.5}}, {"a": {"b": 1.5}}),
        ("object", " {} ", {}),
        ("object", '{"a": 1, "a": 2}', {"a": 2}),
        ("list[string]", "a, b", ["a", "b"]),
        ("list[string]", '["a, b", ""]', ["a, b", ""]),
        ("list[string]", ["a", "b"], ["a", "b"]),
        ("list[string]", [], []),
        ("list[string]", "[]", []),
        ("list[string]", " , ", []),
        ("list[integer]", "1, 2", [1, 2]),
        ("list[integer]", '[1, "2"]', [1, 2]),
        ("list[number]", "1, .5", [1.0, 0.5]),
        ("list[boolean]", "yes, no, 1", [True, False, True]),
    ],
    ids=_label,
)  # fmt: skip
def test_values(kind: str, raw: object, value: object) -> None:
    """
    Each type is read from text and from JSON.
    """
    read = _value(kind, raw)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "raw", "code"),
    [
        ("string", 5, "wrong_type"),
        ("string", ["a"], "wrong_type"),
        ("string", True, "wrong_type"),
        ("string", "\ud800", "invalid_text"),
        ("string", "a\udfffb", "invalid_text"),
        ("integer", "x", "wrong_type"),
        ("integer", "1.5", "wrong_type"),
        ("integer", 1.5, "wrong_type"),
        ("integer", True, "wrong_type"),
        ("integer", "1_000", "wrong_type"),
        ("integer", "0x10", "wrong_type"),
        ("integer", "\u0663", "wrong_type"),
        ("integer", "1 2", "wrong_type"),
        ("integer", "9223372036854775808", "wrong_type"),
        ("integer", "9" * 5000, "wrong_type"),
        ("integer", 10**400, "wrong_type"),
        ("integer", 1e300, "wrong_type"),
        ("integer", float("inf"), "wrong_type"),
        ("integer", [1], "wrong_type"),
        ("number", "nan", "wrong_type"),
        ("number", "inf", "wrong_type"),
        ("number", "-Infinity", "wrong_type"),
        ("number", float("nan"), "wrong_type"),
        ("number", "1e999", "wrong_type"),
        ("number", 10**400, "wrong_type"),
        ("number", "1,5", "wrong_type"),
        ("number", "0x1p3", "wrong_type"),
        ("number", "1_0", "wrong_type"),
        ("number", "", None),
        ("number", ".", "wrong_type"),
        ("number", True, "wrong_type"),
        ("boolean", "maybe", "wrong_type"),
        ("boolean", 1, "wrong_type"),
        ("boolean", "2", "wrong_type"),
        ("enum", "z", "invalid_choice"),
        ("enum", "X", "invalid_choice"),
        ("enum", "x ", "invalid_choice"),
        ("enum", ["x"], "invalid_choice"),
        ("enum", {"x": 1}, "invalid_choice"),
        ("enum", 1, "invalid_choice"),
        ("object", "[1]", "wrong_type"),
        ("object", "x", "wrong_type"),
        ("object", "{", "wrong_type"),
        ("object", '{"a": NaN}', "wrong_type"),
        ("object", '{"a": 1e999}', "wrong_type"),
        ("object", {"a": float("nan")}, "wrong_type"),
        ("object", '{"a": ' + "9" * 5000 + "}", "wrong_type"),
        ("object", '{"a": "\\ud800"}', "invalid_text"),
        ("object", '{"\\udc00": 1}', "invalid_text"),
        ("object", {"a": ["\ud800"]}, "invalid_text"),
        ("object", '{"a":' * 200 + "1" + "}" * 200, "wrong_type"),
        ("object", '{"a":' * 5000 + "1" + "}" * 5000, "wrong_type"),
        ("object", '{"a":' * 100_000, "wrong_type"),
        ("object", [], "wrong_type"),
        ("list[string]", "[1]", "wrong_type"),
        ("list[string]", "[", "wrong_type"),
        ("list[string]", "[" * 100_000, "wrong_type"),
        ("list[string]", '["\\ud800"]', "invalid_text"),
        ("list[string]", [None], "wrong_type"),
        ("list[string]", [["a"]], "wrong_type"),
        ("list[string]", {"a": 1}, "wrong_type"),
        ("list[string]", 5, "wrong_type"),
        ("list[integer]", "1, x", "wrong_type"),
        ("list[number]", "[1e999]", "wrong_type"),
        ("list[number]", "[" + "9" * 400 + "]", "wrong_type"),
        ("list[boolean]", "yes, perhaps", "wrong_type"),
    ],
    ids=_label,
)  # fmt: skip
def test_refused(kind: str, raw: object, code: str | None) -> None:
    """
    What is not of the type is refused with one code, and never with an exception.
    """
    assert _codes(template_of(make_argument(kind)), {"a": raw}) == ([("a", code)] if code else [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", ["", None])
def test_absent(kind: str, raw: object) -> None:
    """
    Null and the empty text are absent for an optional argument of any type.
    """
    outcome = VALIDATOR.validate(template_of(make_argument(kind)), {"a": raw})
    without = VALIDATOR.validate(template_of(make_argument(kind)), {})
    assert outcome == without
    assert outcome.result.is_valid


@pytest.mark.parametrize("kind", KINDS)
def test_missing(kind: str) -> None:
    """
    A required argument of any type is missed.
    """
    assert _codes(template_of(make_argument(kind, required=True)), {}) == [("a", "missing")]


@pytest.mark.parametrize(
    ("argument", "raw", "code"),
    [
        (PromptArgument(name="a", max_length=3), "abcd", "too_long"),
        (PromptArgument(name="a", max_length=3), "\U0001f469\U0001f4bb\u20ac", None),
        (PromptArgument(name="a", min_length=3), "ab", "too_short"),
        (PromptArgument(name="a", min_length=1, required=True), "", "too_short"),
        (PromptArgument(name="a", pattern="^[a-z]+$"), "A", "pattern"),
        (PromptArgument(name="a", pattern="^[a-z]+$"), "a\n", "pattern"),
        (PromptArgument(name="a", pattern="b"), "abc", None),
        (PromptArgument(name="a", pattern="^(a+)+$"), "a" * 50_000 + "!", "pattern"),
        (PromptArgument(name="a", type=ArgumentType.INTEGER, minimum=1), "0", "out_of_range"),
        (PromptArgument(name="a", type=ArgumentType.INTEGER, maximum=5), "6", "out_of_range"),
        (PromptArgument(name="a", type=ArgumentType.NUMBER, minimum=1.5), 1.4, "out_of_range"),
        (PromptArgument(name="a", type=ArgumentType.LIST, max_length=1), "a, b", "too_long"),
        (PromptArgument(name="a", type=ArgumentType.LIST, min_length=1), [], "too_short"),
        (PromptArgument(name="a", type=ArgumentType.LIST, max_length=1), "abcdef", None),
        (PromptArgument(name="a", type=ArgumentType.LIST, choices=("x", "y")), "x, y", None),
        (PromptArgument(name="a", type=ArgumentType.LIST, choices=("x", "y")), "x, z, q", "invalid_choice"),
    ],
)  # fmt: skip
def test_limits(argument: PromptArgument, raw: object, code: str | None) -> None:
    """
    Lengths, patterns, ranges and choices each have their code, once per argument.
    """
    assert _codes(template_of(argument), {"a": raw}) == ([("a", code)] if code else [])


def test_all_at_once() -> None:
    """
    Every mistake is reported, in the order of the declared arguments, unknown ones last.
    """
    template = template_of(
        make_argument("string", name="a", required=True),
        make_argument("integer", name="b"),
        make_argument("string", name="c"),
        make_argument("enum", name="d"),
        make_argument("string", name="e"),
    )
    raw: dict[str, object] = {"zz": 1, "d": "q", "c": "\ud800", "b": "x", "yy": "\ud800", "e": 5}
    assert _codes(template, raw) == [
        ("a", "missing"),
        ("b", "wrong_type"),
        ("c", "invalid_text"),
        ("d", "invalid_choice"),
        ("e", "wrong_type"),
        ("zz", "unknown"),
        ("yy", "unknown"),
    ]


def test_every_code_is_reachable() -> None:
    """
    The closed list of codes holds what is used; the tests above reach all of them.
    """
    assert {str(code) for code in ErrorCode} == {"missing", "unknown", "wrong_type", "invalid_choice", "too_long", "too_short", "pattern", "out_of_range", "invalid_text"}  # fmt: skip


def test_bytes() -> None:
    """
    Bytes are limited for one argument and for all together, and only known names are quoted.
    """
    validator = SchemaValidator(ArgumentLimits(argument_bytes=10, total_bytes=15))
    template = template_of(make_argument("string", name="a"), make_argument("string", name="b"))
    for raw, messages in [
        ({"a": "\u20ac" * 3}, []),
        ({"a": "\u20ac" * 4}, ["Argument 'a' is larger than 10 bytes; shorten it."]),
        ({"a": "x" * 8, "b": "y" * 8}, ["The arguments together are larger than 15 bytes; shorten them."]),
        ({"q": "x" * 11}, ["There is no argument 'q'. It takes: a, b."]),
    ]:  # fmt: skip
        errors = validator.validate(template, raw).result.errors
        assert [error.message for error in errors] == messages


def test_many_unknown() -> None:
    """
    Of very many unknown arguments only some are reported, however long their names.
    """
    raw: dict[str, object] = {f"{'n' * 50_000}{index}": 1 for index in range(50)}
    errors = VALIDATOR.validate(template_of(make_argument("string")), raw).result.errors
    assert len(errors) == 20
    assert all(len(error.message) < 200 for error in errors)


@pytest.mark.parametrize(
    "name",
    ["copy", "model_config", "model_fields", "self", "class", "schema", "json", "dict", "a0", "validate", "cls", "kwargs", "construct", "import", "title", "type", "default"],
)  # fmt: skip
def test_names(name: str) -> None:
    """
    An argument may be called what Python or pydantic call something of their own.
    """
    template = template_of(
        make_argument("string", name="a0b"), make_argument("integer", name=name, required=True)
    )
    outcome = VALIDATOR.validate(template, {name: "5"})
    assert outcome.values == {"a0b": "", name: 5}
    schema = VALIDATOR.json_schema(template)
    assert schema["required"] == [name]
    assert _codes(template, {name: "x"}) == [(name, "wrong_type")]


def test_no_value_in_messages() -> None:
    """
    A message never holds what was given.
    """
    for kind in KINDS:
        errors = VALIDATOR.validate(
            template_of(make_argument(kind)), {"a": {"geheim": "geheim"}}
        ).result.errors
        assert "geheim" not in str(errors)


@given(
    raw=st.dictionaries(st.sampled_from("abcde") | TEXTS, JSON_VALUES, max_size=4),
    kind=st.sampled_from(sorted(KINDS)),
)
def test_any_arguments(raw: dict[str, object], kind: str) -> None:
    """
    Any JSON is either taken or refused with mistakes, and the outcome is the same twice.
    """
    template = template_of(make_argument(kind), make_argument("string", name="b", required=True))
    first = VALIDATOR.validate(template, raw)
    assert first == VALIDATOR.validate(template, raw)
    assert bool(first.values) == first.result.is_valid


def test_too_many_arguments_are_one_mistake() -> None:
    """
    Nothing else is looked at, not even the name of the first.
    """
    validator = SchemaValidator(ArgumentLimits(count=2))
    template = template_of(make_argument("string", name="a"))
    fits = validator.validate(template, {"a": "1", "b": "2"})
    beyond = validator.validate(template, {"a": "1", "b": "2", "c": "3"})
    assert [error.field for error in fits.result.errors] == ["b"]
    assert [(error.field, error.message) for error in beyond.result.errors] == [
        ("", "More than 2 arguments were given.")
    ]
    assert beyond.values == {}
