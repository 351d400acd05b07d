"""
Every record of the process becomes one line, whoever wrote it.
"""

import io
import json
import logging
import logging.config
import warnings
from datetime import UTC, datetime

import pytest
import structlog
import uvicorn.config
from fastmcp.utilities.logging import configure_logging as configure_fastmcp

from ctxfy.adapters.monitoring.log_levels import LogLevels
from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.adapters.monitoring.request_record import CURRENT_RECORD, RequestRecord
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.log_level_use_cases import ROOT
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS
from tests.integration.adapters.monitoring.conftest import Configure


FOREIGN = [
    "uvicorn",
    "uvicorn.error",
    "fastmcp",
    "fastmcp.server",
    "mcp",
    "mcp.server.lowlevel",
    "asyncio",
    "sqlalchemy",
    "py.warnings",
    "httpx",
    "sse_starlette",
    "anybody.else",
]
SECRETIVE = [
    "fastmcp.server.server",
    "mcp",
    "httpx",
    "httpcore.http11",
    "asyncio",
    "sse_starlette.sse",
]


def _raise(error: Exception) -> None:
    raise error


class Terminal(io.StringIO):
    """
    A stream that somebody looks at.
    """

    def isatty(self) -> bool:
        """
        Say so.
        """
        return True


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_record_is_a_line_like_ours(configure: Configure, name: str) -> None:
    """
    Any library's record, also one with a traceback, is one JSON object with all required fields.
    """
    lines = configure()
    logging.getLogger(name).setLevel(logging.NOTSET)
    try:
        _raise(ValueError("password=hunter2\nand more"))
    except ValueError:
        logging.getLogger(name).warning("over\ntwo %s", "lines", exc_info=True)
        logging.getLogger(name).exception("over\ntwo %s", "lines")
    warning, error = lines.parsed()
    assert (warning["level"], error["level"]) == ("WARNING", "ERROR")
    for line in (warning, error):
        assert tuple(line)[: len(REQUIRED_LOG_FIELDS)] == REQUIRED_LOG_FIELDS
        assert (line["message"], line["logger"]) == ("over\ntwo lines", name)
        assert line["timestamp"] == "2026-11-22T12:00:00.000Z"
        described = line["exception"]
        assert isinstance(described, dict)
        assert described["message"] == "password=[redacted]\nand more"
    assert "Traceback" not in lines.text


@pytest.mark.parametrize("name", SECRETIVE)
def test_libraries_that_print_arguments_are_never_verbose(configure: Configure, name: str) -> None:
    """
    At our DEBUG they are not at theirs, also where a library sets its own logger to DEBUG.
    """
    lines = configure(level=LogLevel.DEBUG)
    logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).debug("arguments: %s", "my letter")
    logging.getLogger(name).warning("slow")
    logging.getLogger("ctxfy.own").debug("seen")
    assert [line["message"] for line in lines.parsed()] == ["slow", "seen"]


@pytest.mark.parametrize(
    "name", ["sqlalchemy.engine.Engine", "mcp.server.streamable_http", "fastmcp", "uvicorn.error"]
)
def test_libraries_that_chatter_are_heard_from_warning_on(configure: Configure, name: str) -> None:
    """
    SQLAlchemy prints values at INFO already, mcp several lines for each request.
    """
    lines = configure(level=LogLevel.DEBUG)
    logging.getLogger(name).info("('my letter',)")
    logging.getLogger(name).warning("slow")
    assert [line["message"] for line in lines.parsed()] == ["slow"]


@pytest.mark.parametrize("name", ["asyncio", "py.warnings", "anybody.else", "ctxfy"])
def test_the_others_are_heard_from_info_on(configure: Configure, name: str) -> None:
    """
    Whoever keeps quiet by itself is written at the level that was set.
    """
    lines = configure()
    logging.getLogger(name).debug("hidden")
    logging.getLogger(name).info("started")
    assert [line["message"] for line in lines.parsed()] == ["started"]


def test_a_logger_has_a_level_of_its_own(configure: Configure) -> None:
    """
    For all below it too, above and below the general one, and over what chatters by itself.
    """
    levels = {"plugin": LogLevel.ERROR, "quiet.part": LogLevel.DEBUG, "watchfiles": LogLevel.INFO}
    lines = configure(**levels)
    for name in ("plugin.inner", "quiet", "quiet.part", "watchfiles.main"):
        logger = logging.getLogger(name)
        logger.debug("%s debug", name)
        logger.info("%s info", name)
    logging.getLogger("plugin.inner").setLevel(logging.DEBUG)  # as libraries do by themselves
    logging.getLogger("plugin.inner").warning("not heard")
    assert [line["message"] for line in lines.parsed()] == [
        "quiet info",
        "quiet.part debug",
        "quiet.part info",
        "watchfiles.main info",
    ]


def test_levels_change_while_the_process_runs(configure: Configure) -> None:
    """
    What is taken back is as if it had never been asked for; what prints arguments stays quiet.
    """
    lines = configure()
    levels = LogLevels()
    for in_force in ({"plugin": LogLevel.DEBUG, "mcp": LogLevel.DEBUG}, {}):
        levels.apply({ROOT: LogLevel.INFO, **in_force})
        for name in ("plugin", "mcp"):
            logging.getLogger(name).debug("arguments")
    assert [line["logger"] for line in lines.parsed()] == ["plugin"]


def test_uvicorns_access_log_is_replaced_by_our_line(configure: Configure) -> None:
    """
    A request is told about once, by us.
    """
    lines = configure(level=LogLevel.DEBUG)
    logging.getLogger("uvicorn.access").info("GET /")
    assert lines.text == ""


def test_fastmcps_own_handlers_do_not_come_back(configure: Configure) -> None:
    """
    FastMCP configured after us, as when it is imported late, still writes through the pipeline.
    """
    lines = configure()
    configure_fastmcp(level="DEBUG")
    logging.getLogger("fastmcp.server").warning("seen")
    logging.getLogger("fastmcp.server").debug("not seen")
    assert [line["message"] for line in lines.parsed()] == ["seen"]
    assert logging.getLogger("fastmcp").handlers == []


def test_uvicorns_own_handlers_do_not_come_back(configure: Configure) -> None:
    """
    Uvicorn's default configuration, applied after ours, changes nothing.
    """
    lines = configure()
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    logging.getLogger("uvicorn.error").warning("started", extra={"color_message": "x"})
    logging.getLogger("uvicorn.access").info("GET /")
    (line,) = lines.parsed()
    assert line["message"] == "started"
    assert "color_message" not in line


def test_a_foreign_record_belongs_to_the_request_being_served(configure: Configure) -> None:
    """
    What a library says during a request carries the request's id, afterwards none.
    """
    lines = configure()
    token = CURRENT_RECORD.set(RequestRecord("r-1"))
    logging.getLogger("mcp").warning("inside")
    CURRENT_RECORD.reset(token)
    logging.getLogger("mcp").warning("outside")
    assert [line["request_id"] for line in lines.parsed()] == ["r-1", None]


def test_structlog_of_others_comes_through_the_same_pipeline(configure: Configure) -> None:
    """
    A prompt function that uses structlog by itself writes lines like ours, by level.
    """
    lines = configure()
    logger = structlog.get_logger("plugin")
    logger.debug("hidden")
    try:
        _raise(KeyError("k"))
    except KeyError:
        logger.exception("letter_written", token="x", pages=2)
    (line,) = lines.parsed()
    assert (line["message"], line["level"]) == ("letter_written", "ERROR")
    assert (line["token"], line["pages"], line["logger"]) == ("[redacted]", 2, "plugin")
    error = line["exception"]
    assert isinstance(error, dict)
    assert error["type"] == "KeyError"


def test_warnings_are_lines(configure: Configure) -> None:
    """
    Python's warnings are records of `py.warnings`.
    """
    lines = configure()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)  # pytest has put its own in between
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    (line,) = lines.parsed()
    assert (line["logger"], line["level"]) == ("py.warnings", "WARNING")
    assert "DeprecationWarning: old" in str(line["message"])


def test_a_stream_that_fails_fails_nobody(configure: Configure) -> None:
    """
    A closed stream loses lines and raises nothing.
    """
    lines = configure()
    lines.stream.close()
    logging.getLogger("plugin").info("lost")
    assert lines.stream.closed


def test_configuring_twice_writes_once(configure: Configure) -> None:
    """
    The later configuration replaces the earlier.
    """
    first, second = configure(), configure()
    logging.getLogger("plugin").info("x")
    assert (first.text, len(second.parsed())) == ("", 1)


@pytest.mark.parametrize(
    ("form", "terminal", "is_json"),
    [
        ("auto", True, False),
        ("auto", False, True),
        ("json", True, True),
        ("console", False, False),
    ],
)
@pytest.mark.usefixtures("configure")
def test_auto_is_for_people_on_a_terminal_and_json_elsewhere(
    form: str, terminal: bool, is_json: bool
) -> None:
    """
    The form follows the setting, and `auto` the stream; colours only on a terminal.
    """
    stream = Terminal() if terminal else io.StringIO()
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert form in {"json", "console", "auto"}
    configure_logging(format=form, level=LogLevel.INFO, stream=stream, now=lambda: now)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    logging.getLogger("plugin").info("hello")
    text = stream.getvalue()
    assert text.startswith("{") is is_json
    assert ("\x1b" in text) is (terminal and not is_json)
    if is_json:
        assert json.loads(text)["message"] == "hello"
