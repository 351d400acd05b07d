"""
Prompts as values.
"""

from ctxfy.core.models.prompt_models import PromptTemplate


def test_the_line_of_a_key_is_its_own_or_that_of_what_is_around_it() -> None:
    """
    What came from no file has none.
    """
    lines: dict[tuple[str | int, ...], int] = {("arguments",): 3, ("arguments", "code"): 4}
    template = PromptTemplate(name="a", version="1", lines=lines)
    assert template.line_of("arguments", "code") == 4
    assert template.line_of("arguments", "code", "default") == 4
    assert template.line_of("arguments", "other") == 3
    assert template.line_of("version") is None
    assert template == PromptTemplate(name="a", version="1")
