"""
Every line that a server writes, from its start to its end, is as the published schema says.
"""

import json
import logging
from collections.abc import AsyncIterator
from copy import replace
from importlib.resources import files
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # only basedpyright has stubs for it
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ctxfy.app.config import LoggingSettings
from ctxfy.app.limit_settings import LimitsSettings
from ctxfy.app.main import create_app
from ctxfy.core.models.monitoring_models import LogLevel
from tests.integration.app.app_kit import Client, running, settings_in


SCHEMA = json.loads(
    files("ctxfy.adapters.monitoring").joinpath("log_line.schema.json").read_text(encoding="utf-8")
)


async def half_a_stream() -> AsyncIterator[bytes]:
    """
    Break off after the first piece.
    """
    yield b"one"
    raise ConnectionError("password=hunter2")


async def stream(request: Request) -> Response:
    """
    Crash before the answer, or in it, as the query wishes; stands in the place of /metrics.
    """
    if request.url.query == "crash":
        raise RuntimeError from ExceptionGroup("both", [KeyError("a"), OSError("b")])
    return StreamingResponse(half_a_stream())


async def ask_everything(client: Client) -> None:
    """
    Ask well, wrongly, without a key, for what crashes and what breaks off, and too often.
    """
    for ask in (client.ask_2025, client.ask_2026):
        await ask("prompts/get", name="greet", arguments={"who": "Ann"})
        await ask("prompts/get", name="greet", arguments={"times": "x"})
        await ask("prompts/get", name="broken", arguments={"n": "0"})
        await ask("nobody/knows")
    await client.post(b"{")
    await client.post(b'{"arguments": {"who": "Ann"}}', path="/prompts/greet/execute")
    await client.post(b'{"arguments": {}}', path="/prompts/greet/execute")
    await client.get("/nope", key=True)
    await client.get("/mcp")
    await client.get("/prompts", authorization="Bearer nonsense")
    assert (await client.get("/metrics?crash", key=True)).status_code == 500
    with pytest.raises(ConnectionError):
        await client.get("/metrics?half", key=True)
    while (await client.get("/prompts", key=True)).status_code != 429:
        pass


def speak_as_libraries() -> None:
    """
    Log as others do, with fields that are called like ours and hold something else.
    """
    posing = {"status_code": True, "bytes_in": 2**70, "prompt": 7, "denial": [], "exception": 1}
    logging.getLogger("plugin").warning("over\ntwo %s", "lines", extra=posing)
    logging.getLogger("plugin").warning("%d", "no number")
    logging.getLogger("plugin").warning("\ud800", extra={"client_name": "\ud800"})
    structlog.get_logger("plugin").warning("written", latency_ms="long", logger="me", fate=None)
    logging.getLogger("uvicorn.error").error("failed", exc_info=ValueError("\ud800"))


async def test_every_line_is_as_the_schema_says(tmp_path: Path) -> None:
    """
    Requests of every kind, start, end and libraries: each line has all fields in their types, and
    a request's line no field that nobody told of.
    """
    log = tmp_path / "ctxfy.log"
    settings = settings_in(
        tmp_path,
        limits=LimitsSettings(key_rate="40/minute"),
        logging=LoggingSettings(level=LogLevel.DEBUG, file=log),
    )
    app = create_app(settings, override=lambda wiring: replace(wiring, scrape=stream))
    async with running(app) as client:
        await ask_everything(client)
        speak_as_libraries()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        jsonschema.validate(line, SCHEMA)
    requests = [line for line in lines if line["message"] == "request_served"]
    known = {*SCHEMA["properties"], *SCHEMA["then"]["properties"]}
    assert {field for line in requests for field in line} <= known
    assert {200, 401, 404, 422, 429, 500} <= {line["status_code"] for line in requests}
    assert {"server_started", "server_stopped", "error_raised"} <= {
        line["message"] for line in lines
    }
    assert {"plugin", "uvicorn.error"} <= {line["logger"] for line in lines}
