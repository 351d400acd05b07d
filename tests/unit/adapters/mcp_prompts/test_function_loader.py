"""
Modules of prompts: what is taken of them, and what is refused with place and remedy.
"""

# ruff: noqa: E501 - a row of a table reads best on one line

import sys
from pathlib import Path

import pytest

from ctxfy.adapters.auth.fastmcp_verifier import token_of
from ctxfy.adapters.mcp_prompts.function_loader import load_functions
from ctxfy.adapters.mcp_prompts.function_prompts import call_here
from ctxfy.core.models.auth_models import Scope
from tests.builders import texts_of
from tests.unit.adapters.mcp_prompts.function_kit import functions_of, problems_of


SERVER = (
    "from fastmcp import FastMCP\nfrom fastmcp.server.auth import require_scopes\nmcp = FastMCP()\n"
)
PROMPT = "@mcp.prompt({})\ndef f(a: str = ''):\n    return 'x'\n"


def test_a_function_is_described(tmp_path: Path) -> None:
    """
    By FastMCP's own words, and by `meta` for what it has no word for.
    """
    says = (
        "title='T', description='D', version='2.1', tags={'b', 'a'}, meta={'ctxfy': {'scope': "
        "'write', 'owner': 'o', 'model': 'm', 'changes': 'c', 'complete': {'a': ['x']}, "
        "'max_output_bytes': 9}}"
    )
    template = functions_of(tmp_path, SERVER + PROMPT.format(says))["f"].template
    assert (template.title, template.description, template.version) == ("T", "D", "2.1")
    assert (template.tags, template.scope) == (("a", "b"), Scope.WRITE)
    assert (template.owner, template.model, template.changes) == ("o", "m", "c")
    assert (template.arguments[0].complete, template.max_output_bytes) == (("x",), 9)
    assert (template.messages, template.is_function) == ((), True)
    assert template.source == f"{tmp_path / 'team.py'}:f"


@pytest.mark.parametrize(
    ("says", "scope"),
    [
        ("", Scope.READ),
        ("auth=require_scopes('read')", Scope.READ),
        ("auth=require_scopes('write', 'read')", Scope.WRITE),
        ("auth=lambda context: 'admin' in context.token.scopes", Scope.ADMIN),
        ("auth=require_scopes('read'), meta={'ctxfy': {'scope': 'admin'}}", Scope.ADMIN),
        ("auth=require_scopes('admin'), meta={'ctxfy': {'scope': 'write'}}", Scope.ADMIN),
    ],
)
def test_the_stronger_of_scope_and_auth_holds(tmp_path: Path, says: str, scope: Scope) -> None:
    """
    `auth=` is the least scope that it lets in.
    """
    assert functions_of(tmp_path, SERVER + PROMPT.format(says))["f"].template.scope is scope


def test_a_digest_follows_the_text_of_the_module(tmp_path: Path) -> None:
    """
    The same file gives the same digest wherever it lies; another text or version another.
    """
    source = SERVER + PROMPT.format("version='1'")
    (tmp_path / "elsewhere").mkdir()
    digests = [
        functions_of(folder, text)["f"].template.digest
        for folder, text in (
            (tmp_path, source),
            (tmp_path / "elsewhere", source),
            (tmp_path, source.replace("'x'", "'y'")),
            (tmp_path, source.replace("'1'", "'2'")),
        )
    ]
    assert digests[0] == digests[1]
    assert len({*digests}) == 3


def test_versions_of_one_function_stand_beside_each_other(tmp_path: Path) -> None:
    """
    Each is called by its own version, and no name is taken twice.
    """
    body = "@mcp.prompt(version='{0}')\ndef f():\n    return '{0}'\n"
    (tmp_path / "team.py").write_text(SERVER + body.format("1.0") + body.format("2.0"))
    functions = load_functions([str(tmp_path / "team.py")], seconds=5, token_of=token_of)
    texts = {item.template.version: texts_of(call_here(item, {}).messages) for item in functions}
    assert texts == {"1.0": ["1.0"], "2.0": ["2.0"]}


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (SERVER, "team.py: the module holds no prompts; write a function below @mcp.prompt"),
        ("x = 1", "team.py: a prompt module holds its server as 'mcp = FastMCP()', and here there is none"),
        ("mcp = 1", "team.py: a prompt module holds its server as 'mcp = FastMCP()', and here it is a int"),
        ("x = 1\ny = x / 0", "team.py:2: the module cannot be imported (ZeroDivisionError: division by zero); correct it, or take it out of CTXFY_PROMPTS__MODULES"),
        ("x = (", "team.py:1: the module cannot be imported (SyntaxError: '(' was never closed); correct it, or take it out of CTXFY_PROMPTS__MODULES"),
        ("import sys\nsys.exit()", "team.py:2: the module cannot be imported (it ends the program; put that below: if __name__ == '__main__'); correct it, or take it out of CTXFY_PROMPTS__MODULES"),
        ("import no_such_library", "team.py:1: the module cannot be imported (ModuleNotFoundError: No module named 'no_such_library'); correct it, or take it out of CTXFY_PROMPTS__MODULES"),
        (SERVER + "@mcp.prompt\ndef f(*args):\n    return 'x'", "team.py:4: the module cannot be imported (ValueError: Functions with *args are not supported as prompts); correct it, or take it out of CTXFY_PROMPTS__MODULES"),
        (SERVER + PROMPT.format("name='no name'"), "team.py:4: prompt 'no name': this cannot be a prompt's name; give one by @mcp.prompt(name=...)"),
        (SERVER + PROMPT.format("version='new'"), "team.py:4: prompt 'f': 'new' is not a version; write for example 2.1.0"),
        (SERVER + PROMPT.format("meta={'ctxfy': {'scop': 'read'}}"), "team.py:4: prompt 'f': meta['ctxfy'] does not know 'scop'; did you mean 'scope'?"),
        (SERVER + PROMPT.format("meta={'ctxfy': {'zzz': 1}}"), "team.py:4: prompt 'f': meta['ctxfy'] does not know 'zzz'; it knows scope, owner, model, changes, complete, max_output_bytes"),
        (SERVER + PROMPT.format("meta={'ctxfy': {'scope': 'god'}}"), "team.py:4: prompt 'f': meta['ctxfy'] is not right at 'scope': input should be 'read', 'write' or 'admin'"),
        (SERVER + PROMPT.format("meta={'ctxfy': {'complete': {'b': []}}}"), "team.py:4: prompt 'f': there is no argument 'b' to complete"),
        (SERVER + PROMPT.format("auth=require_scopes('root')"), "team.py:4: prompt 'f': its auth= lets no key in; use require_scopes with 'read', 'write' or 'admin'"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, source: str, problem: str) -> None:
    """
    Each is told with the module, the line where there is one, and the remedy.
    """
    (tmp_path / "team.py").write_text(source)
    assert problems_of(str(tmp_path / "team.py")) == [f"{tmp_path}/{problem}"]


def test_a_module_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A path and a name have remedies of their own, and all are told at once.
    """
    monkeypatch.chdir(tmp_path)
    path, name = problems_of("./gone.py", "gone_module")
    assert path.startswith("./gone.py: there is no such file; correct it, or take it out of ")
    assert name.startswith("gone_module: there is no module of that name; install it, put its ")
    assert name.endswith("folder into PYTHONPATH, or give the path of a file: ./gone_module.py")


def test_one_name_belongs_to_one_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Two modules with the same prompt are refused.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in ("one", "two"):
        (tmp_path / f"{name}_prompts.py").write_text(SERVER + PROMPT.format("version='1'"))
    (problem,) = problems_of("one_prompts", "./two_prompts.py")
    assert problem.startswith("./two_prompts.py: prompt 'f' version 1 is in one_prompts too; ")


def test_a_module_may_import_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As if it were run; but no neighbour takes the place of a module of ours.
    """
    monkeypatch.setattr(sys, "path", sys.path[:])
    (tmp_path / "words_of_team.py").write_text("TEXT = 'hello'\n")
    (tmp_path / "json.py").write_text("raise RuntimeError('not this one')\n")
    source = f"import json\nfrom words_of_team import TEXT\n{SERVER}{PROMPT.format('title=TEXT')}"
    assert functions_of(tmp_path, source)["f"].template.title == "hello"
