"""
The rules about arguments that need no library.
"""

from copy import replace
from types import MappingProxyType

import pytest
from hypothesis import given

from ctxfy.core.models.prompt_models import ArgumentType, PromptArgument, Value
from ctxfy.core.models.validation_models import ErrorCode, ValidationError
from ctxfy.core.use_cases.validation_use_cases import (
    absent_value,
    describe_argument,
    did_you_mean,
    explain_mistake,
    freeze,
    given_arguments,
    in_order,
    limits_of,
    plural,
    shorten,
    show_value,
    split_list,
    thaw,
    type_name,
    unknown_argument,
)
from tests.strategies import JSON_VALUES


A = PromptArgument(name="a")
LIST = replace(A, type=ArgumentType.LIST, items=ArgumentType.STRING)
DATE = {"type": "string", "format": "date"}
DATE_TEXT = '{"type": "string", "format": "date"}'
NUMBER = replace(A, type=ArgumentType.NUMBER)


@given(value=JSON_VALUES)
def test_freeze_and_thaw(value: object) -> None:
    """
    Freezing and thawing give the same JSON data back.
    """
    assert thaw(freeze(value)) == value


def test_frozen_values() -> None:
    """
    What is frozen cannot be changed, at any depth.
    """
    frozen = freeze({"a": [1, {"b": [2]}]})
    assert isinstance(frozen, MappingProxyType)
    assert frozen["a"] == (1, MappingProxyType({"b": (2,)}))


@pytest.mark.parametrize(
    ("value", "kind"),
    [({1, 2}, "set"), (b"x", "bytes"), (bytearray(), "bytearray"), (1j, "complex")],
)
def test_freeze_refuses(value: object, kind: str) -> None:
    """
    What is no JSON data is refused by its type.
    """
    with pytest.raises(TypeError, match=f"{kind} is no JSON data"):
        freeze([value])


def test_given_arguments() -> None:
    """
    Null and the empty text are absent for optional arguments, and given for all others.
    """
    arguments = (A, PromptArgument(name="b", required=True))
    raw = {"a": "", "b": "", "c": ""}
    assert given_arguments(arguments, raw) == {"b": "", "c": ""}
    assert given_arguments(arguments, {"a": None, "b": None}) == {"b": None}
    kept: dict[str, object] = {"a": 0, "b": False}
    assert given_arguments(arguments, kept) == kept
    assert given_arguments(arguments, {"a": " "}) == {"a": " "}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        (A, ""),
        (NUMBER, ""),
        (LIST, ()),
        (replace(A, type=ArgumentType.OBJECT), {}),
        (replace(A, default="x"), "x"),
        (replace(A, default=False), False),
        (replace(LIST, default=("x",)), ("x",)),
    ],
)
def test_absent_value(argument: PromptArgument, value: object) -> None:
    """
    An absent argument is its default, or something empty of its kind.
    """
    assert absent_value(argument) == value


@pytest.mark.parametrize(
    ("code", "argument", "sentence"),
    [
        (ErrorCode.MISSING, A, "Argument 'a' is required."),
        (
            ErrorCode.INVALID_CHOICE,
            replace(A, choices=("x", "y")),
            "Argument 'a' must be one of: x, y.",
        ),
        (ErrorCode.TOO_LONG, replace(A, max_length=5), "Argument 'a' has more than 5 characters."),
        (ErrorCode.TOO_SHORT, replace(LIST, min_length=2), "Argument 'a' has fewer than 2 items."),
        (ErrorCode.PATTERN, replace(A, pattern="^x$"), "Argument 'a' must match the pattern ^x$."),
        (ErrorCode.OUT_OF_RANGE, replace(NUMBER, minimum=1), "Argument 'a' must be at least 1."),
        (ErrorCode.OUT_OF_RANGE, replace(NUMBER, maximum=2.5), "Argument 'a' must be at most 2.5."),
        (
            ErrorCode.OUT_OF_RANGE,
            replace(NUMBER, minimum=0, maximum=1234567),
            "Argument 'a' must be from 0 to 1234567.",
        ),
        (ErrorCode.WRONG_TYPE, A, "Argument 'a' must be a text."),
        (ErrorCode.WRONG_TYPE, NUMBER, "Argument 'a' must be a finite number, such as 2.5."),
        (
            ErrorCode.WRONG_TYPE,
            LIST,
            'Argument \'a\' must be a list: items between commas, or JSON such as ["a", "b"].',
        ),
        (
            ErrorCode.INVALID_TEXT,
            A,
            "Argument 'a' is not valid text: it holds half a character (surrogate).",
        ),
    ],
)
def test_explain_mistake(code: ErrorCode, argument: PromptArgument, sentence: str) -> None:
    """
    Each mistake has its sentence, with limits as their author wrote them.
    """
    assert explain_mistake(argument, code) == sentence


def test_a_schema_explains_what_it_wants() -> None:
    """
    What only a schema can tell is told by it, cut short if it is long.
    """
    day = replace(A, type=ArgumentType.ANY, schema=DATE)
    long = replace(A, type=ArgumentType.ANY, schema={"enum": ("x" * 40,) * 40})
    assert explain_mistake(day, ErrorCode.WRONG_TYPE) == (
        f"Argument 'a' must be as its JSON Schema says: {DATE_TEXT}."
    )
    assert len(explain_mistake(long, ErrorCode.WRONG_TYPE)) < 600


def test_mistakes_stand_in_the_order_of_the_arguments() -> None:
    """
    Those of arguments that nobody declared come last, as they came.
    """
    names = ["zzz", "b", "yyy", "a"]
    errors = [ValidationError(field=name, message="m", code=ErrorCode.MISSING) for name in names]
    ordered = in_order((A, replace(A, name="b")), errors)
    assert [error.field for error in ordered] == ["a", "b", "zzz", "yyy"]


@pytest.mark.parametrize("kind", ArgumentType)
def test_every_type_is_explained(kind: ArgumentType) -> None:
    """
    A wrong type is explained for every type there is.
    """
    sentence = explain_mistake(replace(A, type=kind), ErrorCode.WRONG_TYPE)
    assert sentence.startswith("Argument 'a' must be ")


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        (
            "langage",
            ("language", "code"),
            "There is no argument 'langage'. Did you mean 'language'?",
        ),
        ("zzz", ("language", "code"), "There is no argument 'zzz'. It takes: language, code."),
        ("zzz", (), "There is no argument 'zzz'. It takes none."),
        ("a\nb\u202e", (), "There is no argument 'a\ufffdb\ufffd'. It takes none."),
        ("x" * 500, (), f"There is no argument '{'x' * 63}\u2026'. It takes none."),
    ],
)
def test_unknown_argument(name: str, known: tuple[str, ...], message: str) -> None:
    """
    An unknown argument is named, printable and short, with the nearest known one.
    """
    error = unknown_argument(name, known)
    assert (error.message, error.code) == (message, ErrorCode.UNKNOWN)
    assert error.field == shorten(name)


@pytest.mark.parametrize(("count", "text"), [(0, "0 prompts"), (1, "1 prompt"), (2, "2 prompts")])
def test_plural(count: int, text: str) -> None:
    """
    One thing is named in the singular, any other number in the plural.
    """
    assert plural(count, "prompt") == text


def test_did_you_mean() -> None:
    """
    Only a near word is asked back for.
    """
    assert did_you_mean("verson", ["version", "title"]) == "did you mean 'version'?"
    assert did_you_mean("x", ["version"]) is None


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        (",a,,b,", ["a", "b"]),
        ('["a, b", 1]', ["a, b", 1]),
        (" [] ", []),
        ("a [b], c", ["a [b]", "c"]),
        ("{}", ["{}"]),
        ("a\nb", ["a\nb"]),
    ],
)
def test_split_list(text: str, items: list[object]) -> None:
    """
    A list is JSON, or items between commas.
    """
    assert split_list(text) == items


@pytest.mark.parametrize("text", ["[", "[a]", "[1,]", "[1] x", '["a"'])
def test_split_list_refuses(text: str) -> None:
    """
    What begins like JSON and is none is refused, not guessed at.
    """
    with pytest.raises(ValueError, match=r".*"):
        split_list(text)


@pytest.mark.parametrize(
    ("argument", "written"),
    [
        (A, "string"),
        (LIST, "list[string]"),
        (replace(LIST, items=ArgumentType.INTEGER), "list[integer]"),
        (replace(LIST, items=None), "list[string]"),
        (replace(A, type=ArgumentType.ENUM), "enum"),
    ],
)
def test_type_name(argument: PromptArgument, written: str) -> None:
    """
    A type is written as its author would.
    """
    assert type_name(argument) == written


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        (A, ""),
        (replace(A, description=" Help. "), "Help."),
        (replace(A, description="Help", choices=("x", "y")), "Help (one of: x, y)"),
        (replace(LIST, choices=("x", "y")), "one or more of: x, y"),
        (replace(LIST, default=()), "a list: items between commas, or JSON"),
        (replace(NUMBER, minimum=40, maximum=100), "a number; from 40 to 100"),
        (replace(NUMBER, maximum=2_000_000), "a number; at most 2000000"),
        (
            replace(A, type=ArgumentType.BOOLEAN, default=False),
            "true or false; default: false",
        ),
        (replace(A, description="H", default="x", example="y"), "H (default: x; example: y)"),
        (replace(LIST, example=("a", "b")), "a list: items between commas, or JSON; example: a, b"),
        (replace(A, type=ArgumentType.ENUM), "enum"),
        (replace(A, type=ArgumentType.ANY, schema=DATE), f"as this JSON Schema says: {DATE_TEXT}"),
        (replace(A, type=ArgumentType.ANY, schema={}), "text or JSON"),
    ],
)
def test_describe_argument(argument: PromptArgument, text: str) -> None:
    """
    A description holds what MCP has no field for, and nothing that is empty.
    """
    assert describe_argument(argument) == text


@pytest.mark.parametrize(
    ("argument", "limits"),
    [
        (A, ()),
        (replace(A, max_length=40), ("at most 40 characters",)),
        (replace(A, min_length=1), ("at least 1 character",)),
        (replace(LIST, min_length=2, max_length=3), ("2 to 3 items",)),
        (replace(NUMBER, minimum=0), ("at least 0",)),
        (replace(NUMBER, maximum=0.5), ("at most 0.5",)),
        (
            replace(NUMBER, minimum=1, maximum=9, max_length=2),
            ("from 1 to 9", "at most 2 characters"),
        ),
    ],
)
def test_limits_of(argument: PromptArgument, limits: tuple[str, ...]) -> None:
    """
    Ranges and lengths are told in words, one part for each.
    """
    assert limits_of(argument) == limits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (None, "null"),
        (1, "1"),
        (1.5, "1.5"),
        (("a", "b"), "a, b"),
        (("a, b",), '["a, b"]'),
        ((1, 2), "[1, 2]"),
        ((), ""),
        (MappingProxyType({"ä": (1,)}), '{"ä": [1]}'),
    ],
)
def test_show_value(value: Value, text: str) -> None:
    """
    A value is written as one would type it into a form.
    """
    assert show_value(value) == text
