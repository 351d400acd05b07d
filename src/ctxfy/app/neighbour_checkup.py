"""
What is wrong with those that a server asks: each is asked once, as the server would.
"""

import time

from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.adapters.monitoring.null_metrics import NullMetrics
from ctxfy.app.config import Settings
from ctxfy.core.exceptions import CtxfyError
from ctxfy.core.models.monitoring_models import CheckResult
from ctxfy.core.use_cases.monitoring_use_cases import bad


async def check_shared_limits(settings: Settings) -> CheckResult:
    """
    Ask the store that limits are shared through.
    """
    from ctxfy.app.limits import make_limiting

    try:
        limiting = make_limiting(
            settings.limits, lambda text: text, logging=NullLogging(), metrics=NullMetrics()
        )
    except CtxfyError as error:
        return bad("limits", str(error))
    assert limiting.shared is not None  # noqa: S101 - there is an address # nosec B101
    try:
        await limiting.shared.probe()
        (probe,) = limiting.probes
        return await probe.check()
    finally:
        await limiting.shared.aclose()


async def check_issuer(settings: Settings) -> CheckResult:
    """
    Read the keys of the issuer whose tokens are taken.
    """
    from ctxfy.app.tokens import make_keys

    try:
        keys = make_keys(settings.jwt, monotonic=time.monotonic, logging=NullLogging())
    except CtxfyError as error:
        return bad("token_keys", str(error))
    return await keys.look()


def check_collector(settings: Settings) -> CheckResult:
    """
    Send an empty delivery to the collector of traces.
    """
    from ctxfy.app.tracing import collector_of

    try:
        collector = collector_of(settings.monitoring)
    except CtxfyError as error:
        return bad("traces", str(error))
    from ctxfy.adapters.monitoring.otlp_exporter import try_collector

    return try_collector(collector)
