"""
Exceptions become plain values.
"""

import json

import pytest

from ctxfy.adapters.monitoring.log_exceptions import (
    MAX_CAUSES,
    MAX_FRAMES,
    describe_exception,
    safe_text,
)


class SilentError(Exception):
    """
    An error that cannot even say what it is.
    """

    def __str__(self) -> str:
        raise RuntimeError


def _caught(raising: object) -> BaseException:
    assert callable(raising)
    with pytest.raises(Exception) as info:  # noqa: PT011 - any will do
        raising()
    return info.value


def _fail() -> None:
    raise ValueError("first\nsecond")


def _wrap() -> None:
    try:
        _fail()
    except ValueError as error:
        raise SilentError from error


def _recurse(depth: int) -> None:
    if depth == 0:
        raise RecursionError
    _recurse(depth - 1)


def test_an_exception_has_type_message_frames_and_cause() -> None:
    """
    All that a traceback says is there, as values that JSON can hold.
    """
    described = describe_exception(_caught(_fail))
    assert described["type"] == "ValueError"
    assert described["message"] == "first\nsecond"
    assert described["cause"] is None
    assert json.loads(json.dumps(described)) == described


def test_frames_name_the_module_and_not_the_machine() -> None:
    """
    A frame's file is relative to where packages live; the last frame is where it happened.
    """
    frames = describe_exception(_caught(_fail))["frames"]
    assert isinstance(frames, list)
    last = frames[-1]
    assert last["file"].endswith("test_log_exceptions.py")
    assert not last["file"].startswith("/")
    assert last["function"] == "_fail"
    assert last["line"] == _fail.__code__.co_firstlineno + 1


def test_a_package_is_named_by_its_file() -> None:
    """
    What fails in `json/__init__.py` is said to fail there.
    """
    frames = describe_exception(_caught(lambda: json.loads("{")))["frames"]
    assert isinstance(frames, list)
    assert [frame["file"] for frame in frames][2:] == [
        "json/__init__.py",
        "json/decoder.py",
        "json/decoder.py",
    ]


def test_the_cause_is_told_and_an_error_without_text_too() -> None:
    """
    `raise ... from` is followed, also out of an error that cannot be printed.
    """
    described = describe_exception(_caught(_wrap))
    assert str(described["type"]).endswith(".SilentError")
    assert described["message"] == "<SilentError without text>"
    cause = described["cause"]
    assert isinstance(cause, dict)
    assert cause["type"] == "ValueError"


def test_what_was_being_handled_is_told_unless_suppressed() -> None:
    """
    The context stands in for a cause; `from None` hides it.
    """
    error = KeyError("k")
    error.__context__ = ValueError("v")
    cause = describe_exception(error)["cause"]
    assert isinstance(cause, dict)
    assert cause["message"] == "v"
    error.__suppress_context__ = True
    assert describe_exception(error)["cause"] is None


def test_a_ring_of_causes_ends() -> None:
    """
    Two errors that cause each other are told a few times, not for ever.
    """
    one, other = ValueError("1"), ValueError("2")
    one.__cause__, other.__cause__ = other, one
    assert json.dumps(describe_exception(one)).count('"type"') == MAX_CAUSES + 1


def test_a_deep_stack_keeps_its_end() -> None:
    """
    Of a thousand frames the innermost are kept.
    """
    frames = describe_exception(_caught(lambda: _recurse(200)))["frames"]
    assert isinstance(frames, list)
    assert len(frames) == MAX_FRAMES
    assert frames[-1]["function"] == "_recurse"


def test_a_group_tells_its_members() -> None:
    """
    What failed inside a task group is not lost behind "unhandled errors in a TaskGroup".
    """
    group = ExceptionGroup("several", [ValueError("a"), KeyError("b")])
    members = describe_exception(group)["exceptions"]
    assert isinstance(members, list)
    assert [member["type"] for member in members] == ["ValueError", "KeyError"]


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (1, "1"), (None, "None")])
def test_text_is_text(value: object, text: str) -> None:
    """
    What has a text is written as that.
    """
    assert safe_text(value) == text
