"""
A running server watched from a terminal.
"""

import json
import subprocess

import httpx2

from tests.e2e.conftest import COMMAND, Server, clean_environment
from tests.integration.valkey_kit import free_port


def top(url: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """
    Run `ctxfy top` once.
    """
    return subprocess.run(
        [*COMMAND, "top", "--url", url, "--once", "--interval", "0.5", *options],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_server_is_watched(server: Server) -> None:
    """
    For people and for programs; what the watching costs shows too.
    """
    shown = top(server.url, CTXFY_API_KEY=server.key)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "requests/s" in shown.stdout
    assert "/metrics" in shown.stdout
    told = json.loads(top(server.url, "--json", CTXFY_API_KEY=server.key).stdout)
    assert told["health"]["checks"].keys() >= {"storage", "prompts", "memory"}
    assert told["per_second"] > 0
    assert {row["name"] for row in told["endpoints"]} >= {"/health", "/metrics"}
    assert server.key not in shown.stdout + str(told)


def test_whom_nothing_is_shown_reads_why(server: Server) -> None:
    """
    One sentence: no key, nobody there, or somebody else.
    """
    assert httpx2.get(f"{server.url}/health/live").status_code == 200
    without = top(server.url)
    assert (without.returncode, without.stdout) == (1, "")
    assert "does not show its metrics to this caller (401)" in without.stderr
    nobody = top(f"http://127.0.0.1:{free_port()}")
    assert (nobody.returncode, "nothing answers there" in nobody.stderr) == (1, True)
