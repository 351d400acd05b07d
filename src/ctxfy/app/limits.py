"""
The limits put together: what they are, and who counts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.core.models.auth_models import RateLimit
from ctxfy.core.models.limit_models import AccessLimits
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.ports.monitoring_ports import HealthProbePort, LoggingPort, MetricsPort
from ctxfy.core.use_cases.auth_use_cases import parse_rate


if TYPE_CHECKING:
    from ctxfy.adapters.auth.valkey_rate_limiter import ValkeyRateLimiter


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
) -> Limiting:
    """
    Choose who counts: this process, or Valkey with this process in reserve.

    Raises:
        ConfigurationError: The address of Valkey is not one.
    """
    if settings.url is None:
        return Limiting(limiter=MemoryRateLimiter(time.monotonic_ns), pseudonym=pseudonym)
    from ctxfy.adapters.auth.valkey_rate_limiter import SharedLimitsProbe, ValkeyRateLimiter

    shared = ValkeyRateLimiter(
        settings.url.get_secret_value(),
        local=MemoryRateLimiter(time.monotonic_ns, replicas=settings.replicas),
        monotonic=time.monotonic,
        logging=logging,
        metrics=metrics,
    )
    return Limiting(
        limiter=shared, pseudonym=pseudonym, shared=shared, probes=[SharedLimitsProbe(shared)]
    )
