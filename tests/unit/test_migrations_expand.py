"""
Migrations only add, so that the version before serves on while they run and after.
"""

import ast
from itertools import pairwise
from pathlib import Path

import pytest

from ctxfy.adapters.storage import migrate


SCRIPTS = sorted((migrate.SCRIPTS / "versions").glob("v*.py"))
ADDING = {"create_table", "create_index", "add_column", "bulk_insert"}


def operations_of(script: Path) -> list[ast.Call]:
    """
    List what the upgrade of a script asks Alembic for.
    """
    tree = ast.parse(script.read_text(encoding="utf-8"))
    (upgrade,) = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    return [
        node
        for node in ast.walk(upgrade)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "op"
    ]


def test_a_floor_is_one_version_back() -> None:
    """
    A revision that lets older versions serve lets those serve that were in service before it.
    """
    steps = set(pairwise(migrate.REVISIONS))
    assert {(floor, revision) for revision, floor in migrate.FLOORS.items()} <= steps


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_from_the_version_before(script: Path) -> None:
    """
    It makes tables with rows, indexes, and columns that may be empty; taking away comes later.
    """
    operations = operations_of(script)
    assert operations
    for call in operations:
        assert isinstance(call.func, ast.Attribute)
        assert call.func.attr in ADDING
        if call.func.attr == "add_column":
            assert "nullable=True" in ast.unparse(call)
