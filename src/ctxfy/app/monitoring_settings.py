"""
The section `monitoring`.
"""

from pydantic import Field

from ctxfy.app.setting_section import Section


class MonitoringSettings(Section):
    """
    What operators' tools may see, and from where on /health warns.
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
