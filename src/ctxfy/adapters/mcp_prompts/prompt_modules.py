"""
Python modules whose FastMCP server holds prompts: imported, or refused with place and remedy.
"""

import sys
import traceback
from collections.abc import Sequence
from hashlib import sha256
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from fastmcp import FastMCP

from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.prompt_models import PromptProblem


SERVER = "mcp"
"""
What a module calls its FastMCP server.
"""

_REMEDY = "correct it, or take it out of CTXFY_PROMPTS__MODULES"


def import_servers(names: Sequence[str]) -> dict[str, FastMCP[Any]]:
    """
    Import the modules, and take the server out of each; by the name it was given.

    Args:
        names: What can be imported, or the path of a file `.py`.

    Raises:
        CatalogError: With what is wrong with each of them.
    """
    found: dict[str, FastMCP[Any]] = {}
    problems: list[PromptProblem] = []
    for name in names:
        outcome = _server_of(name)
        if isinstance(outcome, PromptProblem):
            problems.append(outcome)
        else:
            found[name] = outcome
    if problems:
        raise CatalogError(problems)
    return found


def _server_of(name: str) -> FastMCP[Any] | PromptProblem:
    try:
        module = _import_file(Path(name)) if name.endswith(".py") else import_module(name)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does when it is run
        return _import_problem(name, error)
    server = getattr(module, SERVER, None)
    if isinstance(server, FastMCP):
        return server
    kind = "there is none" if server is None else f"it is a {type(server).__name__}"
    return PromptProblem(
        path=name,
        line=None,
        message=f"a prompt module holds its server as '{SERVER} = FastMCP()', and here {kind}",
    )


def _import_file(path: Path) -> ModuleType:
    place = path.resolve(strict=True)
    # Its neighbours can be imported, as if it were run; last, so that they take no name of ours.
    if str(place.parent) not in sys.path:
        sys.path.append(str(place.parent))
    name = f"{place.stem}_{sha256(str(place).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, place)
    if spec is None or spec.loader is None:  # a name that ends with .py always has a loader
        raise ImportError(str(path))
    module = module_from_spec(spec)
    sys.modules[name] = module  # annotations are looked up there
    spec.loader.exec_module(module)
    return module


def _import_problem(name: str, error: BaseException) -> PromptProblem:
    if isinstance(error, FileNotFoundError) and name.endswith(".py") and not Path(name).exists():
        return PromptProblem(path=name, line=None, message=f"there is no such file; {_REMEDY}")
    if isinstance(error, ModuleNotFoundError) and error.name == name.partition(".")[0]:
        return PromptProblem(
            path=name,
            line=None,
            message=(
                "there is no module of that name; install it, put its folder into PYTHONPATH, "
                f"or give the path of a file: ./{name}.py"
            ),
        )
    return PromptProblem(
        path=name,
        line=_line_of(name, error),
        message=f"the module cannot be imported ({_words_of(error)}); {_REMEDY}",
    )


def _words_of(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "it ends the program; put that below: if __name__ == '__main__'"
    words = (error.msg if isinstance(error, SyntaxError) else str(error)).strip().split("\n")[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _line_of(name: str, error: BaseException) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    file = Path(name).name if name.endswith(".py") else f"{name.rpartition('.')[2]}.py"
    frames = traceback.extract_tb(error.__traceback__)
    return next(
        (item.lineno for item in reversed(frames) if Path(item.filename).name == file), None
    )
