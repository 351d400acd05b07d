"""
One trace for each request, as a collector gets it, and what becomes of requests without one.
"""

import asyncio
import fcntl
import json
import re
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from ctxfy.app.main import create_app
from ctxfy.app.monitoring_settings import MonitoringSettings
from ctxfy.core.exceptions import ConfigurationError
from tests.certificates import server_context
from tests.integration.app.app_kit import Client, running, settings_in
from tests.otlp_receiver import Collector, ReceivedSpan, collecting


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
SECRET = "hunter2-and-more"  # in no span


@pytest.fixture
def collector() -> Iterator[Collector]:
    """
    A collector that takes what comes.
    """
    with collecting() as collector:
        yield collector


def traced(folder: Path, collector: Collector, **more: Any) -> AbstractAsyncContextManager[Client]:  # noqa: ANN401 - settings
    """
    Run a server that sends its traces to the collector.
    """
    given = {"traces_url": f"http://127.0.0.1:{collector.port}"} | more
    settings = MonitoringSettings.model_validate(given)
    return running(create_app(settings_in(folder, monitoring=settings)))


@pytest.fixture
async def client(tmp_path: Path, collector: Collector) -> AsyncIterator[Client]:
    """
    A client of such a server.
    """
    async with traced(tmp_path, collector) as client:
        yield client


def tree_of(spans: Sequence[ReceivedSpan]) -> list[str]:
    """
    List the spans by their names, each with those it belongs below, the request first.
    """
    by_id = {span.span_id: span for span in spans}

    def path(span: ReceivedSpan) -> str:
        above = by_id.get(span.parent_id)
        return span.name if above is None else f"{path(above)} > {span.name}"

    return [path(span) for span in spans]


async def execute(client: Client, request_id: str, **headers: str) -> None:
    """
    Execute a prompt over REST.
    """
    body = json.dumps({"arguments": {"who": SECRET}})
    answer = await client.post(
        body, path="/prompts/greet/execute", x_request_id=request_id, **headers
    )
    assert answer.status_code == 200, answer.text


async def test_a_request_over_rest_is_one_trace(client: Client, collector: Collector) -> None:
    """
    Below its parent elsewhere, with a span for each part of its way.
    """
    await execute(client, "rest-1", traceparent=PARENT, tracestate="rojo=1")
    spans = await asyncio.to_thread(collector.trace_of, "rest-1")
    request = "POST /prompts/{name}/execute"
    assert tree_of(spans) == [
        request,
        f"{request} > decide access",
        f"{request} > decide access > storage read",
        f"{request} > decide access > count limits",
        f"{request} > read body",
        f"{request} > find prompt",
        f"{request} > validate arguments",
        f"{request} > render prompt",
        f"{request} > keep audit event",
    ]
    assert {(span.trace_id, span.state) for span in spans} == {(TRACE, "rojo=1")}
    assert spans[0].parent_id == SPAN
    assert spans[0].attributes == {
        "http.request.method": "POST",
        "http.route": "/prompts/{name}/execute",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "ctxfy.request.id": "rest-1",
        "gen_ai.prompt.name": "greet",
        "ctxfy.prompt.version": "2.0.0",
        "ctxfy.llm.model": "some-model",
    }


@pytest.mark.parametrize("wire", ["2025", "2026"])
@pytest.mark.parametrize("place", ["header", "_meta"])
async def test_a_request_over_mcp_is_one_trace(
    client: Client, collector: Collector, wire: str, place: str
) -> None:
    """
    On both wires, below the parent that the header names, or the message in its `_meta`.
    """
    meta = {"traceparent": PARENT, "tracestate": "rojo=1"} if place == "_meta" else {}
    given = {"traceparent": PARENT, "tracestate": "rojo=1"} if place == "header" else {}
    client.http.headers.update({"x-request-id": "mcp-1", **given})
    ask = client.ask_2025 if wire == "2025" else client.ask_2026
    await ask("prompts/get", name="greet", arguments={"who": SECRET}, _meta=meta)
    spans = await asyncio.to_thread(collector.trace_of, "mcp-1")
    assert tree_of(spans) == [
        "POST /mcp",
        "POST /mcp > decide access",
        "POST /mcp > decide access > storage read",
        "POST /mcp > decide access > count limits",
        "POST /mcp > read body",
        "POST /mcp > prompts/get greet",
        "POST /mcp > prompts/get greet > find prompt",
        "POST /mcp > prompts/get greet > validate arguments",
        "POST /mcp > prompts/get greet > render prompt",
        "POST /mcp > keep audit event",
    ]
    assert {(span.trace_id, span.state) for span in spans} == {(TRACE, "rojo=1")}
    assert spans[0].parent_id == SPAN
    (message,) = [span for span in spans if span.name.startswith("prompts/get")]
    assert message.attributes == {
        "mcp.method.name": "prompts/get",
        "mcp.protocol.version": "2025-11-25" if wire == "2025" else "2026-07-28",
        "gen_ai.prompt.name": "greet",
        "network.transport": "tcp",
        "network.protocol.name": "http",
    }
    assert not any(SECRET.encode() in raw for raw in collector.raw)


async def test_the_messages_trace_counts_and_the_headers_is_linked(
    client: Client, collector: Collector
) -> None:
    """
    When a proxy on the way has begun a trace of its own.
    """
    proxy = f"00-{'a' * 32}-{'b' * 16}-01"
    client.http.headers.update({"x-request-id": "mcp-2", "traceparent": proxy})
    await client.ask_2026("prompts/list", _meta={"traceparent": PARENT})
    request, *_ = await asyncio.to_thread(collector.trace_of, "mcp-2")
    assert (request.trace_id, request.parent_id) == (TRACE, SPAN)
    assert request.links == (("a" * 32, "b" * 16),)
    assert request.attributes["ctxfy.client.name"] == "test"


async def test_an_error_shows_by_its_kind(client: Client, collector: Collector) -> None:
    """
    A client's own mistake fails the span of its message and no other; a strange name is nowhere.
    """
    client.http.headers["x-request-id"] = "mcp-3"
    await client.ask_2025("prompts/get", name=SECRET, arguments={})
    spans = await asyncio.to_thread(collector.trace_of, "mcp-3")
    (failed,) = [span for span in spans if span.failed]
    assert (failed.name, failed.attributes["error.type"]) == ("prompts/get", "-32602")
    assert spans[0].attributes["ctxfy.error.code"] == "prompt.not_found"
    assert not any(SECRET.encode() in raw for raw in collector.raw)


async def test_log_lines_name_the_trace(
    tmp_path: Path, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    And the request's own span; lines outside of a request name none.
    """
    async with traced(tmp_path, collector) as client:
        await execute(client, "rest-2", traceparent=PARENT)
        client.app.wiring.logging.log_event("nothing_happened")
    request, *_ = collector.trace_of("rest-2")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    lines = {line["message"]: line for line in written}
    served, outside = lines["request_served"], lines["nothing_happened"]
    assert (served["trace_id"], served["span_id"]) == (TRACE, request.span_id)
    assert (outside["trace_id"], outside["span_id"]) == (None, None)


async def test_a_stranger_decides_nothing_about_what_is_kept(
    tmp_path: Path, collector: Collector
) -> None:
    """
    With a ratio of nothing, only the parent of a caller with a key keeps a request.
    """
    async with traced(tmp_path, collector, traces_ratio=0) as client:
        await client.get("/prompts", x_request_id="stranger", traceparent=PARENT)
        await client.get("/prompts", key=True, x_request_id="alone")
        hidden = PARENT.replace("-01", "-00")
        await client.get("/prompts", key=True, x_request_id="hidden", traceparent=hidden)
        await client.get("/prompts", key=True, x_request_id="kept", traceparent=PARENT)
    kept = {span.attributes.get("ctxfy.request.id") for span in collector.spans}
    assert kept == {None, "kept"}


async def test_a_slow_disk_shows(client: Client, collector: Collector, tmp_path: Path) -> None:
    """
    While another program holds the write lock, the span of the audit event takes all the time.
    """
    with (tmp_path / "var" / "ctxfy.db.lock").open("rb") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        waiting = asyncio.create_task(execute(client, "slow"))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        fcntl.flock(lock, fcntl.LOCK_UN)
    await waiting
    spans = {span.name: span for span in await asyncio.to_thread(collector.trace_of, "slow")}
    others = ("decide access", "read body", "find prompt", "validate arguments", "render prompt")
    assert spans["keep audit event"].seconds > sum(spans[name].seconds for name in others)
    assert spans["keep audit event"].seconds > 0.4


async def test_a_change_is_one_span(client: Client, collector: Collector) -> None:
    """
    From its place in line to the disk, below the request that asked for it.
    """
    body = json.dumps({"user_id": SECRET})
    answer = await client.post(body, path="/auth/api-keys", x_request_id="change")
    assert answer.status_code == 201, answer.text
    spans = await asyncio.to_thread(collector.trace_of, "change")
    assert "POST /auth/api-keys > make change" in tree_of(spans)
    assert not any(SECRET.encode() in raw for raw in collector.raw)


async def test_a_frozen_collector_costs_spans_and_no_request(tmp_path: Path) -> None:
    """
    Requests are answered, and the server ends, while it says nothing; what was lost is counted.
    """
    command = [sys.executable, "-m", "tests.otlp_receiver"]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        port = int(await process.stdout.readline())
        process.send_signal(signal.SIGSTOP)
        async with traced(tmp_path, Collector(port=port), traces_timeout_seconds=60) as client:
            for number in range(20):
                await execute(client, f"frozen-{number}")
            assert process.returncode is None
        text = await scraped(client)
    finally:
        process.kill()
        await process.wait()
    dropped = re.search(r'ctxfy_trace_spans_dropped_total{reason="shutdown"} (\d+)', text)
    assert dropped is not None
    assert int(dropped[1]) >= 20 * 8


async def test_a_dead_collector_is_told_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Spans are counted as not delivered, and the log has one line about it.
    """
    with collecting() as gone:
        pass
    async with traced(tmp_path, gone, traces_timeout_seconds=0.2) as client:
        for number in range(3):
            await execute(client, f"dead-{number}")
            await asyncio.sleep(0.5)
        text = await scraped(client)
    assert 'ctxfy_trace_spans_dropped_total{reason="not_delivered"}' in text
    assert "ctxfy_trace_spans_exported_total 0.0" in text
    assert capsys.readouterr().out.count("trace_collector_lost") == 1


async def scraped(client: Client) -> str:
    """
    Read the metrics, also of a server that has ended.
    """
    answer = await client.app.wiring.scrape(Request({"type": "http", "headers": []}))
    return bytes(answer.body).decode()


async def test_a_collector_behind_tls_is_shown_headers_and_a_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Those of the settings alone: OTEL_ variables and proxies of the environment change nothing.
    """
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-foreign=1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere.pem")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "foreign=1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    tls = server_context(tmp_path)
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(tmp_path / "ca.pem")
    with collecting(tls=tls) as collector:
        settings = {
            "traces_url": f"https://127.0.0.1:{collector.port}/otlp",
            "traces_ca": tmp_path / "ca.pem",
            "traces_certificate": tmp_path / "server.pem",
            "traces_key": tmp_path / "server.pem",
            "traces_headers": "authorization=Bearer abc",
            "traces_service": "prompts",
        }
        async with traced(tmp_path, collector, **settings) as client:
            await execute(client, "tls-1")
            request, *_ = await asyncio.to_thread(collector.trace_of, "tls-1")
    assert collector.headers[0]["authorization"] == "Bearer abc"
    assert "x-foreign" not in collector.headers[0]
    assert collector.paths == ["/otlp"] * len(collector.paths)
    assert request.resource["service.name"] == "prompts"
    assert "foreign" not in request.resource


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("traces_headers", "no-equals-sign", "TRACES_HEADERS"),
        ("traces_ca", "/nowhere/ca.pem", "TRACES_CA"),
        ("traces_certificate", "/nowhere/tls.crt", "TRACES_CERTIFICATE"),
    ],
)
def test_what_cannot_be_used_is_said_at_the_start(
    tmp_path: Path, setting: str, value: str, name: str
) -> None:
    """
    By the setting's name, and before a span is lost for it.
    """
    given = MonitoringSettings.model_validate(
        {"traces_url": "http://127.0.0.1:4318", setting: value}
    )
    with pytest.raises(ConfigurationError, match=name) as refused:
        create_app(settings_in(tmp_path, monitoring=given))
    assert "no-equals-sign" not in str(refused.value)
