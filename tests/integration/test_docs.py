"""
What the documentation tells people to type does what it says.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"^```markdown\n(---\n.*?)^```$", re.DOTALL | re.MULTILINE)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/tutorials/first-prompt.md"])
def test_the_first_prompt_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    """
    The prompt on the page, put into a folder, renders to the very lines shown below it.
    """
    text = (ROOT / page).read_text(encoding="utf-8")
    prompt = EXAMPLE.search(text)
    assert prompt is not None
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "hello.prompt.md").write_text(prompt[1], encoding="utf-8")
    shown = dict(_renderings(text))
    assert shown
    assert {command: _run(command, tmp_path) for command in shown} == shown
    assert _run("ctxfy check", tmp_path).endswith("all good.")


def _renderings(text: str) -> list[tuple[str, str]]:
    """
    Pick the commands that render and have their output below them.
    """
    runs = [
        run.partition("\n") for block in CONSOLE.findall(text) for run in block.split("$ ") if run
    ]
    return [
        (command, output.strip())
        for command, _, output in runs
        if command.startswith("ctxfy render") and output.strip()
    ]


def _run(command: str, folder: Path) -> str:
    """
    Run a command of the page; answers what a person would see.
    """
    done = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=folder,
        env={name: text for name, text in os.environ.items() if not name.startswith("CTXFY_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.strip()
