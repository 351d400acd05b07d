"""
The limits put together: what they are, and who counts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.monitoring.judged_probe import JudgedProbe
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.worker_place import WorkerPlace
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import AccessLimits
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.ports.monitoring_ports import HealthProbePort, LoggingPort, MetricsPort
from ctxfy.core.use_cases.auth_use_cases import parse_rate


if TYPE_CHECKING:
    from ctxfy.adapters.auth.valkey_rate_limiter import ValkeyRateLimiter


_TOGETHER = JudgedProbe(
    lambda: CheckResult(
        name="limits",
        status=HealthStatus.PASS,
        detail="The workers of this server count together; other servers count by themselves.",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limiting:
    """
    Who counts.

    Attributes:
        shared: The same as `limiter` where it is shared between processes: it has something to do
            in the background, and connections to close.
        probes: What health asks about it.
        pseudonym: Makes of a person's name or an address what may stand in a store of counts.
    """

    limiter: RateLimiterPort
    pseudonym: Callable[[str], str]
    shared: "ValkeyRateLimiter | None" = None
    probes: Sequence[HealthProbePort] = ()


def access_limits(settings: LimitsSettings) -> AccessLimits:
    """
    Read the limits of callers from the settings.
    """
    key_bytes = settings.key_bytes_per_minute
    return AccessLimits(
        key=parse_rate(settings.key_rate),
        user=None if settings.user_rate is None else parse_rate(settings.user_rate),
        failures=parse_rate(settings.failure_rate),
        key_bytes=None if key_bytes is None else RateLimit(requests=key_bytes, seconds=60),
    )


def make_limiting(
    settings: LimitsSettings,
    pseudonym: Callable[[str], str],
    *,
    logging: LoggingPort,
    metrics: MetricsPort,
    place: WorkerPlace | None = None,
) -> Limiting:
    """
    Choose who counts: this process, or all workers together, or Valkey with these in reserve.

    Args:
        settings: The limits.
        pseudonym: Makes of a name what may stand in a store of counts.
        logging: Is told when Valkey is lost or found.
        metrics: Likewise.
        place: Among the workers that serve together; None for one that serves alone.

    Raises:
        ConfigurationError: The address of Valkey is not one.
    """
    if settings.url is None:
        return Limiting(
            limiter=_local(place), pseudonym=pseudonym, probes=() if place is None else [_TOGETHER]
        )
    from ctxfy.adapters.auth.valkey_rate_limiter import SharedLimitsProbe, ValkeyRateLimiter

    shared = ValkeyRateLimiter(
        settings.url.get_secret_value(),
        local=_local(place, settings.replicas),
        monotonic=time.monotonic,
        logging=logging,
        metrics=metrics,
    )
    return Limiting(
        limiter=shared, pseudonym=pseudonym, shared=shared, probes=[SharedLimitsProbe(shared)]
    )


def _local(place: WorkerPlace | None, replicas: int = 1) -> RateLimiterPort:
    if place is None:
        return MemoryRateLimiter(time.monotonic_ns, replicas=replicas)
    from ctxfy.adapters.auth.machine_rate_limiter import MachineRateLimiter

    return MachineRateLimiter(place.folder / "limits", time.monotonic_ns, replicas=replicas)
