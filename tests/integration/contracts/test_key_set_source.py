"""
What every source of an issuer's keys does: over HTTP, from a file, and the fake.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ctxfy.adapters.container.key_set_file import KeySetFile
from ctxfy.adapters.remote_server.key_set import RemoteKeySet
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.ports.auth_ports import KeySetSourcePort
from tests.fakes.auth_fakes import FakeKeySetSource
from tests.issuer_kit import issuer_server


type Published = tuple[KeySetSourcePort, Callable[[bytes | None], None]]
"""
A source, and what changes it: to other bytes, or to nothing that can be read.
"""


@pytest.fixture(params=["http", "file", "fake"])
def published(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Published]:
    """
    A source of each kind.
    """
    if request.param == "http":
        with issuer_server(b"") as server:

            def change(body: bytes | None) -> None:
                server.body, server.status = body or b"", 200 if body else 503

            yield RemoteKeySet(server.url, 5.0), change
    elif request.param == "file":
        file = tmp_path / "keys.json"

        def replace(body: bytes | None) -> None:
            file.write_bytes(body) if body else file.unlink(missing_ok=True)

        yield KeySetFile(file), replace
    else:
        source = FakeKeySetSource()

        def tell(body: bytes | None) -> None:
            outage = UnavailableError("issuer of tokens", "it is away.")
            source.body, source.outage = body or b"", None if body else outage

        yield source, tell


async def test_a_set_is_read_as_it_is_now(published: Published) -> None:
    """
    Each time anew; what cannot be read is an outage, and over when it is over.
    """
    source, change = published
    change(b'{"keys": []}')
    assert await source.fetch() == b'{"keys": []}'
    change(None)
    with pytest.raises(UnavailableError):
        await source.fetch()
    change(b"other")
    assert await source.fetch() == b"other"


async def test_no_source_is_without_bounds(tmp_path: Path) -> None:
    """
    What is larger than any set of keys is an outage.
    """
    large = tmp_path / "large.json"
    large.write_bytes(b" " * 300_000)
    with pytest.raises(UnavailableError, match="too large"):
        await KeySetFile(large).fetch()
    with (
        issuer_server(b" " * 300_000) as server,
        pytest.raises(UnavailableError, match="more than"),
    ):
        await RemoteKeySet(server.url, 5.0).fetch()
