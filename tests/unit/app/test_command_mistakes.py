"""
What a wrong command line is answered with.
"""

import pytest
from cyclopts import CycloptsError

from ctxfy.app.cli import app
from ctxfy.app.command_mistakes import explain_command_line


MISTAKES = {
    "sevre": "There is no command 'sevre'; did you mean 'serve'? See 'ctxfy --help'.",
    "xyzzy": "There is no command 'xyzzy'. See 'ctxfy --help'.",
    "keys lst": "There is no command 'keys lst'; did you mean 'keys list'? "
    "See 'ctxfy keys --help'.",
    "--nope": "'ctxfy' has no option '--nope'. See 'ctxfy --help'.",
    "keys -x": "'ctxfy keys' has no option '-x'. See 'ctxfy keys --help'.",
    "serve --prot 1": "'ctxfy serve' has no option '--prot'; did you mean '--port'? "
    "See 'ctxfy serve --help'.",
    "serve -p 1": "'ctxfy serve' has no option '-p'. See 'ctxfy serve --help'.",
    "serve --port": "The option '--port' needs a value. See 'ctxfy serve --help'.",
    "serve --port abc": "'abc' cannot be --port: it must be a whole number. "
    "See 'ctxfy serve --help'.",
    "serve --port 1 --port 2": "The option '--port' is given twice. See 'ctxfy serve --help'.",
    "serve x": "'x' is one word too many for 'ctxfy serve'. See 'ctxfy serve --help'.",
    "check --json=maybe": "'maybe' cannot be --json: it must be true or false. "
    "See 'ctxfy check --help'.",
    "keys create": "'ctxfy keys create' needs --user. See 'ctxfy keys create --help'.",
    "keys show": "'ctxfy keys show' needs KEY_ID. See 'ctxfy keys show --help'.",
    "keys create --user a --scope red": "'red' cannot be --scope: use read, write or admin; "
    "did you mean read? See 'ctxfy keys create --help'.",
    "keys create --user a --ttl-hours 1.5": "'1.5' cannot be --ttl-hours: it must be a whole "
    "number. See 'ctxfy keys create --help'.",
    "completion tcsh": "'tcsh' cannot be SHELL: use bash, zsh or fish. "
    "See 'ctxfy completion --help'.",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_wrong_command_line_is_told_in_our_words(line: str) -> None:
    """
    What is wrong, the nearest right thing, and the help of that very command.
    """
    with pytest.raises(CycloptsError) as caught:
        app(line.split(), exit_on_error=False, print_error=False)
    assert explain_command_line(caught.value) == MISTAKES[line]


def test_a_mistake_nobody_foresaw_is_told_in_the_parsers_words() -> None:
    """
    Better those than none.
    """
    told = explain_command_line(CycloptsError(msg="Something else."))
    assert told == "Something else. See 'ctxfy --help'."
