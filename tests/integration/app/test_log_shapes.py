"""
What a server writes for Elastic and Datadog, line by line, as it stands in tests/data.

After a change that is meant: `.venv/bin/python -m tests.integration.app.test_log_shapes`.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from copy import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import pytest
from starlette.requests import Request
from starlette.responses import Response

from ctxfy.app.config import LoggingSettings
from ctxfy.app.main import create_app
from ctxfy.app.monitoring_settings import MonitoringSettings
from tests.integration.app.app_kit import Client, running, settings_in


DATA = Path(__file__).parents[2] / "data" / "log-shapes"
type OtherShape = Literal["ecs", "datadog"]

SHAPES: tuple[OtherShape, ...] = ("ecs", "datadog")
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
# Other ones each time.
CHANGING = re.compile(
    r"timestamp|duration|span_id|span\.id|render_ms|usr\.id|user\.id|revision"
    r"|(ctxfy|service|dd)\.version"
)
FRAME = re.compile(r"\n  \S+:\d+ in \S+")


async def crash(_request: Request) -> Response:
    """
    Be a route with a mistake in it, and a secret in its words.
    """
    raise RuntimeError("no metrics today") from ConnectionError("password=hunter2")


async def ask(client: Client) -> None:
    """
    Ask for a prompt, and for what crashes, within a trace.
    """
    trace = f"00-{TRACE}-00f067aa0ba902b7-01"
    message = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "prompts/get",
        "params": {"name": "greet", "arguments": {"who": "Ann"}},
    }
    answer = await client.post(json.dumps(message), traceparent=trace, x_request_id="request-1")
    assert "hello to Ann" in answer.text
    answer = await client.get("/metrics", key=True, traceparent=trace, x_request_id="request-2")
    assert answer.status_code == 500


async def written(folder: Path, shape: OtherShape) -> str:
    """
    Let a server of its own write a start, a request, and a fault.
    """
    log = folder / "ctxfy.log"
    settings = settings_in(
        folder,
        logging=LoggingSettings(file=log, shape=shape),
        monitoring=MonitoringSettings(traces_url="http://127.0.0.1:9", traces_timeout_seconds=0.1),
    )
    app = create_app(settings, override=lambda wiring: replace(wiring, scrape=crash))
    async with running(app) as client:
        await ask(client)
    return "".join(_laid_out(log))


def _laid_out(log: Path) -> Iterator[str]:
    wanted = {"server_started", "request_served", "error_raised"}
    for text in log.read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        if line["message"] not in wanted:
            continue
        stable = {
            name: "..." if CHANGING.search(name) else _without_frames(value)
            for name, value in line.items()
        }
        yield json.dumps(stable, indent=2) + "\n"


def _without_frames(value: object) -> object:
    # Where a fault came by is another way with every change of the server.
    return re.sub(rf"(?:{FRAME.pattern})+", "\n  ...", value) if isinstance(value, str) else value


@pytest.mark.parametrize("shape", SHAPES)
async def test_lines_are_as_they_are_written_down(tmp_path: Path, shape: OtherShape) -> None:
    """
    A start, a request with its trace, a fault with its stack and its line; no secret in any.
    """
    found = await written(tmp_path, shape)
    assert found == (DATA / f"{shape}.jsonl").read_text(encoding="utf-8")
    assert "hunter2" not in found


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    for each in SHAPES:
        with TemporaryDirectory() as place:
            text = asyncio.run(written(Path(place), each))
            (DATA / f"{each}.jsonl").write_text(text, encoding="utf-8")
