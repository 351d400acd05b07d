"""
The life of the real process: first start, second start, bad starts, signals.
"""

import json
import os
import signal
import socket
import stat
import time
from pathlib import Path

import httpx2
import pytest

from ctxfy.core.use_cases.monitoring_use_cases import REQUIRED_LOG_FIELDS
from tests.e2e.conftest import Server, StartServer, run_command


HELLO = "---\ndescription: Greets.\narguments:\n  who: {required: true}\n---\nHello {{ who }}!\n"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """
    A folder with one prompt.
    """
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "hello.prompt.md").write_text(HELLO)
    return folder


def get(server: Server, path: str, key: str = "") -> httpx2.Response:
    """
    Ask the server for something.
    """
    return httpx2.get(server.url + path, headers={"X-API-Key": key} if key else {})


def test_the_first_start_prints_one_key_and_the_second_none(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    The key is shown once, works at once, and works after a restart; the secrets are 0600.
    """
    first = start_server(tmp_path, prompts=prompts)
    key = first.key
    assert first.errors.count(key) >= 1
    assert get(first, "/metrics", key).status_code == 200
    assert first.stop() == 0
    second = start_server(tmp_path, prompts=prompts)
    assert "ctxfy_" not in second.errors
    assert get(second, "/metrics", key).status_code == 200
    for name in ("ctxfy.db", "ctxfy.keys"):
        assert stat.S_IMODE((tmp_path / "var" / name).stat().st_mode) == 0o600


def test_a_revoked_key_is_refused_within_a_second(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    `ctxfy keys revoke` in another process reaches the running server.
    """
    server = start_server(tmp_path, prompts=prompts)
    made = json.loads(server.run("keys", "create", "--user", "ann", "--json").stdout)
    assert get(server, "/metrics", made["api_key"]).status_code == 200
    assert server.run("keys", "revoke", made["key_id"]).returncode == 0
    deadline = time.monotonic() + 5
    while get(server, "/metrics", made["api_key"]).status_code == 200:
        assert time.monotonic() < deadline, "the key is still let in"
        time.sleep(0.05)
    refused = get(server, "/metrics", made["api_key"])
    assert refused.status_code == 401
    assert refused.json()["detail"] == "The API key was revoked."


def test_every_line_of_a_life_is_json_with_every_field(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    From start to stop, through good and bad requests, no line lacks a field or holds a secret.
    """
    server = start_server(tmp_path, prompts=prompts)
    key = server.key
    get(server, "/health")
    get(server, "/nothing", key)
    get(server, "/mcp")
    httpx2.post(server.mcp, content=b"{", headers={"X-API-Key": key, "Content-Type": "text/plain"})
    server.stop()
    lines = [json.loads(line) for line in server.logs.splitlines()]
    assert {"server_started", "request_served", "server_stopped"} <= {
        line["message"] for line in lines
    }
    for line in lines:
        assert set(REQUIRED_LOG_FIELDS) <= line.keys()
    assert key.rpartition("_")[2] not in server.logs


def test_a_key_can_be_set_from_outside_and_is_not_printed(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    With CTXFY_AUTH__BOOTSTRAP_KEY the first admin key is that one.
    """
    key = run_command(tmp_path, "keys", "create", "--user", "ops", "--dry-run").stdout.strip()
    server = start_server(tmp_path, prompts=prompts, CTXFY_AUTH__BOOTSTRAP_KEY=key)
    assert get(server, "/metrics", key).status_code == 200
    assert key not in server.errors + server.logs


def test_a_taken_port_is_one_clear_sentence(tmp_path: Path, prompts: Path) -> None:
    """
    Somebody else listens there: the sentence names address and remedy, the exit code is 1.
    """
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        ended = run_command(tmp_path, "serve", "--port", port, "--prompts", str(prompts))
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"ctxfy: Cannot listen on 127.0.0.1 port {port}: address already in use; "
        "end what uses it, or choose another with --port."
    )


def test_a_broken_prompt_keeps_the_server_from_starting(tmp_path: Path, prompts: Path) -> None:
    """
    Every mistake is named with file and line, without a traceback.
    """
    (prompts / "bad.prompt.md").write_text("---\ndescripton: x\n---\nHi {{ name }}\n")
    ended = run_command(tmp_path, "serve", "--port", "0", "--prompts", str(prompts))
    assert ended.returncode == 1
    assert "bad.prompt.md:2: unknown key 'descripton'; did you mean 'description'?" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_that_is_none_keeps_the_server_from_starting(
    tmp_path: Path, prompts: Path
) -> None:
    """
    The sentence names the file; nothing of the driver shows.
    """
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "ctxfy.db").write_text("this is no database, only a text file" * 100)
    ended = run_command(tmp_path, "serve", "--port", "0", "--prompts", str(prompts))
    assert ended.returncode == 1
    assert "var/ctxfy.db" in ended.stderr
    assert "Traceback" not in ended.stderr + ended.stdout
    assert "sqlite3" not in ended.stderr


def test_a_termination_signal_ends_the_server_cleanly(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    SIGTERM ends with exit code 0, also with a connection kept open.
    """
    server = start_server(tmp_path, prompts=prompts)
    with httpx2.Client() as client:
        assert client.get(server.url + "/health/live").status_code == 200
        assert server.stop(signal.SIGTERM) == 0


def test_without_a_collector_nothing_of_tracing_is_loaded(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    Neither OpenTelemetry's exporter nor the library of its wire format is in the process.
    """
    server = start_server(tmp_path, prompts=prompts)
    loaded = Path(f"/proc/{server.process.pid}/maps").read_text(encoding="utf-8")
    assert "uvloop" in loaded
    assert "google/_upb" not in loaded


def test_a_server_killed_hard_loses_no_key(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    Keys acknowledged before kill -9 are there after it.
    """
    server = start_server(tmp_path, prompts=prompts)
    made = [server.run("keys", "create", "--user", f"u{i}").stdout.strip() for i in range(3)]
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    again = start_server(tmp_path, prompts=prompts)
    assert [get(again, "/metrics", key).status_code for key in made] == [200] * 3


def test_a_key_that_comes_too_often_is_told_when_to_come_again(
    start_server: StartServer, tmp_path: Path, prompts: Path
) -> None:
    """
    Beyond its own limit a key gets 429 with Retry-After, in the shape of the route.
    """
    server = start_server(tmp_path, prompts=prompts)
    made = server.run("keys", "create", "--user", "ann", "--rate-limit", "2/hour")
    key = made.stdout.strip()
    assert [get(server, "/metrics", key).status_code for _ in range(3)] == [200, 200, 429]
    refused = httpx2.post(server.mcp, json={}, headers={"Authorization": f"Bearer {key}"})
    assert refused.status_code == 429
    assert (
        int(refused.headers["Retry-After"]) == refused.json()["error"]["data"]["retryAfterSeconds"]
    )
