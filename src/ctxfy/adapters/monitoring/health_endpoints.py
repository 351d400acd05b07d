"""
GET /health, /health/live and /health/ready.

Anybody may see whether the server is well; figures and details only a caller with a key.
"""

from typing import NotRequired, TypedDict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.adapters.monitoring.process_figures import cpu_seconds, memory_bytes
from ctxfy.core.models.monitoring_models import CheckResult, HealthReport, HealthStatus


class CheckData(TypedDict):
    """
    How one part is; details for callers with a key.
    """

    status: HealthStatus
    detail: NotRequired[str]
    figures: NotRequired[dict[str, object]]


class LiveData(TypedDict):
    """
    A verdict alone.
    """

    status: HealthStatus


class ReadinessData(LiveData):
    """
    The verdict and the parts it was made of.
    """

    checks: dict[str, CheckData]


class HealthData(ReadinessData):
    """
    How the server is; figures for callers with a key.
    """

    version: NotRequired[str]
    uptime_seconds: NotRequired[float]
    memory_bytes: NotRequired[int]
    cpu_seconds: NotRequired[float]


class HealthEndpoints:
    """
    The three handlers.

    Args:
        service: Asks the parts.
        version: Of ctxfy.
    """

    def __init__(self, service: HealthService, *, version: str) -> None:
        self._service = service
        self._version = version

    async def health(self, request: Request) -> Response:
        """
        Answer how the server and its parts are.
        """
        report = await self._service.report()
        parts = _body(report, detailed=_has_key(request))
        body: HealthData = {"status": parts["status"], "checks": parts["checks"]}
        if _has_key(request):
            body["version"] = self._version
            body["uptime_seconds"] = self._service.uptime_seconds
            body["memory_bytes"] = memory_bytes()
            body["cpu_seconds"] = cpu_seconds()
        return _answer(body, well=report.status is not HealthStatus.FAIL)

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - a Starlette handler
        """
        Answer as long as the loop runs; no part is asked, since a restart would not mend it.
        """
        return _answer({"status": HealthStatus.PASS}, well=True)

    async def ready(self, request: Request) -> Response:
        """
        Answer whether traffic should be sent here.
        """
        ready = await self._service.is_ready()
        body = _body(await self._service.report(), detailed=_has_key(request))
        if not ready:
            body["status"] = HealthStatus.FAIL
        return _answer(body, well=ready)


def _has_key(request: Request) -> bool:
    return request.scope.get("state", {}).get("principal") is not None


def _body(report: HealthReport, *, detailed: bool) -> ReadinessData:
    checks = {check.name: _check(check, detailed=detailed) for check in report.checks}
    return {"status": report.status, "checks": checks}


def _check(check: CheckResult, *, detailed: bool) -> CheckData:
    shown: CheckData = {"status": check.status}
    if detailed:
        shown["detail"] = check.detail
        shown["figures"] = dict(check.figures)
    return shown


def _answer(body: LiveData, *, well: bool) -> Response:
    return Response(
        orjson.dumps(body, default=safe_text),
        status_code=200 if well else 503,
        media_type="application/health+json",
        headers={"cache-control": "no-store"},
    )
