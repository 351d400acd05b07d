"""
The whole application over HTTP: routes, statuses and headers.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import Response

from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.app.config import CorsSettings, ServerSettings
from ctxfy.app.loading import utc_now
from ctxfy.app.main import create_app
from ctxfy.app.monitoring_settings import MonitoringSettings
from ctxfy.app.wiring import Wiring
from ctxfy.core.exceptions import UnavailableError
from ctxfy.core.models.auth_models import KeyId, RoutePolicy
from tests.fakes.auth_fakes import FakeApiKeyStore
from tests.integration.app.app_kit import Client, running, settings_in


PING = '{"jsonrpc": "2.0", "id": 1, "method": "ping"}'
PAGE = "https://app.example.com"


async def test_mcp_answers_get_and_delete_only_after_the_key(server: Client) -> None:
    """
    401 for whoever has no key, then 405: there is no stream to open and no session to end.
    """
    for path in ("/mcp", "/mcp/"):
        for method in ("GET", "DELETE", "PUT", "OPTIONS", "HEAD"):
            without = await server.http.request(method, path)
            given = await server.http.request(
                method, path, headers={"authorization": f"Bearer {server.key}"}
            )
            assert (without.status_code, given.status_code) == (401, 405)
            assert given.headers["allow"] == "POST"


async def test_bodies_that_mcp_does_not_take(server: Client) -> None:
    """
    415 for another media type, 413 for one larger than the setting, both in JSON-RPC.
    """
    form = await server.post(PING, content_type="text/plain")
    large = await server.post(b" " * 100_001)
    fits = await server.post(PING.encode() + b" " * (100_000 - len(PING)))
    assert (form.status_code, form.json()["error"]["code"]) == (415, -32007)
    assert (large.status_code, large.json()["error"]["code"]) == (413, -32006)
    assert fits.status_code == 200


async def test_a_request_id_is_taken_over_or_replaced(server: Client) -> None:
    """
    A sane one is echoed; a strange one, a credential or two of them are not.
    """
    for proposed, kept in (
        ("abc-123", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("a b", False),
        ("<script>", False),
        (server.key, False),
    ):
        answer = await server.get("/health", x_request_id=proposed)
        assert (answer.headers["x-request-id"] == proposed) == kept
        assert answer.headers["x-request-id"]
    twice = await server.http.get("/nope", headers=[("x-request-id", "a"), ("x-request-id", "b")])
    assert twice.headers["x-request-id"] not in {"a", "b"}
    assert twice.json()["request_id"] == twice.headers["x-request-id"]


async def test_health_tells_strangers_only_the_status(server: Client) -> None:
    """
    With a key there are figures and details as well.
    """
    public = (await server.get("/health")).json()
    known = (await server.get("/health", key=True)).json()
    parts = {"storage", "audit", "prompts", "memory", "processor", "disk", "event_loop", "latency"}
    assert set(public) == {"status", "checks"}
    assert parts <= set(public["checks"])
    assert all(set(check) == {"status"} for (check,) in public["checks"].values())
    assert public["checks"]["storage"] == public["checks"]["prompts"] == [{"status": "pass"}]
    assert known["checks"]["prompts"][0]["figures"]["prompts"] == 4
    assert all(check["age_seconds"] < 60 for (check,) in known["checks"].values())
    assert {"version", "uptime_seconds", "memory_bytes", "cpu_seconds"} <= set(known)
    assert (await server.get("/health/live")).json() == {"status": "pass"}
    assert (await server.get("/health/ready")).status_code == 200
    assert (await server.http.head("/health")).status_code == 200


async def test_there_is_no_oauth_here(server: Client) -> None:
    """
    Clients that look for it get a plain JSON 404, whatever they look for, with or without a key.
    """
    for path in (
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/register",
    ):
        for answer in (await server.get(path), await server.http.post(path, json={})):
            assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


async def test_metrics_need_a_whole_key(server: Client) -> None:
    """
    None: 401, narrowed: 403, whole: text for Prometheus.
    """
    narrow = await server.with_key("ann", prompts=("code-*",))
    answers = [await server.get("/metrics"), await narrow.get("/metrics", key=True)]
    assert [answer.status_code for answer in answers] == [401, 403]
    text = (await server.get("/metrics", key=True)).text
    assert "ctxfy_http_requests_total" in text


async def test_every_answer_carries_the_security_headers(server: Client) -> None:
    """
    Refusals, public routes and MCP alike.
    """
    for answer in (
        await server.get("/health"),
        await server.get("/nope"),
        await server.get("/nope", key=True),
        await server.get("/register"),
        await server.post(PING),
        await server.get("/metrics", key=True),
        await server.get("/health", host="evil.example"),
        await server.get("/mcp", host="evil.example"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["cache-control"].startswith(("no-store", "no-cache"))
        assert "server" not in answer.headers


@pytest.fixture
async def open_server(tmp_path: Path) -> AsyncIterator[Client]:
    """
    Serve with another host, a page and public metrics allowed.
    """
    settings = settings_in(
        tmp_path,
        cors=CorsSettings(origins=(f"{PAGE.upper()}/",)),
        monitoring=MonitoringSettings(public_metrics=True),
        server=ServerSettings(allowed_hosts=("prompts.example.com",)),
    )
    async with running(create_app(settings)) as client:
        yield client


async def test_settings_open_doors(open_server: Client) -> None:
    """
    A host, a page and the metrics: each by its setting, and a foreign one still is foreign.
    """
    ours = await open_server.post(PING, host="prompts.example.com", origin=PAGE)
    assert ours.status_code == 200
    assert ours.headers["access-control-allow-origin"] == PAGE
    assert (await open_server.post(PING, host="other.example.com")).status_code == 421
    foreign = await open_server.post(PING, origin="https://evil.example")
    assert foreign.status_code == 403
    assert "access-control-allow-origin" not in foreign.headers
    assert (await open_server.get("/metrics")).status_code == 200


async def test_an_outage_of_the_store_is_503_with_health_telling(tmp_path: Path) -> None:
    """
    A key that was not seen before cannot be judged then; the answer is never 401.
    """
    store = FakeApiKeyStore()

    def override(wiring: Wiring) -> Wiring:
        keys = ApiKeyService(
            store,
            wiring.storage.material,
            now=utc_now,
            monotonic=time.monotonic,
            logging=wiring.logging,
        )
        return replace(wiring, keys=keys)

    async with running(create_app(settings_in(tmp_path), override=override)) as client:
        store.outage = UnavailableError("storage", "it is away.", retry_after=3)
        answer = await client.post(PING)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
        assert answer.json()["error"]["data"]["code"] == "unavailable"
        assert (await client.get("/health/live")).status_code == 200


async def test_a_mistake_of_ours_is_a_500_that_tells_nothing(tmp_path: Path) -> None:
    """
    The request's id is all that the caller learns, to ask the operator with.
    """

    async def broken(_request: Request) -> Response:
        raise RuntimeError("hunter2")

    def override(wiring: Wiring) -> Wiring:
        return replace(wiring, scrape=broken)

    async with running(create_app(settings_in(tmp_path), override=override)) as client:
        answer = await client.get("/metrics", key=True)
    assert answer.status_code == 500
    assert "hunter2" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_route_without_an_application_stops_the_start(tmp_path: Path) -> None:
    """
    The table and the applications are compared when the application is made.
    """
    extra = RoutePolicy(path="/new", methods=("GET",), scope=None)

    def override(wiring: Wiring) -> Wiring:
        return replace(wiring, policies=(*wiring.policies, extra))

    with pytest.raises(ValueError, match="'/new'"):
        create_app(settings_in(tmp_path), override=override)


async def test_revoking_holds_in_a_running_server(tmp_path: Path) -> None:
    """
    A key revoked by another process on the same store is refused within a second, and not before
    anybody asked for it.
    """
    settings = settings_in(tmp_path)
    async with running(create_app(settings)) as client, running(create_app(settings)) as other:
        ann = await client.with_key("ann")
        assert (await ann.post(PING)).status_code == 200
        await other.app.wiring.keys.revoke_api_key(KeyId(ann.key[6:18]))
        await other.app.wiring.keys.poll()
        await client.app.wiring.keys.poll()
        refused = await ann.post(PING)
        assert refused.status_code == 401
        assert json.loads(refused.text)["error"]["message"] == "The API key was revoked."


async def test_metrics_tell_of_remembered_keys_and_connections(server: Client) -> None:
    """
    A key that comes twice is remembered; of the connections, none is used while nobody asks.
    """

    async def hits() -> float:
        text = (await server.get("/metrics", key=True)).text
        assert 'ctxfy_storage_connections{state="in_use"}' in text
        (line,) = [each for each in text.splitlines() if 'lookups_total{result="hit"}' in each]
        return float(line.rpartition(" ")[2])

    before = await hits()
    assert await hits() > before
