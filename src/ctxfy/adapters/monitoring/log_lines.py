"""
The fields of a log record as one line: JSON for programs, aligned words for people.
"""

from collections.abc import Mapping
from typing import cast

import orjson

from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.core.use_cases.monitoring_use_cases import redact_logged_text


Fields = Mapping[str, object]

# Dataclasses and subclasses would be written with all their fields, past the redaction.
_OPTIONS = (
    orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
)
LARGEST_NUMBER = 2**63 - 1

_COLOURS = {
    "DEBUG": "\x1b[2m",
    "INFO": "\x1b[32m",
    "WARNING": "\x1b[33m",
    "ERROR": "\x1b[31m",
    "CRITICAL": "\x1b[1;31m",
}
_DIM = "\x1b[2m"
_RESET = "\x1b[0m"
_INDENT = "    "
_OWN_PLACE = frozenset({"timestamp", "level", "message", "exception"})


def json_line(fields: Fields) -> str:
    """
    Write one JSON object without line breaks, whatever the fields hold.
    """
    try:
        return orjson.dumps(fields, default=_redacted_text, option=_OPTIONS).decode()
    except Exception:  # noqa: BLE001 - orjson refuses lone surrogates, huge integers, rings
        return orjson.dumps(
            {_plain_text(key): _plain(item) for key, item in fields.items()}
        ).decode()


def console_line(fields: Fields, *, coloured: bool) -> str:
    """
    Write one readable line; an exception follows on lines of its own.
    """
    level = str(fields["level"])
    time = str(fields["timestamp"])[11:]  # the day is known to whoever looks at a terminal
    colour, dim, reset = (_COLOURS.get(level, ""), _DIM, _RESET) if coloured else ("", "", "")
    words = [
        f"{dim}{name}={reset}{_shown(value, quoted=True)}"
        for name, value in fields.items()
        if value is not None and name not in _OWN_PLACE
    ]
    line = f"{dim}{time}{reset} {colour}{level:<8}{reset} {_shown(fields['message'])}"
    return "\n".join(["  ".join([line, *words]), *_exception_lines(fields.get("exception"))])


def exception_text(described: Fields) -> str:
    """
    Write an exception as one text of several lines: what was raised, where, and by what.
    """
    return "\n".join(line.removeprefix(_INDENT) for line in _exception_lines(described))


def _redacted_text(value: object) -> str:
    return redact_logged_text(safe_text(value))


def _plain(value: object) -> object:
    if value is None or isinstance(value, float | bool):
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_NUMBER:
        return value
    return _plain_text(value)


def _plain_text(value: object) -> str:
    # Not every string of Python's has a form in UTF-8.
    return _redacted_text(value).encode("utf-8", "backslashreplace").decode()


def _shown(value: object, *, quoted: bool = False) -> str:
    # A line break or an escape sequence in a value must not forge a line or move the cursor.
    text = _plain_text(value)
    if not text.isprintable():
        text = repr(text)[1:-1]
    return repr(text) if quoted and (" " in text or not text) else text


def _exception_lines(described: object, heading: str = "") -> list[str]:
    if not isinstance(described, Mapping):
        return []
    error = cast("Fields", described)
    lines = [f"{_INDENT}{heading}{error.get('type')}: {_shown(error.get('message'))}"]
    lines += [
        f"{_INDENT}  {frame['file']}:{frame['line']} in {frame['function']}"
        for frame in cast("list[Fields]", error.get("frames") or [])
    ]
    for member in cast("list[object]", error.get("exceptions") or []):
        lines += _exception_lines(member, "with ")
    return lines + _exception_lines(error.get("cause"), "caused by ")
