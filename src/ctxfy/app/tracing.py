"""
Traces, if a collector for them is set. Without one, nothing of OpenTelemetry's SDK is imported.
"""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_bytes
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from ctxfy import __version__
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.adapters.monitoring.tracer import Tracer
from ctxfy.app.monitoring_settings import MonitoringSettings
from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.trace_use_cases import read_headers


if TYPE_CHECKING:
    from ctxfy.adapters.monitoring.otlp_exporter import Collector
    from ctxfy.adapters.monitoring.span_export import SpanExport


TRACES_PATH = "/v1/traces"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """
    Who notes where the time goes, and who sends it on.

    Attributes:
        export: To be started and ended with the server; None without a collector.
    """

    tracer: Tracer | NullTracer
    export: "SpanExport | None" = None


def make_tracing(
    settings: MonitoringSettings, *, logging: LoggingPort, metrics: MetricsPort
) -> Tracing:
    """
    Make what traces, by the settings.

    Raises:
        ConfigurationError: A header or a certificate cannot be used.
    """
    if settings.traces_url is None:
        return Tracing(tracer=NullTracer())
    collector = collector_of(settings)
    from ctxfy.adapters.monitoring.otlp_exporter import make_exporter
    from ctxfy.adapters.monitoring.otlp_spans import SpanForm
    from ctxfy.adapters.monitoring.span_export import SpanExport

    form = SpanForm(service=settings.traces_service, version=__version__, instance=uuid4().hex)
    export = SpanExport(
        make_exporter(collector),
        form,
        logging=logging,
        metrics=metrics,
        monotonic=time.monotonic,
    )
    tracer = Tracer(
        export,
        ratio=settings.traces_ratio,
        monotonic=time.perf_counter,
        now_ns=time.time_ns,
        random_bytes=token_bytes,
    )
    return Tracing(tracer=tracer, export=export)


def collector_of(settings: MonitoringSettings) -> "Collector":
    """
    Take together what is set about the collector, which there is.

    Raises:
        ConfigurationError: A header or a certificate cannot be used.
    """
    headers = _headers(settings)
    _check_certificates(settings)
    from ctxfy.adapters.monitoring.otlp_exporter import Collector

    return Collector(
        url=_whole_address(settings.traces_url or ""),
        headers=headers,
        ca=settings.traces_ca,
        certificate=settings.traces_certificate,
        key=settings.traces_key,
        timeout_seconds=settings.traces_timeout_seconds,
    )


def _whole_address(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=TRACES_PATH).geturl() if parts.path in {"", "/"} else url


def _headers(settings: MonitoringSettings) -> Mapping[str, str]:
    given = settings.traces_headers
    headers = read_headers("" if given is None else given.get_secret_value())
    if headers is None:
        raise ConfigurationError(
            "CTXFY_MONITORING__TRACES_HEADERS must be written as name=value, with commas between."
        )
    return headers


def _check_certificates(settings: MonitoringSettings) -> None:
    # Found out now, and not from spans that never arrive.
    certificate, key = settings.traces_certificate, settings.traces_key
    if (certificate is None) is not (key is None):
        raise ConfigurationError(
            "CTXFY_MONITORING__TRACES_CERTIFICATE and CTXFY_MONITORING__TRACES_KEY belong together;"
            " set both or none."
        )
    try:
        context = ssl.create_default_context(cafile=settings.traces_ca)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            "The certificates for the collector of traces (CTXFY_MONITORING__TRACES_CA, ..."
            f"TRACES_CERTIFICATE, ...TRACES_KEY) cannot be used: {error.strerror or error}."
        ) from error
