"""
What holds for every test: its marker, the shape of the suite, the event loop, Hypothesis.
"""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from tests.house_rules import is_whole_suite, kind_of, shape_problems, source_problems


TESTS = Path(__file__).parent

# The pipeline must not fail on one run and pass on the next; at a desk, new examples are welcome.
# No deadline in either: a busy machine is not a wrong program.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


class Worker(Protocol):
    """
    What is needed here of a worker process of xdist, which has no types of its own.
    """

    config: pytest.Config


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """
    Run async tests on asyncio, the only loop the server runs on.
    """
    return "asyncio"


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """
    Mark each test by its folder, and judge the suite.
    """
    for item in items:
        if kind := _kind_of(item.path):
            item.add_marker(kind)
    # After a broken import the counts mean nothing, and pytest reports the import itself. A worker
    # of xdist cannot stop the run; its controller, which collects nothing itself, can.
    if not session.testsfailed and not hasattr(config, "workerinput"):
        _judge([item.path for item in items], config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Worker, ids: Sequence[str]) -> None:
    """
    Judge the suite that a worker of xdist collected.
    """
    _judge([node.config.rootpath / each.partition("::")[0] for each in ids], node.config)


def _judge(paths: Sequence[Path], config: pytest.Config) -> None:
    """
    Stop the run when the tests, each given as the file it is in, break a house rule.

    Raises:
        pytest.UsageError: Naming every place and figure.
    """
    ours = Counter(path for path in paths if path.is_relative_to(TESTS))
    problems = []
    counts = Counter[str]()
    for path, count in ours.items():
        place = str(path.relative_to(TESTS.parent))
        problems += source_problems(path.read_text(encoding="utf-8"), place)
        if kind := _kind_of(path):
            counts[kind] += count
        else:
            problems.append(f"{place} is in none of the folders unit, integration and e2e")
    if _collects_everything(config):
        problems += shape_problems(counts)
    if problems:
        raise pytest.UsageError("\n".join(problems))


def _kind_of(path: Path) -> str | None:
    return kind_of(path.relative_to(TESTS)) if path.is_relative_to(TESTS) else None


def _collects_everything(config: pytest.Config) -> bool:
    chosen = config.option
    return is_whole_suite(
        # Paths are relative to where pytest was called; a node id is below everything.
        arguments=[config.invocation_params.dir / argument for argument in config.args],
        root=TESTS,
        filters=[
            chosen.keyword,
            chosen.markexpr,
            chosen.deselect,
            chosen.ignore,
            chosen.ignore_glob,
            chosen.lf,
        ],
    )
