"""
Loads a prompt folder and runs its tests: the child process behind `ctxfy check` and every start.

    python -m ctxfy.app.check_worker FOLDER SECONDS MEGABYTES ARGUMENT_BYTES ARGUMENTS_BYTES \
        MAY_BE_EMPTY [MODULE...]

Writes JSON lines to standard output: `{"at": place}` before each test, last `{"report": ...}`.
"""

import json
import resource
import sys
from collections.abc import Iterable
from pathlib import Path

from ctxfy.adapters.mcp_prompts.prompt_tests import run_prompt_tests
from ctxfy.app.loading import load_functions, make_loader, make_validator
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.catalog_models import revision_of_files
from ctxfy.core.models.prompt_models import PromptProblem
from ctxfy.core.ports.prompt_ports import PromptFunctionPort


def main(arguments: list[str]) -> None:
    """
    Check one folder within its limits.
    """
    folder, *numbers = arguments[:6]
    seconds, megabytes, argument_bytes, arguments_bytes, may_be_empty = map(int, numbers)
    modules = arguments[6:]
    _bound(seconds, megabytes)
    validator = make_validator(argument_bytes, arguments_bytes)
    try:
        functions = load_functions(modules, seconds)
        snapshot = make_loader(
            Path(folder), validator, functions, may_be_empty=bool(may_be_empty)
        ).load()
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
                "files": revision_of_files(snapshot.catalog),
                "modules": {module: _names(module, functions) for module in modules},
            }
        }
    )


def _names(module: str, functions: Iterable[PromptFunctionPort]) -> list[str]:
    templates = [item.template for item in functions]
    return sorted({item.name for item in templates if item.source == f"{module}:{item.name}"})


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
