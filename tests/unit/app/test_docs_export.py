"""
The files that an export writes.
"""

from ctxfy.app.docs_export import file_names


def test_names_that_differ_in_capitals_have_files_of_their_own() -> None:
    """
    Also on a disk that knows no capitals.
    """
    assert file_names(["Plan", "plan", "plan-2"]) == {
        "Plan": "Plan.md",
        "plan": "plan-2.md",
        "plan-2": "plan-2-2.md",
    }
