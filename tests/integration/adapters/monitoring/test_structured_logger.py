"""
Our own records, through the real pipeline.
"""

import logging

import pytest

from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord
from ctxfy.adapters.monitoring.structured_logger import StructuredLogger
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS
from tests.integration.adapters.monitoring.conftest import Configure


def _raise(error: Exception) -> None:
    raise error


def _logger() -> LoggingPort:
    return StructuredLogger(user_id_form="pseudonym", pseudonym=lambda user_id: f"p-{len(user_id)}")


def test_a_request_has_one_line_with_all_its_facts(configure: Configure) -> None:
    """
    The canonical line holds the required fields in order, then whatever else is known.
    """
    lines = configure()
    _logger().log_request(
        "r-1",
        "/prompts/{name}",
        1.23456,
        "alice",
        method="GET",
        status_code=200,
        extra={"llm_model": "m", "prompt": "letter", "api_key": "x", "event": "e", "level": 1},
    )
    (line,) = lines.parsed()
    assert line == {
        "timestamp": "2026-11-22T12:00:00.000Z",
        "level": "INFO",
        "message": "request_served",
        "request_id": "r-1",
        "latency_ms": 1.235,
        "user_id": "p-5",
        "endpoint": "/prompts/{name}",
        "method": "GET",
        "status_code": 200,
        "llm_model": "m",
        "trace_id": None,
        "span_id": None,
        "key_id": None,
        "prompt": "letter",
        "prompt_version": None,
        "client_name": None,
        "client_version": None,
        "protocol_version": None,
        "bytes_in": None,
        "bytes_out": None,
        "logger": "ctxfy",
        "api_key": "[redacted]",
        "event": "e",
        "extra.level": 1,
    }
    assert tuple(line)[: len(REQUIRED_LOG_FIELDS)] == REQUIRED_LOG_FIELDS


@pytest.mark.parametrize(("status", "level"), [(204, "INFO"), (401, "WARNING"), (503, "ERROR")])
def test_the_level_follows_the_status(configure: Configure, status: int, level: str) -> None:
    """
    Whoever filters by level sees faults and refusals.
    """
    lines = configure()
    _logger().log_request("r", "/x", 1, None, status_code=status)
    assert lines.parsed()[0]["level"] == level


def test_people_appear_clear_if_so_set(configure: Configure) -> None:
    """
    With the form `clear` the pseudonym is not asked for.
    """
    lines = configure()
    logger = StructuredLogger(user_id_form="clear", pseudonym=lambda _: "never")
    logger.log_request("r", "/x", 1, "alice")
    logger.log_event("key_created", user_id="bob")
    assert [line["user_id"] for line in lines.parsed()] == ["alice", "bob"]


def test_an_error_has_its_request_and_its_stack(configure: Configure) -> None:
    """
    An error is one line, with a structured exception and its context.
    """
    lines = configure()
    try:
        _raise(ValueError("token=abc"))
    except ValueError as error:
        _logger().log_error("r-1", error, {"endpoint": "/x", "user_id": "bob", "part": "store"})
    (line,) = lines.parsed()
    assert (line["message"], line["level"]) == ("error_raised", "ERROR")
    assert (line["request_id"], line["endpoint"], line["user_id"]) == ("r-1", "/x", "p-3")
    described = line["exception"]
    assert isinstance(described, dict)
    assert (described["type"], described["message"]) == ("ValueError", "token=[redacted]")
    assert [frame["function"] for frame in described["frames"]] == [
        "test_an_error_has_its_request_and_its_stack",
        "_raise",
    ]


def test_an_event_has_its_fields_and_its_level(configure: Configure) -> None:
    """
    An event is INFO unless a level is given, and belongs to the request being served.
    """
    lines = configure()
    token = CURRENT_RECORD.set(RequestRecord("r-1"))
    _logger().log_event("catalog_loaded", prompts=3)
    CURRENT_RECORD.reset(token)
    _logger().log_event("reload_failed", level=LogLevel.WARNING)
    _logger().log_event("not_written", level=LogLevel.DEBUG)
    first, second = lines.parsed()
    assert (first["message"], first["prompts"], first["request_id"]) == ("catalog_loaded", 3, "r-1")
    assert (second["level"], second["request_id"]) == ("WARNING", None)


def test_facts_gather_on_the_record_of_the_request() -> None:
    """
    What is annotated during a request is there when its line is written; outside it goes nowhere.
    """
    logger, record = _logger(), RequestRecord("r-1")
    token = CURRENT_RECORD.set(record)
    logger.annotate(prompt="letter", llm_model="m")
    logger.annotate(prompt_version="1")
    CURRENT_RECORD.reset(token)
    logger.annotate(prompt="other")
    assert record.facts == {"prompt": "letter", "llm_model": "m", "prompt_version": "1"}


def test_a_request_keeps_its_line_when_a_fact_is_broken(configure: Configure) -> None:
    """
    A fact that contains itself is left out, and said to be.
    """
    lines = configure()
    ring: dict[str, object] = {}
    ring["ring"] = ring
    _logger().log_request("r-1", "/x", 1.0, "bob", status_code=200, extra={"a": ring, "b": 1})
    (line,) = lines.parsed()
    assert (line["request_id"], line["status_code"], line["b"]) == ("r-1", 200, 1)
    assert (line["user_id"], line["logger"]) == ("p-3", "ctxfy")
    assert "RecursionError" in str(line["unformatted_because"])


def test_a_pseudonym_that_fails_costs_no_request(configure: Configure) -> None:
    """
    Nothing is raised, and the name is not written in clear either.
    """

    def fail(user_id: str) -> str:
        raise OSError(user_id)

    lines = configure()
    logger = StructuredLogger(user_id_form="pseudonym", pseudonym=fail)
    logger.log_request("r-1", "/x", 1.0, "alice", status_code=200)
    assert "alice" not in lines.text
    assert lines.parsed()[0]["request_id"] == "r-1"


def test_what_is_below_the_level_is_not_written(configure: Configure) -> None:
    """
    At WARNING, an ordinary request leaves no line.
    """
    lines = configure(level=LogLevel.WARNING)
    _logger().log_request("r", "/x", 1, None, status_code=200)
    assert lines.text == ""
    assert logging.getLogger("ctxfy").isEnabledFor(logging.WARNING)
