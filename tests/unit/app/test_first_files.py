"""
What `ctxfy init` and `ctxfy new` write, and what they leave alone.
"""

from pathlib import Path

import pytest

from ctxfy.adapters.mcp_prompts.prompt_tests import run_prompt_tests
from ctxfy.app.first_files import write_first_files, write_new_prompt
from ctxfy.app.loading import make_loader, make_validator
from ctxfy.core.exceptions import ConfigurationError


def problems_in(prompts: Path) -> list[str]:
    """
    Load a folder and run its tests, as `ctxfy check` does.
    """
    validator = make_validator(1000, 1000)
    snapshot = make_loader(prompts, validator).load()
    report = run_prompt_tests(snapshot, validator, lambda _place: None)
    assert report.count > 0
    return [str(problem) for problem in report.problems]


def test_an_empty_folder_gets_everything(tmp_path: Path) -> None:
    """
    A prompt that passes its tests, and what keeps the database out of git.
    """
    done = write_first_files(tmp_path / "deep" / "down")
    assert done.written == ["prompts/hello.prompt.md", "fastmcp.json", ".gitignore"]
    assert (done.kept, done.advice) == ([], [])
    assert problems_in(done.folder / "prompts") == []
    assert "/var/" in (done.folder / ".gitignore").read_text().splitlines()
    assert f"cd {done.folder}" in done.next_steps()
    assert "render hello name=Ada" in done.next_steps()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    """
    What is there is named and kept, whatever has become of it.
    """
    write_first_files(tmp_path)
    (tmp_path / "prompts" / "hello.prompt.md").write_text("mine")
    done = write_first_files(tmp_path)
    assert done.written == []
    assert done.kept == ["prompts/hello.prompt.md", "fastmcp.json", ".gitignore"]
    assert (tmp_path / "prompts" / "hello.prompt.md").read_text() == "mine"


def test_a_folder_with_prompts_gets_no_example(tmp_path: Path) -> None:
    """
    It would be served to everybody; and a foreign .gitignore is not written into, but spoken of.
    """
    (tmp_path / "prompts" / "team").mkdir(parents=True)
    (tmp_path / "prompts" / "team" / "own.prompt.yaml").touch()
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    done = write_first_files(tmp_path)
    assert (done.written, done.kept) == (["fastmcp.json"], ["prompts", ".gitignore"])
    assert done.advice[0].startswith("Add a line '/var/' to ")
    assert "render" not in done.next_steps()


@pytest.mark.parametrize("line", ["var", "/var/", "var/", " /var "])
def test_a_gitignore_that_names_var_needs_no_advice(tmp_path: Path, line: str) -> None:
    """
    In whichever spelling.
    """
    (tmp_path / ".gitignore").write_text(f"x\n{line}\n")
    assert write_first_files(tmp_path).advice == []


def test_a_place_that_cannot_be_is_named(tmp_path: Path) -> None:
    """
    A file where a folder should be is not replaced.
    """
    (tmp_path / "prompts").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"prompts' cannot be written: file exists"):
        write_first_files(tmp_path)
    assert (tmp_path / "prompts").read_text() == "a file"


def test_a_new_prompt_passes_its_own_check(tmp_path: Path) -> None:
    """
    So that a mistake found afterwards is the author's.
    """
    file = write_new_prompt(tmp_path, "Team.code_review-2")
    assert file.name == "Team.code_review-2.prompt.md"
    assert problems_in(tmp_path) == []
    catalog = make_loader(tmp_path, make_validator(1000, 1000)).load().catalog
    assert [template.name for template in catalog] == ["Team.code_review-2"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("code review", "did you mean 'code-review'?"),
        ("../up", "did you mean 'up'?"),
        ("", "."),
        ("ünsinn", "did you mean 'nsinn'?"),
        ("-", "."),
        ("a" * 129, f"did you mean '{'a' * 128}'?"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    """
    With the nearest that can, and nothing is written.
    """
    with pytest.raises(ConfigurationError) as caught:
        write_new_prompt(tmp_path, name)
    assert str(caught.value).endswith(hint)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".prompt.md", ".prompt.yaml", ".prompt.yml"])
def test_a_prompt_that_is_there_is_not_written_over(tmp_path: Path, suffix: str) -> None:
    """
    In whichever form it is there.
    """
    (tmp_path / f"hello{suffix}").write_text("mine")
    with pytest.raises(ConfigurationError, match="is there already; choose another name"):
        write_new_prompt(tmp_path, "hello")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]


def test_a_new_prompt_needs_a_folder(tmp_path: Path) -> None:
    """
    A typing error in --prompts makes no folder.
    """
    with pytest.raises(ConfigurationError, match="'ctxfy init' makes one"):
        write_new_prompt(tmp_path / "promts", "hello")
    assert list(tmp_path.iterdir()) == []
