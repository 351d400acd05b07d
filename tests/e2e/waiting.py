"""
Waiting for a server that runs in another process.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


PATIENCE_SECONDS = 60


def wait_until_ready(process: subprocess.Popen[bytes], out: Path, err: Path) -> str:
    """
    Wait for the line that says where the server is, and return the address.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for line in out.read_text().splitlines():
            if '"server_started"' in line:
                return str(json.loads(line)["url"])
        assert process.poll() is None, f"the server ended: {err.read_text()}"
        time.sleep(0.05)
    message = f"the server was not ready within {PATIENCE_SECONDS} s: {err.read_text()}"
    raise AssertionError(message)


async def until(holds: Callable[[], bool]) -> None:
    """
    Wait until something holds.
    """
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.05)
