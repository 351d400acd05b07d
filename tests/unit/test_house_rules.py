"""
The rules about the suite do what they say.
"""

import asyncio
import socket
from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_socket import SocketBlockedError

from tests.house_rules import is_whole_suite, kind_of, shape_problems, source_problems


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("unit/test_a.py", "unit"),
        ("unit/core/models/test_a.py", "unit"),
        ("integration/unit/test_a.py", "integration"),
        ("e2e/test_a.py", "e2e"),
        ("test_a.py", None),
        ("fakes/test_unit.py", None),
    ],
)
def test_the_outermost_folder_names_the_kind(path: str, kind: str | None) -> None:
    """
    A test's kind is the first folder below `tests`, and a stray test has none.
    """
    assert kind_of(Path(path)) == kind


@pytest.mark.parametrize(
    "counts",
    [
        {"unit": 70, "integration": 25, "e2e": 5},
        {"unit": 75, "integration": 20, "e2e": 5},
        {"unit": 1},
        {},
    ],
)
def test_a_suite_within_bounds_has_no_problems(counts: dict[str, int]) -> None:
    """
    The bounds themselves are allowed, and so are a young suite and an empty one.
    """
    assert shape_problems(counts) == []


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        (
            {"unit": 699, "integration": 250, "e2e": 50},
            "250 of 999 tests (25.0%) are integration tests; it must be at most 25 %",
        ),
        (
            {"unit": 69, "integration": 25, "e2e": 6},
            "69 of 100 tests (69.0%) are unit tests; it must be at least 70 %",
        ),
        (
            {"unit": 85, "integration": 5, "e2e": 10},
            "10 of 100 tests (10.0%) are e2e tests; it must be at most 5 %",
        ),
    ],
)
def test_a_share_out_of_bounds_is_named_with_its_figures(
    counts: dict[str, int], problem: str
) -> None:
    """
    A suite that leans the wrong way is told by how much, even by a hair.
    """
    assert problem in shape_problems(counts)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_only_the_shares_matter(unit: int, integration: int, e2e: int) -> None:
    """
    A suite ten times as large has the same problems.
    """

    def kinds(factor: int) -> list[str]:
        counts = {"unit": unit * factor, "integration": integration * factor, "e2e": e2e * factor}
        return [problem.partition("(")[2] for problem in shape_problems(counts)]

    assert kinds(1) == kinds(10)


@pytest.mark.parametrize(
    ("arguments", "filters", "whole"),
    [
        (["/repo/tests"], [], True),
        (["/repo"], ["", None, [], False], True),
        (["/repo/docs", "/repo/tests"], [], True),
        (["/repo/tests/unit"], [], False),
        (["/repo/tests/unit/test_a.py::test_b"], [], False),
        (["/repo/tests"], ["not slow"], False),
        (["/repo/tests"], ["", ["tests/e2e"]], False),
    ],
)
def test_a_selection_is_not_the_whole_suite(
    arguments: list[str], filters: list[object], whole: bool
) -> None:
    """
    Only a run over all of `tests`, nothing filtered, is judged by its shape.
    """
    assert is_whole_suite([Path(each) for each in arguments], Path("/repo/tests"), filters) == whole


@pytest.mark.parametrize(
    "statement",
    [
        "assert x == 1",
        "with pytest.raises(ValueError): f()",
        "pytest.fail('no')",
        "assert_equal(x, 1)",
        "client.check_answer(x)",
        "_check_answer(x)",
        "if x:\n        assert x",
        "await check_answer(x)",
    ],
)
def test_a_claim_with_an_assertion_passes(statement: str) -> None:
    """
    Every way to assert something counts, however deep it stands.
    """
    source = f'async def test_a():\n    """It holds."""\n    {statement}\n'
    assert source_problems(source, "test_a.py") == []


@pytest.mark.parametrize(
    "statement", ["f()", "assert True", "raises(ValueError)", "recheck_all()", "x = assert_equal"]
)
def test_a_test_that_asserts_nothing_is_named(statement: str) -> None:
    """
    Calling something, or asserting a constant, checks nothing.
    """
    source = f'def test_a():\n    """It holds."""\n    {statement}\n'
    assert source_problems(source, "test_a.py") == ["test_a.py:1: test_a asserts nothing"]


def test_a_test_without_docstring_is_named() -> None:
    """
    A test must claim something in words, also in a class that others inherit.
    """
    source = (
        "class StoreContract:\n"
        "    class TestInner:\n"
        "        async def test_a(self):\n"
        '            ""\n'
        "            assert self.x\n"
    )
    assert source_problems(source, "test_a.py") == [
        "test_a.py:3: test_a has no docstring: say in one sentence what it shows"
    ]


def test_helpers_and_fixtures_are_not_tests() -> None:
    """
    Functions of other names, and functions inside tests, owe nothing.
    """
    source = (
        "def make_thing():\n"
        "    return 1\n"
        "def test_a():\n"
        '    """It holds."""\n'
        "    def test_like():\n"
        "        pass\n"
        "    assert test_like() is None\n"
    )
    assert source_problems(source, "test_a.py") == []


async def test_a_unit_test_has_an_event_loop_but_no_sockets() -> None:
    """
    An async test runs without a marker, and cannot reach the network.
    """
    await asyncio.sleep(0)
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET, socket.SOCK_STREAM)
