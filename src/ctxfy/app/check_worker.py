"""
Loads a prompt folder and runs its tests: the child process behind `ctxfy check` and every start.

    python -m ctxfy.app.check_worker FOLDER SECONDS MEGABYTES ARGUMENT_BYTES ARGUMENTS_BYTES

Writes JSON lines to standard output: `{"at": place}` before each test, last `{"report": ...}`.
"""

import json
import resource
import sys
from pathlib import Path

from ctxfy.adapters.mcp_prompts.prompt_tests import run_prompt_tests
from ctxfy.app.loading import make_loader, make_validator
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.prompt_models import PromptProblem


def main(arguments: list[str]) -> None:
    """
    Check one folder within its limits.
    """
    folder, *numbers = arguments
    seconds, megabytes, argument_bytes, arguments_bytes = map(int, numbers)
    _bound(seconds, megabytes)
    validator = make_validator(argument_bytes, arguments_bytes)
    try:
        snapshot = make_loader(Path(folder), validator).load()
    except CatalogError as error:
        _write({"report": {"problems": [_plain(item) for item in error.problems]}})
        return
    report = run_prompt_tests(snapshot, validator, lambda place: _write({"at": place}))
    _write(
        {
            "report": {
                "problems": [_plain(item) for item in report.problems],
                "prompts": len(snapshot.catalog),
                "tests": report.count,
                "revision": snapshot.catalog.revision,
            }
        }
    )


def _bound(seconds: int, megabytes: int) -> None:
    # On top of what the interpreter and its libraries have mapped already.
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = mapped + megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _plain(problem: PromptProblem) -> dict[str, object]:
    return {"path": problem.path, "line": problem.line, "message": problem.message}


def _write(record: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
