"""
Any record of the standard library becomes a line.
"""

import json
import logging
from datetime import UTC, datetime

import pytest

from ctxfy.adapters.monitoring.log_lines import json_line
from ctxfy.adapters.monitoring.log_pipeline import LineFormatter, OurRecord


def _line(
    message: str, *arguments: object, level: int = logging.INFO, **extra: object
) -> dict[str, object]:
    record = logging.LogRecord("plugin", level, "", 0, message, arguments, None)
    record.__dict__.update(extra)
    return _written(record)


def _written(record: logging.LogRecord) -> dict[str, object]:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    written = json.loads(LineFormatter(json_line, lambda: now).format(record))
    assert isinstance(written, dict)
    return written


@pytest.mark.parametrize(
    ("message", "arguments"),
    [("%d", ("x",)), ("%s %s", ("x",)), ("%(a)s", ({"b": 1},)), ("plain", ("x",))],
    ids=["type", "number", "name", "none wanted"],
)
def test_a_record_that_cannot_be_formatted_is_still_a_line(
    message: str, arguments: tuple[object, ...]
) -> None:
    """
    Wrong placeholders lose the arguments, not the message, and say why.
    """
    line = _line(message, *arguments, level=logging.WARNING)
    assert (line["message"], line["level"], line["logger"]) == (message, "WARNING", "plugin")
    assert "Error" in str(line["unformatted_because"])


@pytest.mark.parametrize(
    ("number", "level"),
    [
        (5, "DEBUG"),
        (10, "DEBUG"),
        (15, "DEBUG"),
        (20, "INFO"),
        (25, "INFO"),
        (30, "WARNING"),
        (45, "ERROR"),
        (60, "CRITICAL"),
    ],
)
def test_levels_between_the_levels_are_rounded_down(number: int, level: str) -> None:
    """
    A line's level is one of the five, in upper case.
    """
    assert _line("x", level=number)["level"] == level


def test_extras_become_fields() -> None:
    """
    `extra=` fills required fields where it names them in the right type, and is redacted.
    """
    line = _line("done", llm_model="m", status_code="200", latency_ms=1.5, api_key="x", n=1)
    assert (line["llm_model"], line["latency_ms"], line["status_code"]) == ("m", 1.5, None)
    strange = _line("done", status_code=True, latency_ms=2**70, prompt=7, exception="none")
    assert (strange["status_code"], strange["latency_ms"]) == (None, None)
    assert (strange["prompt"], strange["extra.exception"]) == ("7", "none")
    assert (line["api_key"], line["n"]) == ("[redacted]", 1)


@pytest.mark.parametrize("exc_info", [None, (None, None, None), False])
def test_no_exception_is_no_field(exc_info: object) -> None:
    """
    `exc_info` with nothing in it, as outside of an `except`, leaves no trace.
    """
    assert "exception" not in _written(OurRecord(20, "x", {"exc_info": exc_info}))


def test_a_stack_without_an_error_is_left_out() -> None:
    """
    `stack_info=True` asks for text over many lines, full of the machine's paths.
    """
    assert "stack_info" not in _line("x", stack_info="Stack (most recent call last):\n  File ...")


def test_a_record_of_ours_may_be_written_twice() -> None:
    """
    Two handlers write the same line: writing does not use the record up.
    """
    record = OurRecord(logging.INFO, "it_happened", {"request_id": "r-1", "n": 1})
    assert _written(record) == _written(record)
