"""
Rules about the suite itself: pure functions over paths, counts and source text.

`conftest.py` applies them while pytest collects; `unit/test_house_rules.py` tests them.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath


# Percent of the collected items, least and most: many fast tests of judgement, few slow ones of
# wiring.
SHARES = {"unit": (70, 100), "integration": (0, 25), "e2e": (0, 5)}

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


def kind_of(path: PurePath) -> str | None:
    """
    Return which kind of test a file below `tests` holds, told by its folder.
    """
    return path.parts[0] if path.parts[0] in SHARES else None


def is_whole_suite(
    arguments: Sequence[PurePath], root: PurePath, filters: Sequence[object]
) -> bool:
    """
    Tell whether a run that was given these paths and filters collects everything below `root`.
    """
    return not any(filters) and any(root.is_relative_to(argument) for argument in arguments)


def shape_problems(counts: Mapping[str, int]) -> list[str]:
    """
    Return a sentence for each kind of test whose share of all is out of bounds.
    """
    total = sum(counts.values())
    problems = []
    for kind, (least, most) in SHARES.items():
        count = counts.get(kind, 0)
        # Whole numbers: 70 of 100 is enough, whatever 0.7 is in binary.
        if count * 100 < least * total:
            bound = f"at least {least} %"
        elif count * 100 > most * total:
            bound = f"at most {most} %"
        else:
            continue
        problems.append(
            f"{count} of {total} tests ({count / total:.1%}) are {kind} tests; it must be {bound}"
        )
    return problems


def source_problems(source: str, file: str) -> list[str]:
    """
    Return a sentence for each test in a module's source that claims or checks nothing.
    """
    problems = []
    for function in _tests_in(ast.parse(source)):
        place = f"{file}:{function.lineno}: {function.name}"
        if not ast.get_docstring(function):
            problems.append(f"{place} has no docstring: say in one sentence what it shows")
        if not any(_is_assertion(node) for node in ast.walk(function)):
            problems.append(f"{place} asserts nothing")
    return problems


def _tests_in(tree: ast.Module | ast.ClassDef) -> Iterator[AnyFunction]:
    # Classes of any name: a suite that others inherit is not called Test*.
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from _tests_in(node)
        elif isinstance(node, AnyFunction) and node.name.startswith("test_"):
            yield node


def _is_assertion(node: ast.AST) -> bool:
    match node:
        case ast.Assert(test=ast.Constant()):
            return False  # `assert True` is only there to please this function
        case ast.Assert():
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="raises" | "fail")):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name.lstrip("_").startswith(("assert_", "check_"))
        case _:
            return False
