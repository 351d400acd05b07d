"""
The child process that checks prompts.
"""

from pathlib import Path
from threading import Event

import pytest

from ctxfy.adapters.mcp_prompts.deferred_engine import DeferredPrompt
from ctxfy.app.config import PromptsSettings, Settings
from ctxfy.app.prompt_check import PromptCheck, load_checked
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.prompt_models import TextContent


GOOD = "---\ndescription: d\ntests: [{expect: {contains: [Hi]}}]\n---\nHi\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """
    Settings for a folder with one prompt.
    """
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "a.prompt.md").write_text(GOOD)
    return Settings(prompts=PromptsSettings(folder=folder))


def check(settings: Settings, ending: Event | None = None) -> list[str]:
    """
    Run the check and list its problems.
    """
    report = PromptCheck(settings.prompts.folder, settings).result(ending)
    return [problem.message for problem in report.problems]


def test_code_of_the_current_folder_is_not_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A repository with a file called like one of our modules is checked like any other.
    """
    (tmp_path / "yaml.py").write_text("raise SystemExit('run')")
    (tmp_path / "resource.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert check(settings) == []


def test_a_server_that_ends_waits_for_no_check(settings: Settings) -> None:
    """
    The child is ended, and whoever waited is told.
    """
    body = "{% for i in range(90000) %}{{ text|upper }}{% endfor %}"
    head = "arguments: {text: {default: x}}\ntests: [{expect: {}}]"
    slow = f"---\n{head}\n---\n{body}"
    (settings.prompts.folder / "slow.prompt.md").write_text(slow)
    ending = Event()
    ending.set()
    with pytest.raises(UnavailableError, match="the server is ending"):
        check(settings, ending)


def test_a_child_that_runs_out_of_memory_is_a_problem_with_a_place(settings: Settings) -> None:
    """
    The test that was running is named.
    """
    lists = "".join("{% set l = [l, l] %}" for _ in range(40))
    bomb = f"---\ntests:\n  - {{expect: {{}}}}\n---\n{{% set l = [1] %}}{lists}{{{{ l }}}}\n"
    (settings.prompts.folder / "bomb.prompt.md").write_text(bomb)
    report = PromptCheck(settings.prompts.folder, settings).result()
    assert [str(problem).partition(": ")[0] for problem in report.problems] == ["bomb.prompt.md:3"]


def test_what_was_found_good_is_not_checked_again(settings: Settings) -> None:
    """
    The process that serves neither compiles a prompt before it is asked for, nor keeps its lines.
    """
    snapshot = load_checked(settings, functions=())
    (template,) = snapshot.catalog
    compiled = snapshot.compiled[template.name, template.version]
    assert isinstance(compiled, DeferredPrompt)
    assert not template.lines
    assert [message.content for message in compiled.render({})] == [TextContent(text="Hi", line=5)]
