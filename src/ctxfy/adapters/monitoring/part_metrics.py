"""
Metrics of what the server is made of and stands on, measured beside the requests.
"""

from ctxfy.adapters.monitoring.metric_factory import MetricFactory
from ctxfy.adapters.monitoring.worker_figures import Together
from ctxfy.core.models.monitoring_models import HealthReport, HealthStatus, MachineFigures


HEALTH_LEVELS = {HealthStatus.PASS: 0, HealthStatus.WARN: 1, HealthStatus.FAIL: 2}
LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class PartMetrics:
    """
    Health, machine, event loop and certificate.

    Attributes:
        loop_lag: How late the event loop was, seconds.
        certificate_expiry: Seconds since 1970; 0 without TLS.
    """

    def __init__(self, make: MetricFactory) -> None:
        self._health = make.gauge(
            "ctxfy_health_check_level",
            "0 while a part is well, 1 while it warns, 2 while it fails",
            "check",
            together=Together.MOST,
        )
        self._memory_used = make.gauge(
            "ctxfy_memory_used_bytes",
            "Memory used in the container, or on the machine",
            together=Together.MOST,
        )
        self._memory_limit = make.gauge(
            "ctxfy_memory_limit_bytes",
            "Memory of the container, or of the machine",
            together=Together.MOST,
        )
        self._processor = make.gauge(
            "ctxfy_processor_used_ratio",
            "Share used of what one process can use; of several workers, the busiest one's",
            together=Together.MOST,
        )
        self._disk_free = make.gauge(
            "ctxfy_disk_free_bytes",
            "Disk space free beside the database",
            together=Together.LEAST,
        )
        self._disk_total = make.gauge(
            "ctxfy_disk_size_bytes", "Size of the disk with the database", together=Together.MOST
        )
        self.loop_lag = make.times(
            "ctxfy_event_loop_lag_seconds", "How late the event loop was", buckets=LAG_BUCKETS
        )
        self.certificate_expiry = make.gauge(
            "ctxfy_certificate_expiry_timestamp_seconds",
            "When the certificate that is shown expires; 0 without TLS",
            together=Together.LEAST,
        )

    def record_health(self, report: HealthReport) -> None:
        """
        Set the verdict about each part.
        """
        for check in report.checks:
            self._health.labels(check.name).set(HEALTH_LEVELS[check.status])

    def record_machine(self, figures: MachineFigures) -> None:
        """
        Set what was measured.
        """
        self._memory_used.set(figures.memory_used)
        self._memory_limit.set(figures.memory_limit)
        self._processor.set(figures.processor_share)
        self._disk_free.set(figures.disk_free)
        self._disk_total.set(figures.disk_total)
