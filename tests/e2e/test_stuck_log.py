"""
A server whose log nobody reads goes on serving.
"""

import json
import subprocess
from pathlib import Path
from typing import IO, Any

import httpx2

from tests.e2e.conftest import COMMAND, ROOT, clean_environment


REQUESTS = 150
"""
Their lines are more than a pipe holds.
"""


def ask(client: httpx2.Client, name: str) -> list[str]:
    """
    Ask often; returns the ids.
    """
    ids = [f"{name}-{number}" for number in range(REQUESTS)]
    for each in ids:
        assert client.get("/health/live", headers={"x-request-id": each}).status_code == 200
    return ids


def read_until(pipe: IO[bytes], field: str, value: str) -> list[dict[str, Any]]:
    """
    Read lines up to one that says so.
    """
    lines: list[dict[str, Any]] = []
    while not lines or lines[-1][field] != value:
        lines.append(json.loads(pipe.readline()))
    return lines


def test_a_pipe_that_nobody_reads_holds_up_no_request_and_no_end(tmp_path: Path) -> None:
    """
    Every request is answered; whoever reads later finds every line in order; the end is a good one.
    """
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--prompts", str(ROOT / "prompts")],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            url = read_until(process.stdout, "message", "server_started")[-1]["url"]
            with httpx2.Client(base_url=url, timeout=20) as client:
                ids = ask(client, "a")
                lines = read_until(process.stdout, "request_id", ids[-1])
                served = [line["request_id"] for line in lines if line["endpoint"] is not None]
                assert [each for each in served if each.startswith("a-")] == ids
                assert not [line for line in lines if line["message"] == "log_lines_dropped"]
                ask(client, "b")
            process.terminate()
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
