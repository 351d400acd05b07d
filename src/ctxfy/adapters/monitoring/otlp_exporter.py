"""
OpenTelemetry's exporter for OTLP over HTTP, told everything that it would else look up itself.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import override

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from requests import PreparedRequest, RequestException, Session
from requests.auth import AuthBase

from ctxfy.core.models.monitoring_models import CheckResult
from ctxfy.core.use_cases.monitoring_use_cases import doubtful, good


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """
    Where traces go.

    Attributes:
        url: The whole address.
        headers: Sent with every delivery; they may hold secrets.
        ca: The authorities that its certificate is checked against; None for the well-known ones.
        certificate: Shown to it, with `key`; None for none.
        timeout_seconds: How long one delivery may take, with all its attempts.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    timeout_seconds: float = 5.0


def make_exporter(collector: Collector) -> OTLPSpanExporter:
    """
    Make an exporter; nothing is sent yet.

    It takes headers and files of certificates from `OTEL_...` variables too, and requests takes
    proxies and passwords from others. Here a name without `__` is no setting.
    """
    session = Session()
    exporter = OTLPSpanExporter(
        endpoint=collector.url,
        headers=collector.headers,
        timeout=collector.timeout_seconds,
        compression=Compression.Gzip,
        session=session,
    )
    _settle(session, collector)
    return exporter


def try_collector(collector: Collector) -> CheckResult:
    """
    Send a delivery of no spans at all, once.
    """
    with Session() as session:
        _settle(session, collector)
        headers = {**collector.headers, **_EMPTY_DELIVERY}
        body, seconds = gzip.compress(b""), collector.timeout_seconds
        try:
            answer = session.post(collector.url, body, headers=headers, timeout=seconds)
        except RequestException as error:
            # Their sentences repeat the address, with what may be in it.
            return doubtful(
                "traces",
                f"The collector of traces cannot be reached ({type(error).__name__}); spans are"
                " lost until it can.",
            )
    if answer.ok:
        return good("traces", "The collector of traces takes what it is sent.")
    return doubtful(
        "traces",
        f"The collector of traces answers {answer.status_code}; look at"
        " CTXFY_MONITORING__TRACES_URL and ...TRACES_HEADERS.",
    )


def _settle(session: Session, collector: Collector) -> None:
    session.trust_env = False
    session.auth = _OurHeaders(collector.headers)
    session.verify = True if collector.ca is None else str(collector.ca)
    if collector.certificate is not None and collector.key is not None:
        session.cert = (str(collector.certificate), str(collector.key))
    else:
        session.cert = None


class _OurHeaders(AuthBase):
    """
    Takes every header out of a request that neither the protocol needs nor the settings name.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._sent = _PROTOCOL_HEADERS | {name.lower() for name in headers}

    @override
    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        for name in [name for name in r.headers if name.lower() not in self._sent]:
            del r.headers[name]
        return r


_EMPTY_DELIVERY = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
_PROTOCOL_HEADERS = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
    }
)
