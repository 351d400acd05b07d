"""
What is wrong with a command line, in one sentence.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from types import NoneType, UnionType
from typing import Literal, cast, get_args, get_origin

from cyclopts import (
    App,
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    Token,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
)


def explain_command_line(error: CycloptsError) -> str:
    """
    Say what to mend, and where the help is.
    """
    command = " ".join(("ctxfy", *(error.command_chain or ())))
    return f"{_sentence(error, command)} See '{command} --help'."


def _sentence(error: CycloptsError, command: str) -> str:
    match error:
        case UnknownCommandError(unused_tokens=[word, *_]):
            return _unknown_command(command, word, error.app)
        case MissingArgumentError(keyword=keyword, argument=argument):
            missing = argument.name if argument else "more"
            return (
                f"The option '{keyword}' needs a value."
                if keyword
                else f"'{command}' needs {missing}."
            )
        case UnusedCliTokensError(unused_tokens=[word, *_]):
            return f"'{word}' is one word too many for '{command}'."
        case UnknownOptionError(token=token) | RepeatArgumentError(token=token):
            return _wrong_option(error, token, command)
        case CoercionError(token=Token() as token):
            place = token.keyword or (error.argument.name if error.argument else "it")
            return f"'{token.value}' cannot be {place}: {_wanted(error, token.value)}"
        case _:
            return str(error)


def _wrong_option(
    error: UnknownOptionError | RepeatArgumentError, token: Token, command: str
) -> str:
    option = token.keyword or token.value
    if isinstance(error, RepeatArgumentError):
        return f"The option '{option}' is given twice."
    names = [name for each in error.argument_collection for name in each.names]
    return f"'{command}' has no option '{option}'{_hint(option, names)}"


def _unknown_command(command: str, word: str, app: App | None) -> str:
    names = [name for name in app or () if not name.startswith("-")]
    if word.startswith("-"):
        return f"'{command}' has no option '{word}'."
    path = command.removeprefix("ctxfy").lstrip()
    whole = f"{path} {word}".lstrip()
    near = get_close_matches(word, names, n=1)
    hint = f"; did you mean '{f'{path} {near[0]}'.lstrip()}'?" if near else "."
    return f"There is no command '{whole}'{hint}"


def _hint(word: str, names: Iterable[str]) -> str:
    near = get_close_matches(word.partition("=")[0], list(names), n=1)
    return f"; did you mean '{near[0]}'?" if near else "."


def _wanted(error: CoercionError, given: str) -> str:
    # The declared type, since a converter of ours leaves the other one as it is written.
    kind = _bare(error.argument.hint if error.argument else error.target_type)
    if choices := _choices(kind):
        near = get_close_matches(given, choices, n=1)
        listed = f"use {', '.join(choices[:-1])} or {choices[-1]}" if choices[1:] else choices[0]
        return f"{listed}{f'; did you mean {near[0]}?' if near else '.'}"
    return f"it must be {_KINDS.get(cast('type', kind), 'something else')}."


def _bare(kind: object) -> object:
    """
    Take `| None` off a type.
    """
    if get_origin(kind) is UnionType or isinstance(kind, UnionType):
        return next(item for item in get_args(kind) if item is not NoneType)
    return kind


def _choices(kind: object) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(item) for item in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(item.value) for item in kind]
    return []


_KINDS = {int: "a whole number", float: "a number", bool: "true or false"}
