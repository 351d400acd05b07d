"""
Runs what a page tells people to type: Sybil finds the examples, a shell runs them in a folder.

A page says by comments, which no reader sees, what is not plain from an example:

    <!-- file: prompts/hello.prompt.md -->     the block below is this file from here on
    <!-- not run: it needs a proxy -->         the block below is only to be read

In a block of `console`, what is typed stands behind `$ `, and below it what is answered: `...` is
anything, and if nothing is shown, the command must succeed. A block of `sh` must succeed as a
whole, and `curl` fails with what it fetches. `ctxfy serve` starts a server that runs until the page
ends; its address, admin key (`ctxfy_...`) and a key to do things to (`KEY_ID`, a new one in each
block) are put in place of those on the page.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser

from tests.e2e.conftest import Server, clean_environment


ADDRESS = "http://127.0.0.1:8000"
SECONDS = 60
DIRECTIVE = re.compile(r"<!-- (file|not run): ([^\n]*) -->\s*\Z")
FILES = ("markdown", "yaml", "json", "python", "ini", "text", "html")
SHELL = """\
set -ea
curl() { command curl --fail-with-body "$@"; }
. "$VARIABLES"
"""


@dataclass
class Desk:
    """
    A folder, and what is in place of the server on the page.

    Attributes:
        start: Starts the server of the page in a folder.
    """

    folder: Path
    start: Callable[[Path], Server]
    server: Server | None = None

    def type(self, text: str) -> subprocess.CompletedProcess[str]:
        """
        Type lines into a shell; they see the variables that earlier ones set.
        """
        variables = self.folder / ".variables"
        variables.touch()
        known = {"CTXFY": self.server.url, "KEY": self.server.key} if self.server else {}
        kept = "set +e; export -p | grep -v ' VARIABLES=' > \"$VARIABLES\""
        return subprocess.run(
            ["/bin/bash", "-c", f"{SHELL}{self._put_in(text)}\n{kept}"],
            cwd=self.folder,
            env=clean_environment(**known)
            | {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "VARIABLES": str(variables)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def _put_in(self, text: str) -> str:
        if self.server is None:
            return text
        text = text.replace(ADDRESS, self.server.url).replace("ctxfy_...", self.server.key)
        return text.replace("KEY_ID", self._new_key()) if "KEY_ID" in text else text

    def _new_key(self) -> str:
        assert self.server is not None
        made = httpx2.post(
            f"{self.server.url}/auth/api-keys",
            json={"user_id": "ada"},
            headers={"authorization": f"Bearer {self.server.key}"},
        )
        return str(made.json()["key_id"])

    def _as_on_the_page(self, text: str) -> str:
        return text if self.server is None else text.replace(self.server.url, ADDRESS)

    def console(self, example: Example) -> str | None:
        """
        Run the commands of a block one by one; says what went otherwise.
        """
        if directive_of(example) == "not run":
            return None
        for command, shown in commands_of(str(example.parsed)):
            if command == "ctxfy serve":
                self.server = self.start(self.folder)
                continue
            ran = self.type(command)
            said = self._as_on_the_page(ran.stdout)
            if shown and not fits(shown, said):
                return f"$ {command}\n{said}\ninstead of\n{shown}"
            if not shown and ran.returncode != 0:
                return f"$ {command}\n{said}"
        return None

    def script(self, example: Example) -> str | None:
        """
        Run a block as a whole.
        """
        match directive_of(example):
            case "file":
                return self.file(example)
            case "not run":
                return None
            case _:
                ran = self.type(str(example.parsed))
                return f"{example.parsed}\n{ran.stdout}" if ran.returncode != 0 else None

    def file(self, example: Example) -> str | None:
        """
        Write a block where the comment before it says; without one it is only to be read.
        """
        found = DIRECTIVE.search(example.document.text[: example.start])
        if found is not None and found[1] == "file":
            path = self.folder / found[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(example.parsed), encoding="utf-8")
        return None

    def run(self, page: Path) -> int:
        """
        Run all examples of a page in their order, and count them.

        Raises:
            SybilFailure: One went otherwise than the page says.
        """
        parsers = [
            CodeBlockParser("console", self.console),
            CodeBlockParser("sh", self.script),
            *(CodeBlockParser(language, self.file) for language in FILES),
        ]
        examples = list(Document.parse(str(page), *parsers).examples())
        for example in examples:
            example.evaluate()
        return len(examples)


def directive_of(example: Example) -> str:
    """
    Give the word of the comment before a block, if there is one.
    """
    found = DIRECTIVE.search(example.document.text[: example.start])
    return found[1] if found else ""


def commands_of(block: str) -> Iterator[tuple[str, str]]:
    """
    Cut a block of a console into commands and what is shown below each.
    """
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        last = next(index for index, line in enumerate(lines) if not line.endswith("\\"))
        yield "\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :]).strip()


def fits(shown: str, said: str) -> bool:
    """
    Whether what was said is what is shown.
    """
    pattern = ".*".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, said.strip(), re.DOTALL) is not None
