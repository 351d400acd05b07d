"""
A prompt as a page of Markdown, and the lists of prompts.
"""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ctxfy.adapters.api_docs.catalog_markdown import index_page, llms_text
from ctxfy.adapters.api_docs.prompt_markdown import PromptPages
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Privacy,
    PromptArgument,
    PromptExample,
    PromptTemplate,
)
from tests.builders import make_template


ADDRESS = "https://a.example"
READER = MarkdownIt("commonmark", {"html": True}).enable("table")
LANGUAGE = PromptArgument(
    name="language", description="In which", choices=("python", "go"), type=ArgumentType.ENUM
)
CODE = PromptArgument(
    name="code", required=True, max_length=9, pattern="a|b", privacy=Privacy.PERSONAL
)
TIMES = PromptArgument(name="times", type=ArgumentType.INTEGER, default=2, example=3)
REVIEW = replace(
    make_template(arguments=(LANGUAGE, CODE, TIMES)),
    name="code-review",
    title="Review",
    description="Reviews <b>code</b>.",
    version="2.1.0",
    changes="Topics as a list.",
    owner="platform",
    tags=("quality",),
    model="some-model",
    examples=(PromptExample(name="small", arguments={"code": "a's", "times": "3"}),),
)
MESSAGES: list[dict[str, object]] = [
    {"role": "user", "content": {"type": "text", "text": "Look:\n```\nit's\n```"}},
    {
        "role": "user",
        "content": {
            "type": "resource",
            "resource": {"uri": "ctxfy://style", "mimeType": "text/markdown", "text": "x"},
        },
    },
    {"role": "assistant", "content": {"type": "image", "mimeType": "image/png", "data": ""}},
]


PERSONAL_ROW = (
    r"| `code` | string | yes |  | at most 9 characters; matches `a\|b`; "
    "may hold personal data, which is never stored |"
)


def render(_template: PromptTemplate, _given: Mapping[str, object]) -> Mapping[str, object] | None:
    """
    Make the same answer of everything.
    """
    return {"messages": MESSAGES}


def page_of(template: PromptTemplate) -> str:
    """
    Write a page.
    """
    return PromptPages(SchemaValidator(), render).write(template, (template,), ADDRESS)


def test_a_page_tells_all_there_is() -> None:
    """
    Arguments with their rules, examples with what comes of them, calls, versions.
    """
    page = page_of(REVIEW)
    for line in (
        "# Review",
        r"Reviews \<b>code\</b>.",
        "- Name: `code-review`",
        "- Version: 2.1.0",
        "- Owner: platform",
        "- Tags: quality",
        "- Written for: some-model",
        "- Key: scope `read`",
        "| `language` | enum | no |  | In which (one of `python`, `go`) |",
        PERSONAL_ROW,
        "| `times` | integer | no | `2` | for example `3` |",
        "### small",
        '  "times": 3',
        "Message 1, user:",
        "````text",
        "Message 2, user: the file `ctxfy://style`, text/markdown.",
        "Message 3, assistant: image, image/png.",
        "curl -s 'https://a.example/prompts/code-review/execute' \\",
        """  -d '{"arguments": {"code": "a'\\''s", "times": 3}}'""",
        '      "times": "3"',
        "| 2.1.0 | Topics as a list. |",
    ):
        assert line in page.splitlines(), line


def test_a_page_of_little_is_short() -> None:
    """
    Without a title the name stands in its place; without examples, what is required is named.
    """
    page = page_of(make_template(name="bare", arguments=()))
    assert page.startswith("# bare\n")
    assert "It takes none." in page
    assert """-d '{"arguments": {}}'""" in page
    page = page_of(make_template(arguments=(CODE,)))
    assert "## Examples" not in page
    assert """-d '{"arguments": {"code": "<code>"}}'""" in page


TEXTS = st.text(st.sampled_from("ab1 \n#*_`|\\<>[](){}!&-+=$'") | st.characters(), min_size=1)


@given(TEXTS, TEXTS)
def test_no_text_of_an_author_changes_what_a_page_is_made_of(first: str, second: str) -> None:
    """
    Whatever stands in descriptions, names and values, headings and tables are the same.
    """
    written = replace(
        REVIEW,
        title=first + "x",
        description=f"x{second}".replace("\n", " "),
        owner="x" + first,
        tags=("x" + second,),
        changes=second,
        arguments=(
            replace(LANGUAGE, description=first),
            replace(CODE, pattern=None),
            replace(TIMES, type=ArgumentType.STRING, default=second + "x", example=first + "x"),
        ),
        examples=(PromptExample(name="x" + first, arguments={"code": second}),),
    )
    harmless = [token.type for token in READER.parse(page_of(REVIEW))]
    assert [token.type for token in READER.parse(page_of(written))] == harmless


def test_the_list_for_language_models_has_a_link_for_each_prompt() -> None:
    """
    In the form of llmstxt.org: a title, a summary in a quotation, and lists of links.
    """
    text = llms_text("Our [prompts]", [REVIEW], address=ADDRESS, root="")
    assert text.startswith("# Our \\[prompts\\]\n\n> One prompt for the key that asks.\n")
    assert "finds the prompts at `https://a.example/mcp`" in text
    link = r"- [Review](docs/prompts/code-review.md): Reviews \<b>code\</b>."
    assert link in text.splitlines()
    assert "- [OpenAPI 3.0.3](openapi.json): every route" in text
    empty = llms_text("Ours", [], address=ADDRESS, root=f"{ADDRESS}/")
    assert "> 0 prompts for the key that asks." in empty
    assert f"({ADDRESS}/openapi.json)" in empty


def test_the_index_leads_to_each_prompt_by_tag_and_owner() -> None:
    """
    A table of all, and groups in the order of the alphabet; without prompts there are none.
    """
    other = replace(REVIEW, name="other", title="", tags=("Art", "quality"), owner="")
    review = replace(REVIEW, description="Does it.")
    index = index_page("Ours", [review, other], address=lambda item: f"p/{item.name}.md")
    lines = index.splitlines()
    row = "| [Review](p/code-review.md) | `code-review` | Does it. | 2.1.0 | platform |"
    assert row in lines
    by_tag = lines[lines.index("## By tag") + 2 : lines.index("## By owner") - 1]
    assert by_tag == [
        "- Art: [other](p/other.md)",
        "- quality: [code-review](p/code-review.md), [other](p/other.md)",
    ]
    assert lines[-1] == "- platform: [code-review](p/code-review.md)"
    assert index_page("Ours", [], address=lambda item: item.name) == "# Ours\n\n0 prompts.\n"
