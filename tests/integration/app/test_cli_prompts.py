"""
`ctxfy check`, `ctxfy render`, and what the command line says when it is wrong.
"""

import io
import os
import socket
import subprocess
import sys

import pytest

from ctxfy import __version__
from tests.integration.app.cli_kit import Shell


TESTED = """\
---
arguments: {who: {required: true}}
tests:
  - {arguments: {who: Ann}, expect: {contains: ["Ann"]}}
---
Hello {{ who }}
"""


def test_a_good_folder_passes(ctxfy: Shell) -> None:
    """
    `check` counts prompts and the tests in them; for programs as JSON.
    """
    (ctxfy.prompts / "tested.prompt.md").write_text(TESTED)
    said = ctxfy("check")
    assert (said.code, said.out, said.err) == (0, "5 prompts, 1 test: all good.\n", "")
    report = ctxfy("check", str(ctxfy.prompts), "--json").json()
    assert len(report.pop("revision")) == 12
    assert report == {"ok": True, "prompts": 5, "tests": 1, "modules": {}, "problems": []}


def test_every_mistake_is_named_with_its_place(ctxfy: Shell) -> None:
    """
    Exit code 1, file and line of each on standard error, or as JSON.
    """
    (ctxfy.prompts / "bad.prompt.md").write_text(TESTED.replace("Hello {{ who }}", "{{ whom }}"))
    (ctxfy.prompts / "worse.prompt.md").write_text("---\nscope: boss\n---\nx\n")
    said = ctxfy("check")
    assert (said.code, said.out) == (1, "")
    assert "bad.prompt.md:" in said.err
    assert "worse.prompt.md:2" in said.err
    told = ctxfy("check", "--json")
    report = told.json()
    assert (told.code, told.err, report["ok"]) == (1, "", False)
    assert {problem["path"] for problem in report["problems"]} == {
        "bad.prompt.md",
        "worse.prompt.md",
    }
    assert all(set(problem) == {"path", "line", "message"} for problem in report["problems"])


def test_a_folder_without_prompts_is_a_mistake(ctxfy: Shell) -> None:
    """
    Missing, empty, or a file: each in a sentence that says what to do.
    """
    (ctxfy.folder / "empty").mkdir()
    (ctxfy.folder / "file").touch()
    for name, words in (
        ("nowhere", "does not exist; create it"),
        ("empty", "holds no prompts; add a file"),
        ("file", "is a file"),
    ):
        said = ctxfy("check", name)
        assert (said.code, said.out) == (1, "")
        assert words in said.err


def test_a_prompt_is_rendered_as_a_client_would_get_it(
    ctxfy: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Values as they stand, from a file and from standard input; for people and for programs.
    """
    (ctxfy.folder / "name").write_text("Ann=1")
    monkeypatch.setattr("sys.stdin", io.StringIO("Bob"))
    from_file = ctxfy("render", "greet", "who=@name", "times=2")
    assert from_file.out == (
        "[user]\nSay hello to Ann=1, warm, 2 times.\n\n[assistant]\nTo Ann=1.\n"
    )
    told = ctxfy("render", "greet", "who=@-", "--prompt-version", "1.0.0", "--json").json()
    assert told == {
        "template_id": "greet",
        "version": "1.0.0",
        "llm_model": "some-model",
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "Hail to Bob, warm, 1 times."}},
            {"role": "assistant", "content": {"type": "text", "text": "To Bob."}},
        ],
        "result": "Hail to Bob, warm, 1 times.\n\nTo Bob.",
    }
    elsewhere = ctxfy("render", "greet", "who=x", "--prompts", str(ctxfy.prompts.absolute()))
    assert elsewhere.code == 0


def test_a_rendering_that_cannot_be_is_one_sentence(ctxfy: Shell) -> None:
    """
    Unknown prompt with a suggestion, unknown version, wrong arguments, a broken template.
    """
    assert ctxfy.fails("render", "gret") == "Unknown prompt: 'gret'; did you mean 'greet'?"
    assert "'greet' in version '9'" in ctxfy.fails("render", "greet", "--prompt-version", "9")
    assert "'who' is required" in ctxfy.fails("render", "greet")
    assert "There is no argument 'whom'" in ctxfy.fails("render", "greet", "who=x", "whom=x")
    assert ctxfy.fails("render", "greet", "who") == "'who' is not of the form key=value."
    assert ctxfy.fails("render", "greet", "who=@x") == (
        "The file 'x' cannot be read: No such file or directory."
    )
    broken = ctxfy.fails("render", "broken", "n=0")
    assert "broken.prompt.md:4" in broken
    ctxfy.set("CTXFY_LIMITS__ARGUMENT_BYTES", "4")
    assert "'who'" in ctxfy.fails("render", "greet", "who=12345")


def test_a_wrong_command_line_is_exit_code_2(ctxfy: Shell) -> None:
    """
    Unknown command, unknown option, missing or wrong value: one sentence, and where help is.
    """
    for words, help_of in (
        (("frob",), "ctxfy"),
        (("check", "--frob"), "ctxfy check"),
        (("render",), "ctxfy render"),
        (("serve", "--port", "eighty"), "ctxfy serve"),
        (("keys", "create", "--user", "ann", "--scope", "boss"), "ctxfy keys create"),
        (("keys", "revoke", "a", "b"), "ctxfy keys revoke"),
    ):
        assert ctxfy.fails(*words, code=2).endswith(f"See '{help_of} --help'.")


def test_help_and_version_are_shown(ctxfy: Shell) -> None:
    """
    On standard output, exit code 0; alone, the command shows its help.
    """
    for words in (("--help",), ("-h",), (), ("keys",), ("keys", "create", "--help")):
        shown = ctxfy(*words)
        assert (shown.code, shown.err) == (0, "")
        assert "Usage: ctxfy" in shown.out
    assert ctxfy("--version").out == f"{__version__}\n"
    assert ctxfy("-V").out == f"{__version__}\n"


def test_malformed_settings_are_one_sentence(ctxfy: Shell) -> None:
    """
    For each command alike, before it does anything.
    """
    ctxfy.set("CTXFY_SERVER__PORT", "eighty")
    for words in (("check",), ("render", "greet"), ("keys", "list"), ("serve",)):
        assert ctxfy.fails(*words).startswith("The setting CTXFY_SERVER__PORT cannot be used: ")
    ctxfy.set("CTXFY_SERVER__PORT", "")
    ctxfy.set("CTXFY_SEVER__PORT", "1")
    assert "did you mean CTXFY_SERVER__PORT?" in ctxfy.fails("check")
    assert not (ctxfy.folder / "var").exists()


def test_an_address_that_is_not_free_is_named(ctxfy: Shell) -> None:
    """
    `serve` says so before anything costs time, whichever way the address was given.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence = ctxfy.fails("serve", "--port", port)
        assert sentence.startswith(f"Cannot listen on 127.0.0.1 port {port}: ")
        assert "choose another with --port" in sentence
    assert "Cannot listen on 192.0.2.1" in ctxfy.fails("serve", "--host", "192.0.2.1")
    assert "There is no address 'nowhere.invalid'" in ctxfy.fails(
        "serve", "--host", "nowhere.invalid"
    )
    assert "CTXFY_SERVER__PORT" in ctxfy.fails("serve", "--port", "70000")
    assert not (ctxfy.folder / "var").exists()


def test_prompts_with_mistakes_are_not_served(ctxfy: Shell) -> None:
    """
    `serve` ends with all of them, and leaves no file behind.
    """
    (ctxfy.prompts / "bad.prompt.md").write_text("{{ x }}")
    said = ctxfy("serve", "--port", "0")
    assert (said.code, said.out) == (1, "")
    assert "1 problem in the prompts:\n  bad.prompt.md:1" in said.err


def test_a_reader_who_goes_away_is_no_mistake(
    ctxfy: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Output to a closed pipe ends the command quietly.
    """
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        said = ctxfy("check", "--json")
    assert (said.code, said.err) == (1, "")


def test_output_that_cannot_be_written_is_told(
    ctxfy: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A full disk is one sentence, not a success.
    """
    with open("/dev/full", "w", encoding="utf-8") as stdout:  # noqa: PTH123 - a device, not a path
        monkeypatch.setattr(sys, "stdout", stdout)
        said = ctxfy("check", "--json")
    assert (said.code, said.err) == (
        1,
        "ctxfy: The output cannot be used: no space left on device.\n",
    )


def test_the_command_is_quiet_about_a_closed_pipe_to_its_very_end(ctxfy: Shell) -> None:
    """
    Nor does Python complain while it ends.
    """
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "ctxfy", "--version"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        cwd=ctxfy.folder,
    )
    os.close(write)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_modules_are_checked_and_rendered_beside_the_folder(ctxfy: Shell) -> None:
    """
    `check` says what they hold, `render` calls them; `--prompts` and a path leave them out.
    """
    module = ctxfy.folder / "team.py"
    module.write_text(
        "from fastmcp import FastMCP\nmcp = FastMCP()\n\n@mcp.prompt\n"
        "def count(n: int = 2):\n    return f'{10 // n} left'\n"
    )
    ctxfy.set("CTXFY_PROMPTS__MODULES", "./team.py")
    assert ctxfy("check").out == "./team.py: count\n5 prompts, 0 tests: all good.\n"
    report = ctxfy("check", "--json").json()
    assert (report["modules"], report["prompts"]) == ({"./team.py": ["count"]}, 5)
    assert ctxfy("check", str(ctxfy.prompts)).out == "4 prompts, 0 tests: all good.\n"
    assert ctxfy("render", "count", "n=5").out == "[user]\n2 left\n"
    said = ctxfy.fails("render", "count", "n=0")
    assert "its function failed. ZeroDivisionError" in said
    assert "n' must be a whole number" in ctxfy.fails("render", "count", "n=x")
    assert "Unknown prompt" in ctxfy.fails("render", "count", "--prompts", str(ctxfy.prompts))


def test_a_module_that_cannot_be_served_is_a_problem_like_others(ctxfy: Shell) -> None:
    """
    Told by `check` and by `serve`, with its place; an empty folder beside a good one is none.
    """
    (ctxfy.folder / "team.py").write_text("x = 1\ny = x / 0\n")
    ctxfy.set("CTXFY_PROMPTS__MODULES", "./team.py")
    for words in (("check",), ("serve", "--port", "0")):
        ran = ctxfy(*words)
        assert ran.code == 1
        assert "./team.py:2: the module cannot be imported (ZeroDivisionError" in ran.err
    (ctxfy.folder / "team.py").write_text(
        "from fastmcp import FastMCP\nmcp = FastMCP()\n@mcp.prompt\ndef greet():\n    return 'x'\n"
    )
    said = ctxfy("check").err
    assert "greet.prompt.md: prompt 'greet' is a function too (./team.py:greet)" in said
    for file in ctxfy.prompts.iterdir():
        file.unlink()
    assert ctxfy("check").out == "./team.py: greet\n1 prompt, 0 tests: all good.\n"
