"""
Logging as it was before each test, and afterwards again: it is one for the whole process.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
import structlog

from ctxfy.adapters.monitoring.log_setup import LogFormat, configure_logging
from ctxfy.core.models.monitoring_models import LogLevel


class Lines:
    """
    What was logged.
    """

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """
        All of it, as written.
        """
        return self.stream.getvalue()

    def parsed(self) -> list[dict[str, object]]:
        """
        Each line as the JSON object it must be.
        """
        return [json.loads(line) for line in self.text.splitlines()]


Configure = Callable[..., Lines]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """
    Configure logging into memory, at a time that stands still.
    """
    root = logging.getLogger()
    named = [each for each in root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    before = [
        (each, each.__class__, each.level, each.propagate, each.handlers[:], each.disabled)
        for each in [root, *named]
    ]

    def _configure(
        form: LogFormat = "json", level: LogLevel = LogLevel.INFO, **levels: LogLevel
    ) -> Lines:
        lines = Lines()
        now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        configure_logging(
            format=form, level=level, levels=levels, stream=lines.stream, now=lambda: now
        )
        return lines

    yield _configure
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    # Loggers that were made meanwhile are left as they are made.
    for each in root.manager.loggerDict.values():
        if isinstance(each, logging.Logger) and each not in named:
            each.__class__ = logging.Logger
            each.handlers[:] = []
            each.setLevel(logging.NOTSET)
    for each, kind, level, propagate, handlers, disabled in before:
        each.__class__ = kind
        each.setLevel(level)
        each.propagate = propagate
        each.handlers[:] = handlers
        each.disabled = disabled
