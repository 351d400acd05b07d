"""
Which prompts a caller sees, what completion offers, and whether a prompt's own tests pass.
"""

from types import MappingProxyType

import pytest

from ctxfy.core.models.auth_models import Scope
from ctxfy.core.models.catalog_models import Catalog
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Expectation,
    ExpectedError,
    ImageContent,
    Message,
    PromptArgument,
    PromptTemplate,
    ResourceContent,
    Role,
    TextContent,
)
from ctxfy.core.models.validation_models import ErrorCode, ValidationError, ValidationResult
from ctxfy.core.use_cases.prompt_use_cases import (
    assess_refusal,
    assess_rendering,
    complete_argument,
    count_labels,
    filter_prompts,
    find_visible,
    find_visible_resource,
    joined_text,
    list_visible,
    list_visible_resources,
)
from tests.builders import make_principal, make_template


CATALOG = Catalog(
    [
        make_template("x", name="code-review", version="1"),
        make_template("x", name="code-review", version="2"),
        make_template("x", name="code-write", scope=Scope.WRITE),
        make_template("x", name="payroll", scope=Scope.ADMIN),
        make_template("x", name="mixed", version="1"),
        make_template("x", name="mixed", version="2", scope=Scope.ADMIN),
    ]
)


@pytest.mark.parametrize(
    ("scope", "globs", "names"),
    [
        (Scope.READ, ("*",), ["code-review", "mixed"][:1]),
        (Scope.WRITE, ("*",), ["code-review", "code-write"]),
        (Scope.ADMIN, ("*",), ["code-review", "code-write", "mixed", "payroll"]),
        (Scope.ADMIN, ("code-*",), ["code-review", "code-write"]),
        (Scope.READ, ("code-*",), ["code-review"]),
        (Scope.ADMIN, ("nothing",), []),
        (Scope.ADMIN, (), []),
    ],
)
def test_list_visible(scope: Scope, globs: tuple[str, ...], names: list[str]) -> None:
    """
    A list holds only what the caller may use.
    """
    found = list_visible(CATALOG, make_principal(scope, globs))
    assert [item.name for item in found] == names


@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("globs", [("*",), ("code-*",), ("payroll",), ()])
@pytest.mark.parametrize("name", ["code-review", "code-write", "payroll", "unheard-of"])
def test_find_agrees_with_list(scope: Scope, globs: tuple[str, ...], name: str) -> None:
    """
    What is not listed cannot be found either, as if it did not exist.
    """
    who = make_principal(scope, globs)
    listed = {item.name for item in list_visible(CATALOG, who)}
    assert (find_visible(CATALOG, who, name) is not None) == (name in listed)


def test_find_visible_version() -> None:
    """
    An older version is found by its number, and judged by its own scope.
    """
    who = make_principal(Scope.READ)
    found = find_visible(CATALOG, who, "mixed", "1")
    assert found is not None
    assert found.version == "1"
    assert find_visible(CATALOG, who, "mixed", "2") is None
    assert find_visible(CATALOG, who, "mixed", "3") is None


COMPLETING = make_template(
    "x",
    arguments=(
        PromptArgument(
            name="lang", type=ArgumentType.ENUM, choices=("python", "Perl", "typescript", "go")
        ),
        PromptArgument(
            name="topics",
            type=ArgumentType.LIST,
            items=ArgumentType.STRING,
            complete=("bugs", "security", "bug hunts"),
        ),
        PromptArgument(name="strict", type=ArgumentType.BOOLEAN),
        PromptArgument(name="free"),
        PromptArgument(name="both", choices=("a", "b"), complete=("b", "c")),
    ),
)


@pytest.mark.parametrize(
    ("argument", "typed", "offers"),
    [
        ("lang", "", ("python", "Perl", "typescript", "go")),
        ("lang", "p", ("python", "Perl", "typescript")),
        ("lang", "PER", ("Perl",)),
        ("lang", " py ", ("python",)),
        ("lang", "script", ("typescript",)),
        ("lang", "x", ()),
        ("lang", "python, p", ()),
        ("topics", "", ("bugs", "security", "bug hunts")),
        ("topics", "bug", ("bugs", "bug hunts")),
        ("topics", "security, b", ("security, bugs", "security, bug hunts")),
        ("topics", "a,b,sec", ("a,b, security",)),
        ("strict", "", ("true", "false")),
        ("strict", "T", ("true",)),
        ("strict", "e", ("true", "false")),
        ("free", "x", ()),
        ("both", "", ("a", "b", "c")),
        ("unknown", "", ()),
    ],
)
def test_complete_argument(argument: str, typed: str, offers: tuple[str, ...]) -> None:
    """
    Offers begin with what was typed or hold it, whatever its case; in a list, the last item counts.
    """
    assert complete_argument(COMPLETING, argument, typed) == offers


def _text(text: str, role: Role = Role.USER) -> Message:
    return Message(role=role, content=TextContent(text=text))


MESSAGES = (
    _text("Hello\nworld"),
    Message(role=Role.USER, content=ResourceContent(uri="a:b", mime_type="text/plain", text="doc")),
    Message(role=Role.USER, content=ResourceContent(uri="a:b", mime_type="x/y", blob=b"\x00")),
    Message(role=Role.USER, content=ImageContent(mime_type="image/png", data=b"\x89")),
    _text("Bye", Role.ASSISTANT),
)


def test_joined_text() -> None:
    """
    Texts and text resources are joined with a blank line; images and blobs have no text.
    """
    assert joined_text(MESSAGES) == "Hello\nworld\n\ndoc\n\nBye"
    assert joined_text([]) == ""


@pytest.mark.parametrize(
    ("expect", "complaints"),
    [
        (Expectation(), ()),
        (Expectation(messages=5), ()),
        (Expectation(messages=0), ("expected 0 messages, got 5",)),
        (Expectation(roles=(Role.USER,) * 4 + (Role.ASSISTANT,)), ()),
        (
            Expectation(roles=(Role.USER,)),
            ("expected roles user, got user, user, user, user, assistant",),
        ),
        (Expectation(contains=("Hello", "doc", "Bye")), ()),
        (
            Expectation(contains=("hello", "x\n")),
            ("expected the text 'hello'", "expected the text 'x\\n'"),
        ),
        (Expectation(not_contains=("hello",)), ()),
        (
            Expectation(not_contains=("doc", "Bye")),
            ("the text 'doc' must not appear", "the text 'Bye' must not appear"),
        ),
        (Expectation(equals="\nHello\nworld\n\ndoc\n\nBye\n"), ()),
        (Expectation(equals="Hello"), ("the text differs from `equals`",)),
        (
            Expectation(messages=1, contains=("?",), equals=""),
            (
                "expected 1 messages, got 5",
                "expected the text '?'",
                "the text differs from `equals`",
            ),
        ),
    ],
)
def test_assess_rendering(expect: Expectation, complaints: tuple[str, ...]) -> None:
    """
    Everything that was expected and did not come is named.
    """
    assert assess_rendering(expect, MESSAGES) == complaints


RESULT = ValidationResult(
    errors=(
        ValidationError(field="a", message="x", code=ErrorCode.MISSING),
        ValidationError(field="b", message="x", code=ErrorCode.PATTERN),
    )
)


@pytest.mark.parametrize(
    ("wanted", "result", "complaints"),
    [
        (ExpectedError(code="missing"), RESULT, ()),
        (ExpectedError(code="pattern", argument="b"), RESULT, ()),
        (
            ExpectedError(code="pattern", argument="a"),
            RESULT,
            ("expected the error pattern at a, got missing at a, pattern at b",),
        ),
        (
            ExpectedError(code="too_long"),
            RESULT,
            ("expected the error too_long, got missing at a, pattern at b",),
        ),
        (
            ExpectedError(code="missing"),
            ValidationResult(),
            ("expected the error missing, got none",),
        ),
    ],
)
def test_assess_refusal(
    wanted: ExpectedError, result: ValidationResult, complaints: tuple[str, ...]
) -> None:
    """
    A wanted mistake is found among all there are, or it is said what was found instead.
    """
    assert assess_refusal(wanted, result) == complaints


def test_count_labels() -> None:
    """
    Only the arguments named by the author are counted, an absent one as empty.
    """
    template = make_template("x")
    counted = MappingProxyType({"lang": "go", "code": "secret"})
    assert count_labels(template, counted) == {}
    named = type(template)(name="a", version="1", count_by=("lang", "risk"))
    assert count_labels(named, counted) == {"lang": "go", "risk": ""}


@pytest.mark.parametrize(
    ("tag", "owner", "text", "found"),
    [
        (None, None, None, ["a", "b", "c"]),
        (None, None, "  ", ["a", "b", "c"]),
        ("x", None, None, ["a", "b"]),
        ("X", None, None, []),
        ("x", None, "second", ["b"]),
        (None, "us", None, ["b"]),
        ("y", "us", None, []),
        (None, None, "STRASSE", ["c"]),
        (None, None, "second the", ["b"]),
        (None, None, "us x 2.1", ["b"]),
        (None, None, "first nothing", []),
    ],
)
def test_prompts_are_found_by_tag_owner_and_text(
    tag: str | None, owner: str | None, text: str | None, found: list[str]
) -> None:
    """
    Tag and owner are meant exactly; each word of a text may be anywhere, in any case.
    """
    prompts = [
        PromptTemplate(name="a", version="1", description="The first", tags=("x", "y")),
        PromptTemplate(name="b", version="2.1", title="The Second", tags=("x",), owner="us"),
        PromptTemplate(name="c", version="1", title="Third", description="In der Straße"),
    ]
    assert [item.name for item in filter_prompts(prompts, tag=tag, owner=owner, text=text)] == found


def test_resources_are_seen_with_their_prompts() -> None:
    """
    A file is readable for whoever may use one prompt that embeds it, in one of its versions.
    """
    shared = ResourceContent(uri="a:shared", mime_type="text/plain", text="s")
    closed = ResourceContent(uri="a:closed", mime_type="text/plain", text="c")

    def holding(scope: Scope, version: str, *contents: ResourceContent) -> PromptTemplate:
        messages = tuple(Message(role=Role.USER, content=content) for content in contents)
        return PromptTemplate(name="p", version=version, scope=scope, messages=messages)

    catalog = Catalog([holding(Scope.READ, "1", shared), holding(Scope.ADMIN, "2", shared, closed)])
    reader, admin = make_principal(), make_principal(Scope.ADMIN)
    assert list_visible_resources(catalog, reader) == (shared,)
    assert list_visible_resources(catalog, admin) == (closed, shared)
    assert find_visible_resource(catalog, admin, "a:closed") is closed
    for principal, uri in ((reader, "a:closed"), (admin, "a:gone")):
        assert find_visible_resource(catalog, principal, uri) is None
