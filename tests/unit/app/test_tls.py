"""
TLS as the settings want it: when there is any, what browsers are told, what the log says.
"""

import asyncio
import datetime as dt
from contextlib import suppress
from pathlib import Path
from typing import override

import pytest

from ctxfy.app.config import Settings
from ctxfy.app.first_key import base_url
from ctxfy.app.tls import follow_certificate, hsts_header, server_certificate
from ctxfy.app.tls_settings import TlsSettings
from ctxfy.core.exceptions import ConfigurationError
from tests.fakes.monitoring_fakes import RecordingLogging
from tests.self_signed import FAR_AHEAD, write_pair


def _settings(folder: Path, **more: int) -> Settings:
    pair = write_pair(folder)
    return Settings(tls=TlsSettings(certificate=pair.certificate, key=pair.key, **more))


def test_without_a_certificate_there_is_no_tls() -> None:
    """
    No header of it either: who ends TLS in front of the server decides that.
    """
    settings = Settings()
    assert server_certificate(settings) is None
    assert hsts_header(settings) == ()
    assert base_url(settings) == "http://127.0.0.1:8000"


def test_with_a_pair_there_is(tmp_path: Path) -> None:
    """
    The address shown is https, and browsers are told to keep to it unless that is set to 0.
    """
    settings = _settings(tmp_path)
    certificate = server_certificate(settings)
    assert certificate is not None
    assert certificate.not_after == FAR_AHEAD
    assert hsts_header(settings) == ((b"strict-transport-security", b"max-age=63072000"),)
    assert hsts_header(_settings(tmp_path, hsts_seconds=0)) == ()
    assert base_url(settings) == "https://127.0.0.1:8000"


@pytest.mark.parametrize("name", ["certificate", "key"])
def test_half_a_pair_is_refused(name: str) -> None:
    """
    A server that was meant to speak TLS does not start without.
    """
    settings = Settings(tls=TlsSettings.model_validate({name: "tls.pem"}))
    with pytest.raises(ConfigurationError, match="TLS needs both"):
        server_certificate(settings)


async def test_renewals_and_refusals_are_logged(tmp_path: Path) -> None:
    """
    What is loaded is told with its end, as a warning when that is near; a refusal with its reason.
    """
    certificate = server_certificate(_settings(tmp_path))
    assert certificate is not None
    log = QueuedLogging()
    near = FAR_AHEAD - dt.timedelta(days=13)
    task = asyncio.create_task(
        follow_certificate(
            certificate,
            seconds=0.01,
            warning=dt.timedelta(days=14),
            now=lambda: near,
            logging=log,
        )
    )
    try:
        async with asyncio.timeout(20):
            assert await log.told.get() == (
                "certificate_loaded",
                {"level": "WARNING", "not_after": "2120-01-01T00:00:00+00:00"},
            )
            (tmp_path / "tls.key").unlink()
            event, fields = await log.told.get()
            assert (event, fields["level"]) == ("certificate_refused", "ERROR")
            assert "tls.key" in str(fields["reason"])
            write_pair(tmp_path)
            while event != "certificate_renewed":  # it may be seen when half of it is there
                event, fields = await log.told.get()
            assert fields["level"] == "WARNING"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class QueuedLogging(RecordingLogging):
    """
    Hands every event to whoever waits for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.told = asyncio.Queue[tuple[str, dict[str, object]]]()

    @override
    def log_event(self, event: str, **fields: object) -> None:
        """
        Put the event into the queue.
        """
        self.told.put_nowait((event, fields))
