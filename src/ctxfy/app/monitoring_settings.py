"""
The section `monitoring`.
"""

from pathlib import Path

from pydantic import Field, SecretStr

from ctxfy.app.setting_section import Section


class MonitoringSettings(Section):
    """
    What operators' tools may see, where traces go, and from where on /health warns.
    """

    public_metrics: bool = Field(default=False, description="Whether /metrics needs no key.")
    memory_percent: float = Field(
        default=80, gt=0, le=100, description="Memory used, of the container or the machine."
    )
    cpu_percent: float = Field(
        default=70, gt=0, description="Processor used, of what one process can use."
    )
    disk_free_mb: int = Field(
        default=512, ge=0, description="Disk space free beside the database, megabytes."
    )
    loop_lag_ms: float = Field(
        default=250, gt=0, description="How late the event loop may be, milliseconds."
    )
    prompt_p95_ms: float = Field(
        default=200, gt=0, description="95 of 100 requests for prompts, milliseconds."
    )
    auth_p95_ms: float = Field(
        default=50, gt=0, description="95 of 100 questions of who one is, milliseconds."
    )
    health_p95_ms: float = Field(
        default=10, gt=0, description="95 of 100 questions for health, milliseconds."
    )
    docs_p95_ms: float = Field(
        default=100, gt=0, description="95 of 100 requests for /docs, milliseconds."
    )
    certificate_days: int = Field(
        default=14, ge=0, description="Days before its end by which a certificate is renewed."
    )
    traces_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*)?$",
        description="Where traces go: a collector that takes OTLP over HTTP, such as"
        " http://127.0.0.1:4318; /v1/traces is added if there is no path. None: no traces.",
    )
    traces_ratio: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of requests traced, 0 to 1, of those that come without a trace of their"
        " own.",
    )
    traces_service: str = Field(
        default="ctxfy",
        min_length=1,
        max_length=200,
        description="What traces call this server, and logs of another shape than its own.",
    )
    traces_headers: SecretStr | None = Field(
        default=None,
        description="Headers for the collector, such as authorization=Bearer abc; commas between.",
    )
    traces_ca: Path | None = Field(
        default=None,
        description="Certificates of the authorities that the collector's is checked"
        " against; default: the well-known ones.",
    )
    traces_certificate: Path | None = Field(
        default=None, description="Certificate shown to the collector, PEM."
    )
    traces_key: Path | None = Field(default=None, description="Its private key, PEM.")
    traces_timeout_seconds: float = Field(
        default=5.0, gt=0, le=60, description="How long one delivery to the collector may take."
    )
