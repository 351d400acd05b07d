"""
The files a person begins with, written beside what is there and never over it.
"""

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ctxfy.adapters.mcp_prompts.prompt_file import SUFFIXES, is_prompt_file
from ctxfy.adapters.mcp_prompts.prompt_schema import NAME_PATTERN
from ctxfy.app.first_key import command
from ctxfy.core.exceptions import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFiles:
    """
    What became of a folder; names are relative to it.

    Attributes:
        written: Files that were made.
        kept: Files that were there, and were left as they are.
        advice: Sentences on what to do by hand.
    """

    folder: Path
    written: list[str]
    kept: list[str]
    advice: list[str]

    def next_steps(self) -> str:
        """
        Say what to do now, in the words to type.
        """
        there = "" if self.folder == Path() else f"    cd {self.folder}\n"
        example = f"    {command()} render hello name=Ada\n" if self._has_example() else ""
        return (
            f"\nNext:\n\n{there}    {command()} check\n{example}    {command()} serve\n\n"
            "The first start prints a key, and how to connect a client."
        )

    def _has_example(self) -> bool:
        return (self.folder / "prompts" / "hello.prompt.md").is_file()


def write_first_files(folder: Path) -> FirstFiles:
    """
    Write a prompt folder with one example and settings, and keep what a server writes out of git.

    Raises:
        ConfigurationError: The folder is a file, or may not be written to.
    """
    done = FirstFiles(folder=folder, written=[], kept=[], advice=[])
    try:
        (folder / "prompts").mkdir(parents=True, exist_ok=True)
        if not _holds_prompts(folder / "prompts", but="hello.prompt.md"):
            _write(done, "prompts/hello.prompt.md", _starter("hello.prompt.md"))
        else:
            done.kept.append("prompts")
        _write(done, "fastmcp.json", _starter("fastmcp.json"))
        _write(done, ".gitignore", _starter("gitignore"))
        if ".gitignore" in done.kept and not _ignores_var(folder / ".gitignore"):
            done.advice.append(
                f"Add a line '/var/' to {folder / '.gitignore'}: "
                "a server keeps its database and its secrets there."
            )
    except OSError as error:
        raise ConfigurationError(
            f"'{error.filename}' cannot be written: {(error.strerror or str(error)).lower()}; "
            "name another folder."
        ) from error
    return done


def _holds_prompts(folder: Path, *, but: str) -> bool:
    return any(is_prompt_file(file.name) and file.name != but for file in folder.rglob("*"))


def _ignores_var(file: Path) -> bool:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return any(line.strip().strip("/") == "var" for line in lines)


def _write(done: FirstFiles, name: str, text: str) -> None:
    try:
        with (done.folder / name).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        done.kept.append(name)
    else:
        done.written.append(name)


def write_new_prompt(folder: Path, name: str) -> Path:
    """
    Write a prompt file to fill in, and return where it is.

    Raises:
        ConfigurationError: The name cannot be one or is taken, or there is no such folder.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        near = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-._")[:128]
        raise ConfigurationError(
            f"'{name}' cannot be a prompt's name: letters, digits, '_', '.' and '-' only, first a "
            f"letter or digit{f'; did you mean {near!r}?' if near else '.'}"
        )
    if not folder.is_dir():
        raise ConfigurationError(
            f"There is no folder '{folder}'; 'ctxfy init' makes one, --prompts names another."
        )
    for suffix in SUFFIXES:
        if (taken := folder / f"{name}{suffix}").exists(follow_symlinks=False):
            raise ConfigurationError(f"'{taken}' is there already; choose another name.")
    file = folder / f"{name}{SUFFIXES[0]}"
    with file.open("x", encoding="utf-8") as opened:
        opened.write(_starter("new.prompt.md"))
    return file


def _starter(name: str) -> str:
    return (files("ctxfy.app") / "starter" / name).read_text(encoding="utf-8")
