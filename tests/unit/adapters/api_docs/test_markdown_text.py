"""
Texts of others stay texts: a reader of Markdown (markdown-it, HTML allowed) finds nothing in them.
"""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ctxfy.adapters.api_docs.markdown_text import block, code, one_line, paragraphs, plain, table


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Letters that mean something are frequent, and so are the ways to begin a line.
TEXTS = st.text(st.sampled_from("ab1 \t\n#*_`~|\\<>[](){}!&;:.-+=$%^\"'/@,?") | st.characters())


def inline_of(markdown: str) -> list[Token]:
    """
    Read what must be one paragraph, and give what is in it.
    """
    kinds = [token.type for token in READER.parse(markdown)]
    assert kinds == ["paragraph_open", "inline", "paragraph_close"], markdown
    return READER.parse(markdown)[1].children or []


@given(TEXTS.filter(one_line))
@example("1. one")
@example("<script>alert(1)</script>")
@example("[x](javascript:alert(1))")
@example("&copy; ![](a) | b")
@example("--- \n===")
def test_prose_is_prose(text: str) -> None:
    """
    Any text is one paragraph of nothing but that text.
    """
    inline = inline_of(plain(text))
    assert {token.type for token in inline} <= {"text", "text_special"}
    assert "".join(token.content for token in inline) == one_line(text)


@given(TEXTS.filter(one_line))
@example("`")
@example("``a`")
@example("a|b")
def test_code_is_code(text: str) -> None:
    """
    Any text is one piece of code, letter by letter.
    """
    (only,) = inline_of(code(text))
    assert (only.type, only.content) == ("code_inline", one_line(text))


@given(st.lists(TEXTS, min_size=1, max_size=3), st.sampled_from([plain, code]))
@example(["a\\", "|"], code)
@example(["\\|"], plain)
def test_a_table_has_the_cells_it_was_given(texts: list[str], write: Callable[[str], str]) -> None:
    """
    As many as there are, with the very texts, prose or code.
    """
    written = table(["x"] * len(texts), [[write(text) for text in texts]])
    tokens = READER.parse(written)
    assert (tokens[0].type, tokens[-1].type) == ("table_open", "table_close")
    cells = [token.children or [] for token in tokens if token.type == "inline"][len(texts) :]
    assert ["".join(part.content for part in cell) for cell in cells] == [
        one_line(text) for text in texts
    ]


@given(TEXTS)
@example("```\n<b>\n````")
def test_a_block_ends_where_it_should(text: str) -> None:
    """
    Lines with fences in them do not end it.
    """
    (only,) = READER.parse(block(text, "json"))
    assert (only.type, only.info) == ("fence", "json")
    lines = text.replace("\0", "\N{REPLACEMENT CHARACTER}").splitlines()
    assert only.content == "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Review one file.", "Review one file."),
        ("a_b and <c>\n# no heading", r"a\_b and \<c> # no heading"),
        ("# no heading", r"\# no heading"),
        ("12) no list", r"12\) no list"),
        ("first\nline\n\n\nsecond", "first line\n\nsecond"),
    ],
)
def test_texts_stay_readable_as_they_are(text: str, written: str) -> None:
    """
    Only what could mean something gets a backslash, and paragraphs stay apart.
    """
    assert paragraphs(text) == written
