"""
Runs the `ctxfy` command in this process, as a terminal would.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ctxfy.app.cli import main
from tests.integration.app.app_kit import write_prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """
    What a command did.
    """

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401 - JSON
        """
        Read standard output as JSON.
        """
        return json.loads(self.out)


class Shell:
    """
    A terminal in a folder of its own, with prompts in it and nothing set.
    """

    def __init__(
        self, folder: Path, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.set = patch.setenv
        self._patch = patch
        self._capture = capture
        self.prompts = write_prompts(folder)

    def __call__(self, *words: str) -> Ran:
        """
        Run a command; whatever goes wrong, no traceback may be shown.
        """
        self._patch.setattr(sys, "argv", ["ctxfy", *words])
        self._capture.readouterr()
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        shown = self._capture.readouterr()
        assert "Traceback" not in shown.out + shown.err
        assert isinstance(code, int)
        return Ran(code=code, out=shown.out, err=shown.err)

    def fails(self, *words: str, code: int = 1) -> str:
        """
        Run a command that must fail, and return its one sentence.
        """
        ran = self(*words)
        assert (ran.code, ran.out) == (code, "")
        assert ran.err.startswith("ctxfy: ")
        assert ran.err.count("\n") == 1
        return ran.err.removeprefix("ctxfy: ").strip()
