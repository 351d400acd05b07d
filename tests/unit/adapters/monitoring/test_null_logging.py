"""
The null object writes nothing.
"""

import pytest

from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.core.ports.monitoring_ports import LoggingPort


def test_nothing_is_written_and_nothing_fails(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Every method of the port can be called, and leaves no trace.
    """
    null = NullLogging()
    logging: LoggingPort = null
    logging.log_request("r-1", "/x", 1.0, None)
    logging.log_error(None, ValueError(), {})
    logging.log_event("it_happened", n=1)
    logging.annotate(prompt="letter")
    assert (vars(null), *capfd.readouterr()) == ({}, "", "")
