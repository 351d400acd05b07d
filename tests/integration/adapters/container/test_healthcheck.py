"""
The health check of the image, against servers that answer and servers that do not.
"""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from ctxfy.adapters.container import healthcheck


@contextmanager
def _serving(status: int) -> Generator[tuple[int, list[str]]]:
    asked = list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port, asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "problem"), [(200, None), (503, "answers 503")])
def test_the_status_decides(status: int, problem: str | None) -> None:
    """
    200 is alive, and anything else is told.
    """
    with _serving(status) as (port, asked):
        told = healthcheck.main([str(port)])
    assert asked == ["/health/live"]
    assert told is None if problem is None else problem in (told or "")


def test_a_server_that_is_silent_or_gone_is_not_alive() -> None:
    """
    Nobody who listens, or somebody who takes the connection and says nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(TimeoutError):
            healthcheck.ask(port, seconds=0.05)
    assert "does not answer" in (healthcheck.main([str(port)]) or "")
