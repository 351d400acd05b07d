"""
TLS as the settings want it.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.app.config import Settings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.ports.monitoring_ports import LoggingPort


def server_certificate(settings: Settings) -> ServerCertificate | None:
    """
    Load the certificate of the settings; None if there is none.

    Raises:
        ConfigurationError: It cannot be used, or half of it is missing.
    """
    certificate, key = settings.tls.certificate, settings.tls.key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigurationError(
            "TLS needs both: set CTXFY_TLS__CERTIFICATE and CTXFY_TLS__KEY, or neither."
        )
    return ServerCertificate(certificate, key)


def hsts_header(settings: Settings) -> tuple[tuple[bytes, bytes], ...]:
    """
    Make the header that keeps browsers to TLS; none if this server does not speak it.

    Not `includeSubDomains`: what else is served below our name is not ours to decide.
    """
    seconds = settings.tls.hsts_seconds
    if settings.tls.certificate is None or not seconds:
        return ()
    return ((b"strict-transport-security", f"max-age={seconds}".encode()),)


async def follow_certificate(
    certificate: ServerCertificate,
    *,
    seconds: float,
    warning: timedelta,
    now: Callable[[], datetime],
    logging: LoggingPort,
) -> None:
    """
    Take renewed files into use, without end. What cannot be used is told, once for each change.
    """
    _tell("certificate_loaded", certificate, now() + warning, logging)
    while True:
        await asyncio.sleep(seconds)
        try:
            if await asyncio.to_thread(certificate.reload):
                _tell("certificate_renewed", certificate, now() + warning, logging)
        except ConfigurationError as error:
            logging.log_event("certificate_refused", level=LogLevel.ERROR, reason=str(error))


def _tell(
    event: str, certificate: ServerCertificate, soon_is: datetime, logging: LoggingPort
) -> None:
    soon = certificate.not_after < soon_is
    logging.log_event(
        event,
        level=LogLevel.WARNING if soon else LogLevel.INFO,
        not_after=certificate.not_after.isoformat(timespec="seconds"),
    )
