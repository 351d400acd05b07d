"""
GET /health, /health/live and /health/ready.

Anybody may see whether the server is well; figures and details only a caller with a key. The form
is that of draft-inadarei-api-health-check-06; `age_seconds` and `figures` are additions of ours.
"""

from typing import NotRequired, TypedDict

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.adapters.monitoring.log_exceptions import safe_text
from ctxfy.adapters.monitoring.process_figures import cpu_seconds, memory_bytes
from ctxfy.core.models.monitoring_models import CheckResult, HealthReport, HealthStatus


class CheckData(TypedDict):
    """
    How one part is; all but `status` for callers with a key.
    """

    status: HealthStatus
    componentType: NotRequired[str]
    time: NotRequired[str]
    age_seconds: NotRequired[float | None]
    observedValue: NotRequired[float]
    observedUnit: NotRequired[str]
    output: NotRequired[str]
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

    checks: dict[str, list[CheckData]]


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
        parts = self._body(report, detailed=_has_key(request))
        body: HealthData = {"status": parts["status"], "checks": parts["checks"]}
        if _has_key(request):
            body["version"] = self._version
            body["uptime_seconds"] = self._service.uptime_seconds
            body["memory_bytes"] = memory_bytes()
            body["cpu_seconds"] = cpu_seconds()
        return _answer(body, well=report.status is not HealthStatus.FAIL)

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer as long as the loop runs; no part is asked, since a restart would not mend it.

        An ASGI application, as its answer is always the same one.
        """
        await _ALIVE(scope, receive, send)

    async def ready(self, request: Request) -> Response:
        """
        Answer whether traffic should be sent here.
        """
        ready = await self._service.is_ready()
        body = self._body(await self._service.report(), detailed=_has_key(request))
        if not ready:
            body["status"] = HealthStatus.FAIL
        return _answer(body, well=ready)

    def _body(self, report: HealthReport, *, detailed: bool) -> ReadinessData:
        # One entry a part, in a list: the draft foresees several instances of each.
        checks = {check.name: [self._check(check, detailed=detailed)] for check in report.checks}
        return {"status": report.status, "checks": checks}

    def _check(self, check: CheckResult, *, detailed: bool) -> CheckData:
        shown: CheckData = {"status": check.status}
        if not detailed:
            return shown
        shown["componentType"] = check.kind
        if check.time is not None:
            shown["time"] = check.time.isoformat(timespec="milliseconds")
            shown["age_seconds"] = self._service.age_seconds(check)
        if check.observed is not None:
            shown["observedValue"] = check.observed
            shown["observedUnit"] = check.unit
        shown["output"] = check.detail
        shown["figures"] = dict(check.figures)
        return shown


def _has_key(request: Request) -> bool:
    return request.scope.get("state", {}).get("principal") is not None


def _answer(body: LiveData, *, well: bool) -> Response:
    return Response(
        orjson.dumps(body, default=safe_text),
        status_code=200 if well else 503,
        media_type="application/health+json",
        headers={"cache-control": "no-store"},
    )


_ALIVE = _answer({"status": HealthStatus.PASS}, well=True)
