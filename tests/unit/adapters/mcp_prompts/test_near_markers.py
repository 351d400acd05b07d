"""
Lines that were meant as markers and would be text.
"""

from pathlib import Path

import pytest

from ctxfy.core.use_cases.prompt_use_cases import near_markers
from tests.builders import problems_of, write_files


@pytest.mark.parametrize(
    "line",
    [
        "<!-- assistant -->",
        "<!-- @ assistant -->",
        "<!- @assistant -->",
        "<!-- @assistant ->",
        "<!--assistant-->",
        "  @assistant",
    ],
)
def test_a_mistyped_marker_is_a_mistake(tmp_path: Path, line: str) -> None:
    """
    It is told with its line and the right spelling, instead of merging two roles in silence.
    """
    text = f"---\ndescription: d\n---\nHello\n{line}\nHi\n"
    assert problems_of(write_files(tmp_path, {"a.prompt.md": text})) == [
        "a.prompt.md:5: this would be text and no marker; write <!-- @assistant --> on its own line"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "<!-- a remark about the assistant -->",
        "@assistant, please answer in French.",
        "mail me at a@user.example",
        "the <!-- @assistant --> marker stands alone",
        "<!-- usernames are kept -->",
        "@username",
    ],
)
def test_text_about_roles_is_text(line: str) -> None:
    """
    Prose, addresses and remarks stay what they are.
    """
    assert near_markers(line) == ()
