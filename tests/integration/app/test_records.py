"""
What the whole application writes: every line with all fields, every request once, nothing private.
"""

import io
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ctxfy.adapters.monitoring.log_setup import configure_logging
from ctxfy.app.loading import utc_now
from ctxfy.app.main import create_app
from ctxfy.core.models.monitoring_models import LogLevel
from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS
from tests.integration.app.app_kit import Client, running, settings_in


USER = "canary.user@example.com"
VALUE = "canary-value-7f3a"


class Recorded:
    """
    A server at its most talkative, and what it wrote.
    """

    def __init__(self, client: Client, stream: io.StringIO) -> None:
        self.client = client
        self._stream = stream

    @property
    def text(self) -> str:
        """
        All of it.
        """
        return self._stream.getvalue()

    def lines(self) -> list[dict[str, Any]]:
        """
        Each line as the JSON object it must be.
        """
        return [json.loads(line) for line in self.text.splitlines()]

    def requests(self) -> list[dict[str, Any]]:
        """
        The lines about finished requests.
        """
        return [line for line in self.lines() if line["message"] == "request_served"]


@pytest.fixture
async def recorded(tmp_path: Path) -> AsyncIterator[Recorded]:
    """
    Serve with every line written, down to DEBUG, into memory.
    """
    app = create_app(settings_in(tmp_path))
    stream = io.StringIO()
    configure_logging(format="json", level=LogLevel.DEBUG, stream=stream, now=utc_now)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # the client that asks, not the server
    async with running(app) as client:
        yield Recorded(await client.with_key(USER), stream)


async def test_every_line_is_json_with_all_fields(recorded: Recorded) -> None:
    """
    Whoever wrote it: start, requests, libraries, errors.
    """
    client = recorded.client
    await client.ask_2025("prompts/get", name="greet", arguments={"who": "Ann"})
    await client.ask_2026("prompts/get", name="broken", arguments={"n": "0"})
    await client.post(b"{")
    await client.get("/nope")
    lines = recorded.lines()
    assert len(lines) >= 5
    for line in lines:
        assert set(REQUIRED_LOG_FIELDS) <= set(line)
    assert "server_started" in [line["message"] for line in lines]


async def test_a_request_has_one_line_that_tells_what_it_was(recorded: Recorded) -> None:
    """
    The route's template, never the path; status, latency, model, prompt, version, key.
    """
    client = recorded.client
    await client.ask_2025("prompts/get", name="greet", arguments={"who": "Ann"})
    await client.get("/.well-known/some/where")
    await client.get(f"/{VALUE}", key=True)
    await client.get("/mcp")
    prompt, public, unknown, refused = recorded.requests()
    assert (prompt["endpoint"], prompt["method"], prompt["status_code"]) == ("/mcp", "POST", 200)
    assert (prompt["llm_model"], prompt["prompt"]) == ("some-model", "greet")
    assert (prompt["prompt_version"], prompt["key_id"]) == ("2.0.0", client.key[6:18])
    assert prompt["user_id"].startswith("u_")
    assert prompt["latency_ms"] > 0
    assert (public["endpoint"], public["user_id"]) == ("/.well-known/{rest:path}", None)
    assert (unknown["endpoint"], unknown["status_code"]) == ("other", 404)
    assert (refused["denial"], refused["level"]) == ("missing", "WARNING")
    assert len({line["request_id"] for line in recorded.requests()}) == 4


async def test_nothing_private_is_written(recorded: Recorded) -> None:
    """
    No argument value, no key, no name: not in any line, not in the metrics, whatever goes wrong.
    """
    client = recorded.client
    for ask in (client.ask_2025, client.ask_2026):
        for arguments in (
            {"who": VALUE},
            {"who": VALUE * 20},
            {"times": VALUE},
            {VALUE: "x"},
            {"who": "a", "tone": VALUE},
        ):
            await ask("prompts/get", name="greet", arguments=arguments)
        await ask("prompts/get", name="broken", arguments={"n": VALUE})
        await ask("prompts/get", name=VALUE)
        await ask("prompts/get", name="greet", arguments={"who": [VALUE]})
        reference = {"type": "ref/prompt", "name": "greet"}
        argument = {"name": "tone", "value": VALUE}
        await ask("completion/complete", ref=reference, argument=argument)
        await ask(VALUE)
    await client.post(f'{{"jsonrpc": "2.0", "id": 1, "method": "{VALUE}", "params": "{VALUE}"')
    await client.post(f'"{VALUE}"')
    await client.get(f"/{VALUE}?api_key={client.key}&x={VALUE}")
    await client.http.request(VALUE.upper()[:6], "/health")
    for headers in ({"x-api-key": client.key}, {"authorization": f"Token {client.key}"}):
        await client.http.get("/nope", headers=headers)
    await client.get("/health", user_agent=VALUE, referer=f"https://{VALUE}.example")
    written = recorded.text + (await client.get("/metrics", key=True)).text
    assert len(recorded.requests()) > 20
    for private in (VALUE, VALUE.upper(), USER, "canary", client.key, client.key[19:]):
        assert private not in written


async def test_metrics_count_each_request_under_its_template(recorded: Recorded) -> None:
    """
    Paths and methods nobody registered fall together, so that series stay few.
    """
    client = recorded.client
    await client.ask_2025("prompts/get", name="greet", arguments={"who": "Ann"})
    await client.ask_2026("prompts/get", name="greet", arguments={})
    for number in range(5):
        await client.http.request(f"M{number}", f"/path-{number}")
    text = (await client.get("/metrics", key=True)).text
    assert 'prompt="greet"' in text
    assert "path-" not in text
    assert 'method="M1"' not in text
    series = [line for line in text.splitlines() if line.startswith("ctxfy_http_requests_total{")]
    assert len(series) <= 4
