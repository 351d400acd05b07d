"""
The pages as text: whatever prompts and people are called, it stays text.
"""

import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctxfy.adapters.api_docs.call_examples import (
    CallExample,
    call_examples,
    python_literal,
    shell_json,
)
from ctxfy.adapters.api_docs.catalog_view import Wish, catalog_view, wish_of
from ctxfy.adapters.api_docs.client_guides import ClientGuide
from ctxfy.adapters.api_docs.page_templates import PageTemplates, reader_of
from ctxfy.adapters.api_docs.prompt_view import argument_view, field_of, prompt_view
from ctxfy.core.models.auth_models import KeyId, Principal, Scope
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Privacy,
    PromptArgument,
    PromptExample,
    PromptTemplate,
)


ADDRESS = "http://prompts.example:8000"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "</textarea></title></style>{{ 7*7 }}{% raw %}",
    "\u202edesrever\u2066 &lt;b&gt; &amp;",
    "javascript:alert(1)",
)
# What our own templates hold; anything else was smuggled in.
ELEMENTS = {
    *("html", "head", "meta", "title", "link", "script", "body", "a", "header", "nav", "form"),
    *("span", "button", "main", "h1", "h2", "p", "code", "dl", "div", "dt", "dd", "section"),
    *("noscript", "label", "fieldset", "legend", "input", "select", "option", "textarea"),
    *("datalist", "table", "thead", "tbody", "tr", "th", "td", "details", "summary", "pre"),
    *("ul", "ol", "li", "strong"),
}


class Reading(HTMLParser):
    """
    What a browser would make of a page, as far as it matters here.
    """

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Note an element and what it has.
        """
        self.elements.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        """
        Note text.
        """
        self.text += data


def prompt_of(text: str) -> PromptTemplate:
    """
    Make a prompt that says the text wherever an author may say one.
    """
    argument = PromptArgument(
        name="who", description=text, default=text, example=text, pattern=text, required=False
    )
    return PromptTemplate(
        name="p",
        version="2",
        title=text,
        description=text,
        changes=text,
        owner=text,
        model=text,
        tags=(text,),
        arguments=(
            argument,
            PromptArgument(name="one", type=ArgumentType.ENUM, choices=(text,)),
            PromptArgument(name="some", type=ArgumentType.LIST, choices=(text,)),
            PromptArgument(name="free", complete=(text,), privacy=Privacy.PERSONAL),
            PromptArgument(name="any", type=ArgumentType.ANY, schema={"title": text}),
        ),
        examples=(PromptExample(name=text, arguments={"who": text}),),
    )


def pages_of(template: PromptTemplate, name: str = "ann") -> Iterator[bytes]:
    """
    Write every page that shows a prompt.
    """
    principal = Principal(key_id=KeyId("k" * 12), user_id=name, scope=Scope.ADMIN)
    templates, reader = PageTemplates(name), reader_of(principal)
    shared: dict[str, object] = {"address": ADDRESS, "guessed_address": ADDRESS}
    guide = ClientGuide(title="A client", file="x.json", snippet="{}", notes=("Call NAME.",))
    wish = Wish(text=template.title, tag=template.title, owner=template.title)
    yield templates.write(
        "catalog", depth=0, reader=reader, values=shared | catalog_view([template], wish)
    )
    view = prompt_view(template, (template,), ADDRESS)
    values = {"prompt": view, "clients": [guide], "key_variable": "KEY"}
    yield templates.write("prompt", depth=2, reader=reader, values=shared | values)
    refused = {"heading": "No", "sentence": template.title, "request_id": template.title}
    yield templates.write("refused", depth=1, reader=reader, values=shared | refused)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_authors_and_people_write_stays_text(text: str) -> None:
    """
    It is read as it was written, and makes no element, no handler and no address.
    """
    for page in pages_of(prompt_of(text), name=text):
        reading = Reading(page)
        assert reading.elements <= ELEMENTS
        assert text in reading.text
        names = {name for name, _ in reading.attributes}
        assert not any(name.startswith("on") for name in names)
        assert not {"autofocus", "style", "srcdoc"} & names
        addresses = [value for name, value in reading.attributes if name in {"href", "src"}]
        assert addresses
        assert all(
            re.match(r"(?:\.\./)*docs|(?:\.\./)*(?:openapi.json|llms.txt|prompts/p)|#main|\?", each)
            for each in addresses
        )


@settings(max_examples=25)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_any_text_comes_back_from_a_page(text: str) -> None:
    """
    What is escaped on the way out is what was given.
    """
    for page in pages_of(prompt_of(text)):
        assert text in Reading(page).text


def test_an_admin_finds_the_way_to_more_pages_than_others() -> None:
    """
    A narrowed key of scope admin is no admin of keys.
    """

    def reads(scope: Scope, *prompts: str) -> bool:
        globs = prompts or ("*",)
        principal = Principal(key_id=KeyId("k" * 12), user_id="ann", scope=scope, prompts=globs)
        return reader_of(principal).is_admin

    assert reads(Scope.ADMIN)
    assert not reads(Scope.ADMIN, "a-*")
    assert not reads(Scope.WRITE)


@pytest.mark.parametrize(
    ("argument", "field", "kind"),
    [
        (PromptArgument(name="a"), "lines", "string"),
        (PromptArgument(name="a", max_length=40), "line", "string"),
        (PromptArgument(name="a", complete=("x",)), "line", "string"),
        (PromptArgument(name="a", privacy=Privacy.SECRET), "secret", "string"),
        (PromptArgument(name="a", type=ArgumentType.BOOLEAN), "boolean", "boolean"),
        (PromptArgument(name="a", type=ArgumentType.INTEGER), "number", "integer"),
        (PromptArgument(name="a", type=ArgumentType.ENUM, choices=("x",)), "choice", "enum"),
        (PromptArgument(name="a", type=ArgumentType.LIST, choices=("x",)), "several", "list"),
        (PromptArgument(name="a", type=ArgumentType.LIST), "lines", "list"),
        (PromptArgument(name="a", type=ArgumentType.OBJECT), "lines", "object"),
    ],
)
def test_each_type_has_its_field(argument: PromptArgument, field: str, kind: str) -> None:
    """
    Choices are chosen, long texts have room, a secret is not shown.
    """
    assert (field_of(argument), argument_view(argument)["kind"]) == (field, kind)


@pytest.mark.parametrize(
    ("argument", "rules"),
    [
        (PromptArgument(name="a", max_length=40), ["at most 40 characters"]),
        (PromptArgument(name="a", min_length=1), ["at least 1 character"]),
        (PromptArgument(name="a", min_length=0, max_length=1), ["at most 1 character"]),
        (
            PromptArgument(name="a", type=ArgumentType.LIST, min_length=1, max_length=2000),
            ["1 to 2,000 items"],
        ),
        (PromptArgument(name="a", minimum=1, maximum=5.5), ["from 1 to 5.5"]),
        (PromptArgument(name="a", minimum=-1), ["-1 or more"]),
        (PromptArgument(name="a", maximum=0), ["0 or less"]),
        (PromptArgument(name="a", pattern="^x$"), ["matches ^x$"]),
        (PromptArgument(name="a"), []),
    ],
)
def test_rules_are_told_in_words(argument: PromptArgument, rules: list[str]) -> None:
    """
    Lengths, ranges and patterns; where there is none, nothing.
    """
    assert argument_view(argument)["rules"] == rules


def test_a_call_can_be_pasted_and_holds_no_secret() -> None:
    """
    For a shell, for Python and for MCP; the value of a secret argument is a stand-in.
    """
    template = PromptTemplate(
        name="p",
        version="2",
        arguments=(
            PromptArgument(name="text", required=True),
            PromptArgument(name="token", privacy=Privacy.SECRET, required=True),
            PromptArgument(name="times", type=ArgumentType.INTEGER, required=True),
        ),
        examples=(PromptExample(name="e", arguments={"text": "it's", "token": "hunter2"}),),
    )
    shell, python, message = prompt_view(template, (template,), ADDRESS)["calls"]
    wanted = {"text": "it's", "token": "<token>", "times": 1}
    body = re.search(r"-d '(.*)'$", whole(shell), re.DOTALL)
    assert body is not None
    assert json.loads(body[1].replace("'\\''", "'")) == {"arguments": wanted}
    compile(whole(python), "pasted", "exec")
    assert json.loads(whole(message))["params"] == {
        "name": "p",
        "arguments": {"text": "it's", "token": "<token>", "times": "1"},
    }
    assert "hunter2" not in whole(shell) + whole(python) + whole(message)


def whole(call: CallExample) -> str:
    """
    Put a call together.
    """
    return call.before + call.arguments + call.after


def test_a_call_of_an_older_version_names_it() -> None:
    """
    And is none of MCP, whose clients cannot name one.
    """
    template = PromptTemplate(name="p", version="1")
    calls = call_examples(template, ADDRESS, {}, is_served=False)
    assert [call.title for call in calls] == ["curl", "Python"]
    assert all('"version": "1"' in call.after for call in calls)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(), inside, max_size=3),
    max_leaves=10,
)


@settings(max_examples=50)
@given(JSON)
def test_a_python_literal_is_the_value(value: object) -> None:
    """
    Python reads back what was written.
    """
    written = python_literal(value)
    assert eval(written, {"__builtins__": {}}) == value  # noqa: S307 - a literal # nosec B307


@settings(max_examples=50)
@given(JSON)
def test_a_shell_reads_back_the_value(value: object) -> None:
    """
    Between single quotes, with nothing in between that ends them.
    """
    (word,) = shlex.split(f"'{shell_json(value)}'")
    assert json.loads(word) == value


def test_a_wish_is_bounded() -> None:
    """
    Of a search that is too long, the beginning counts.
    """
    assert wish_of({"q": "x" * 1000, "tag": "t"}) == Wish(text="x" * 200, tag="t")


def test_the_catalog_says_what_fits_and_keeps_the_rest_at_hand() -> None:
    """
    All cards are there; those that do not fit are hidden, so that a script can look again.
    """
    one = PromptTemplate(name="one", version="1", tags=("b", "A"), owner="us")
    two = PromptTemplate(name="two", version="1", tags=("b",), owner="them")
    view = catalog_view([one, two], Wish(tag="b", owner="us"))
    assert (view["found"], view["tags"], view["owners"]) == (1, ["A", "b"], ["them", "us"])
    assert [card["matches"] for card in view["cards"]] == [True, False]
    page = PageTemplates("x").write(
        "catalog", depth=0, reader=None, values={"guessed_address": "", **view}
    )
    assert unescape(page.decode()).count(" hidden>") == 2  # the other card, and that none fits
