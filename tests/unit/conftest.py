"""
What holds for unit tests: no sockets.
"""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def _sockets_are_closed() -> Iterator[None]:
    # Unix sockets stay: an event loop wakes itself through a pair of them.
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
