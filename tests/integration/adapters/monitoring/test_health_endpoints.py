"""
/health, /health/live and /health/ready.
"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from ctxfy.adapters.monitoring.health import HealthService
from ctxfy.adapters.monitoring.health_endpoints import HealthEndpoints
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus
from tests.fakes.monitoring_fakes import FakeClock, FakeProbe, RecordingLogging, RecordingMetrics


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GOOD = CheckResult(name="catalog", status=HealthStatus.PASS, detail="fine", figures={"prompts": 3})
POOR = CheckResult(name="catalog", status=HealthStatus.WARN, detail="old set")
BAD = CheckResult(name="catalog", status=HealthStatus.FAIL, detail="gone")


def _client(result: CheckResult, *, draining: bool = False, principal: object = None) -> TestClient:
    service = HealthService(
        [FakeProbe(result)],
        now=lambda: NOW,
        monotonic=FakeClock(),
        logging=RecordingLogging(),
        metrics=RecordingMetrics(),
        draining=lambda: draining,
    )
    endpoints = HealthEndpoints(service, version="1.2.3")
    routes = [
        Route("/health", endpoints.health),
        Mount("/health/live", endpoints.live),
        Route("/health/ready", endpoints.ready),
    ]
    return TestClient(_as_principal(Starlette(routes=routes), principal))


def _as_principal(app: ASGIApp, principal: object) -> ASGIApp:
    async def gate(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = principal
        await app(scope, receive, send)

    return gate


@pytest.mark.parametrize(
    ("result", "code"), [(GOOD, 200), (POOR, 200), (BAD, 503)], ids=["pass", "warn", "fail"]
)
def test_anybody_sees_whether_the_server_is_well(result: CheckResult, code: int) -> None:
    """
    The public body holds statuses and nothing else.
    """
    answer = _client(result).get("/health")
    assert answer.status_code == code
    assert answer.json() == {
        "status": result.status,
        "checks": {"catalog": [{"status": result.status}]},
    }
    assert answer.headers["content-type"] == "application/health+json"
    assert answer.headers["cache-control"] == "no-store"


def test_a_caller_with_a_key_sees_the_figures() -> None:
    """
    Version, uptime, memory, processor time and each check's detail are for the operator.
    """
    good = replace(GOOD, observed=3, unit="prompts", kind="datastore")
    body = _client(good, principal=object()).get("/health").json()
    assert body["checks"] == {
        "catalog": [
            {
                "status": "pass",
                "componentType": "datastore",
                "time": "2026-11-24T12:00:00.000+00:00",
                "age_seconds": 0.0,
                "observedValue": 3,
                "observedUnit": "prompts",
                "output": "fine",
                "figures": {"prompts": 3},
            }
        ]
    }
    assert (body["version"], body["uptime_seconds"]) == ("1.2.3", 0)
    assert body["memory_bytes"] > 1_000_000
    assert body["cpu_seconds"] > 0


def test_live_asks_nobody() -> None:
    """
    A broken dependency is no reason to restart the server.
    """
    answer = _client(BAD, draining=True).get("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "pass"})


@pytest.mark.parametrize(
    ("result", "draining", "code", "status"),
    [
        (GOOD, False, 200, "pass"),
        (POOR, False, 200, "warn"),
        (BAD, False, 503, "fail"),
        (GOOD, True, 503, "fail"),
    ],
    ids=["pass", "warn", "fail", "draining"],
)
def test_ready_says_whether_to_send_traffic(
    result: CheckResult, draining: bool, code: int, status: str
) -> None:
    """
    Traffic comes while every part serves and the server stays.
    """
    answer = _client(result, draining=draining).get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (code, status)
