"""
The command line, when ctxfy itself is wrong.
"""

import sys

import pytest

from ctxfy.app import cli


def test_a_defect_is_one_sentence_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    An error nobody foresaw says where it was, and that it should be reported.
    """

    def broken(*_: object) -> None:
        message = "secret words"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(cli, "chosen_settings", broken)
    monkeypatch.setattr(sys, "argv", ["ctxfy", "check"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    shown = capsys.readouterr().err
    assert caught.value.code == 1
    assert shown.startswith("ctxfy: Something went wrong inside: ZeroDivisionError in test_cli_")
    assert "secret words" not in shown
