"""
Completion in a real shell.
"""

import subprocess

import pytest

from tests.integration.app.cli_kit import Shell


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ctxfy", "ser"), {"serve"}),
        (("ctxfy", "keys", "re"), {"revoke"}),
        (("ctxfy", "serve", "--po"), {"--port"}),
        (("ctxfy", "keys", "create", "--scope", "w"), {"write"}),
    ],
)
def test_bash_completes_with_the_script(
    ctxfy: Shell, words: tuple[str, ...], offered: set[str]
) -> None:
    """
    Commands, their commands, options, and values of which there is a choice.
    """
    script = ctxfy("completion", "bash").out
    ask = (
        f"{script}\nCOMP_WORDS=({' '.join(words)}); COMP_CWORD={len(words) - 1}\n"
        "_ctxfy\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
    )
    found = subprocess.run(
        ["/bin/bash", "--norc", "-c", ask], capture_output=True, text=True, check=True, timeout=20
    )
    assert offered <= {word.strip() for word in found.stdout.splitlines()}
    assert found.stderr == ""


def test_other_shells_have_a_script_of_their_own(ctxfy: Shell) -> None:
    """
    For zsh and fish, on standard output alone.
    """
    for shell, begins in (("zsh", "#compdef ctxfy"), ("fish", "# Fish completion")):
        said = ctxfy("completion", shell)
        assert (said.code, said.err) == (0, "")
        assert said.out.lower().startswith(begins.lower())
