"""
Checking a prompt folder in a child process, so that no prompt can hurt who checks it.
"""

import json
import signal
import subprocess  # nosec B404
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from ctxfy.app.config import Settings
from ctxfy.app.loading import make_loader
from ctxfy.app.sizes import process_sizes
from ctxfy.core.exceptions import CatalogError, ConfigurationError, UnavailableError
from ctxfy.core.models.catalog_models import revision_of_files
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.ports.prompt_ports import CatalogSnapshot, PromptFunctionPort


ATTEMPTS = 3
WAIT_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """
    What was found in a folder.

    Attributes:
        revision: Names the very set that was checked; empty if there are problems.
        files: Names the prompts of files in it.
        modules: The names of the prompts in each module, if those were looked at.
    """

    problems: tuple[PromptProblem, ...]
    prompts: int = 0
    tests: int = 0
    revision: str = ""
    files: str = ""
    modules: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


class PromptCheck:
    """
    A check under way: started at construction, so that other work can go on beside it.

    Args:
        with_modules: Whether to import the modules too. A server that starts does that itself, and
            one that runs keeps what it has.
    """

    def __init__(self, folder: Path, settings: Settings, *, with_modules: bool = False) -> None:
        self._folder = folder
        self._seconds = settings.prompts.check_seconds
        self._megabytes = settings.prompts.check_memory_mb or process_sizes().check_memory_mb
        limits = settings.limits
        modules = settings.prompts.modules
        numbers = (
            self._seconds,
            self._megabytes,
            limits.argument_bytes,
            limits.arguments_bytes,
            int(bool(modules)),
        )
        # Our own interpreter and module, no shell; the folder is one argument of it. -P: a file of
        # the current folder that is called like one of our modules must not be taken for it.
        self._process = subprocess.Popen(  # noqa: S603 # nosec B603
            [
                sys.executable,
                "-P",
                "-m",
                "ctxfy.app.check_worker",
                str(folder),
                *(str(number) for number in numbers),
                *(modules if with_modules else ()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self, ending: Event | None = None) -> CheckReport:
        """
        Wait for the end and say what was found. A child that was stopped is a problem like others.

        Args:
            ending: Set when nobody wants to know any more.

        Raises:
            UnavailableError: It was set; the child is ended.
        """
        output, errors = self._wait(ending or Event())
        place, report = "", None
        for line in output.splitlines():
            record = json.loads(line)
            place, report = record.get("at", place), record.get("report", report)
        if report is None:
            return CheckReport(problems=(self._stopped(place, errors),))
        return CheckReport(
            problems=tuple(PromptProblem(**item) for item in report.pop("problems")), **report
        )

    def close(self) -> None:
        """
        End the child if nobody waited for it.
        """
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()

    def _wait(self, ending: Event) -> tuple[str, str]:
        # The child's own limit is processor time; it may also wait on a disk.
        for _ in range(int(self._seconds * 2 / WAIT_SECONDS)):
            try:
                return self._process.communicate(timeout=WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                if ending.is_set():
                    break
        self._process.kill()
        output, errors = self._process.communicate()
        if ending.is_set():
            raise UnavailableError("prompt check", "the server is ending.")
        return output, errors

    def _stopped(self, place: str, errors: str) -> PromptProblem:
        path, _, line = place.rpartition(":")
        if "MemoryError" in errors or "memory allocation" in errors:
            cause = f"took more than {self._megabytes} MB of memory"
        elif self._process.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
            cause = f"took more than {self._seconds} seconds, or the machine ran out of memory"
        else:
            last = errors.strip().rpartition("\n")[2]
            cause = f"ended before its time ({last or self._process.returncode})"
        what = "the test here" if place else "loading this folder"
        return PromptProblem(
            path=path or str(self._folder),
            line=int(line) if line.isdigit() else None,
            message=f"{what} {cause}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCheck:
    """
    A check that is over, for others to go by.
    """

    report: CheckReport

    def result(self, ending: Event | None = None) -> CheckReport:  # noqa: ARG002 - as of PromptCheck
        """
        Say what was found.
        """
        return self.report


def load_checked(
    settings: Settings,
    check: PromptCheck | FinishedCheck | None = None,
    *,
    functions: Collection[PromptFunctionPort],
    ending: Event | None = None,
) -> CatalogSnapshot:
    """
    Load the very set of prompts whose tests passed; blocks until they have run.

    Args:
        settings: The folder, and what checking it may take.
        check: A check that was started already, or is over.
        functions: Prompts of modules, which join the set.
        ending: Set when nobody wants the set any more.

    Raises:
        CatalogError: With every problem there is.
        UnavailableError: `ending` was set.
    """
    folder = settings.prompts.folder
    for _ in range(ATTEMPTS):
        report = (check or PromptCheck(folder, settings)).result(ending)
        if report.problems:
            raise CatalogError(report.problems)
        snapshot = load_unchecked(settings, functions)
        if revision_of_files(snapshot.catalog) == report.files:
            return snapshot
        # Somebody saved a file between the check and our reading.
        check = None
    raise ConfigurationError(f"The folder '{folder}' keeps changing while it is read.")


def load_unchecked(
    settings: Settings, functions: Collection[PromptFunctionPort]
) -> CatalogSnapshot:
    """
    Load a set for whoever knows its revision from a check; blocks while the folder is read.

    To make every model of arguments and compile every text once more would be most of the work.

    Raises:
        CatalogError: With the problems that were met all the same.
    """
    may_be_empty = bool(settings.prompts.modules)
    return make_loader(settings.prompts.folder, None, functions, may_be_empty=may_be_empty).load()
