"""
One trace for each request, as a collector gets it, and what becomes of requests without one.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from ctxfy.app.main import create_app
from ctxfy.app.monitoring_settings import MonitoringSettings
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
    url = f"http://127.0.0.1:{collector.port}"
    settings = MonitoringSettings.model_validate({"traces_url": url, **more})
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
