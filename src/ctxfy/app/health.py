"""
Health put together: which parts there are, what is measured beside them, and the thresholds.
"""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from ctxfy.adapters.audit.audit_probe import AuditProbe
from ctxfy.adapters.container.certificate import ServerCertificate
from ctxfy.adapters.container.control_groups import ControlGroups
from ctxfy.adapters.mcp_prompts.catalog import CatalogProbe
from ctxfy.adapters.monitoring.event_loop_lag import EventLoopLag
from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.adapters.monitoring.judged_probe import JudgedProbe
from ctxfy.adapters.monitoring.latency_window import LatencyWindow
from ctxfy.adapters.monitoring.machine_watch import MachineWatch
from ctxfy.adapters.monitoring.metric_factory import BUCKETS
from ctxfy.adapters.monitoring.workers_probe import NAME as WORKERS
from ctxfy.adapters.storage.audit_line import MAX_WAITING
from ctxfy.adapters.storage.storage_probe import StorageProbe
from ctxfy.app import routes
from ctxfy.app.loading import utc_now
from ctxfy.app.monitoring_settings import MonitoringSettings
from ctxfy.app.places import spool_file
from ctxfy.core.models.monitoring_models import (
    CheckResult,
    HealthReport,
    HealthThresholds,
    MachineFigures,
)
from ctxfy.core.ports.monitoring_ports import HealthProbePort
from ctxfy.core.use_cases.health_use_cases import (
    MEGABYTE,
    PERCENT,
    judge_certificate,
    judge_disk,
    judge_latencies,
    judge_loop_lag,
    judge_memory,
    judge_processor,
    judge_traces,
)


if TYPE_CHECKING:
    from ctxfy.app.wiring import Wiring

_KINDS: Mapping[str, Sequence[str]] = {
    "prompts": (routes.MCP, routes.EXECUTE),
    "authentication": (routes.CURRENT_API_KEY,),
    "health": (routes.HEALTH, routes.LIVE, routes.READY),
    "docs": (routes.DOCS, routes.OPENAPI),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """
    Who tells how the server is.

    Attributes:
        service: Keeps the verdict.
        work: What goes on beside the requests for it.
    """

    service: HealthService
    work: Sequence[Callable[[], Coroutine[object, object, None]]]


def thresholds(settings: MonitoringSettings) -> HealthThresholds:
    """
    Read the thresholds from the settings.
    """
    return HealthThresholds(
        memory=settings.memory_percent / PERCENT,
        processor=settings.cpu_percent / PERCENT,
        disk_free=settings.disk_free_mb * MEGABYTE,
        loop_lag=settings.loop_lag_ms / 1000,
        latencies={
            "prompts": settings.prompt_p95_ms / 1000,
            "authentication": settings.auth_p95_ms / 1000,
            "health": settings.health_p95_ms / 1000,
            "docs": settings.docs_p95_ms / 1000,
        },
        certificate=timedelta(days=settings.certificate_days),
    )


def make_health(wiring: "Wiring", certificate: ServerCertificate | None) -> Health:
    """
    Put it together around a wiring.

    Args:
        wiring: The inner parts.
        certificate: What the server shows, if it speaks TLS.
    """
    lag = EventLoopLag(time.monotonic, wiring.metrics)
    groups = ControlGroups()
    machine = MachineWatch(
        spool_file(wiring.settings).parent,
        now=utc_now,
        monotonic=time.monotonic,
        metrics=wiring.metrics,
        memory=groups.memory,
        processors=groups.processors,
    )
    service = HealthService(
        [
            StorageProbe(
                database=wiring.storage.database,
                can_do_without=lambda: not wiring.keys.is_stale(),
            ),
            AuditProbe(
                wiring.audit.state,
                most_waiting=MAX_WAITING,
                strict=wiring.settings.audit.durability == "strict",
            ),
            CatalogProbe(wiring.catalog),
            *wiring.limiting.probes,
            *((wiring.team.probe,) if wiring.team else ()),
            *((wiring.issuer.keys,) if wiring.issuer else ()),
            *_measured(wiring, machine, lag, certificate),
        ],
        now=utc_now,
        monotonic=time.monotonic,
        logging=wiring.logging,
        metrics=wiring.metrics,
        draining=wiring.draining.is_set,
    )
    if wiring.team is not None:
        wiring.team.board.add("health", lambda: _statuses(service.latest))
    return Health(service=service, work=(machine.run, lag.run, service.run))


def _statuses(report: HealthReport | None) -> Mapping[str, str]:
    # Without that about the others, who would tell it back.
    checks = () if report is None else report.checks
    return {check.name: check.status.value for check in checks if check.name != WORKERS}


def _measured(
    wiring: "Wiring",
    machine: MachineWatch,
    lag: EventLoopLag,
    certificate: ServerCertificate | None,
) -> Sequence[HealthProbePort]:
    most = thresholds(wiring.settings.monitoring)
    requests = LatencyWindow(
        _KINDS, bounds=BUCKETS, read=wiring.request_counts, monotonic=time.monotonic
    )

    def of_machine(judge: Callable[[MachineFigures], CheckResult]) -> Callable[[], CheckResult]:
        return lambda: replace(judge(machine.figures), time=machine.figures.time)

    judges = [
        of_machine(lambda seen: judge_memory(seen.memory_used, seen.memory_limit, most.memory)),
        of_machine(lambda seen: judge_processor(seen.processor_share, most.processor)),
        of_machine(lambda seen: judge_disk(seen.disk_free, most.disk_free)),
        lambda: judge_loop_lag(lag.worst(), most.loop_lag),
        lambda: judge_latencies(requests.percentiles(), most.latencies),
    ]
    if (export := wiring.tracing.export) is not None:
        judges.append(lambda: judge_traces(delivered=export.is_delivering))
    if certificate is not None:
        judges.append(lambda: _judge_certificate(wiring, certificate, most.certificate))
    return [JudgedProbe(judge) for judge in judges]


def _judge_certificate(
    wiring: "Wiring", certificate: ServerCertificate, warning: timedelta
) -> CheckResult:
    wiring.metrics.record_certificate_expiry(certificate.not_after)
    return judge_certificate(certificate.not_after, utc_now(), warning)
