"""
A server looked over from outside.
"""

import json
import ssl
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import override

from tests.e2e.conftest import COMMAND, Server, clean_environment
from tests.self_signed import write_pair


def verdicts(url: str, **environment: str) -> dict[str, tuple[str, str]]:
    """
    Run `ctxfy doctor --url` and return each check's status and sentence.
    """
    ended = subprocess.run(
        [*COMMAND, "doctor", "--url", url, "--json"],
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    report = json.loads(ended.stdout)
    assert (ended.returncode == 0) is report["ok"]
    return {each["name"]: (each["status"], each["detail"]) for each in report["checks"]}


def test_a_server_is_looked_over_with_a_key(server: Server) -> None:
    """
    Everything is well, on both revisions, and the key is not shown.
    """
    found = verdicts(server.url, CTXFY_API_KEY=server.key)
    # A machine that is busy with other tests is a warning.
    assert found.pop("health")[0] in {"pass", "warn"}
    assert {name: status for name, (status, _) in found.items()} == dict.fromkeys(
        ("server", "tls", "clock", "well-known", "key", "mcp, older", "mcp, newest"),
        "pass",
    )
    assert "scope admin" in found["key"][1]
    assert "2025-11-25" in found["mcp, older"][1]
    assert "2026-07-28" in found["mcp, newest"][1]
    assert server.key not in str(found)


def test_a_key_that_is_missing_or_wrong_is_told(server: Server) -> None:
    """
    What anybody sees is looked at all the same.
    """
    assert verdicts(server.url)["key"][0] == "warn"
    wrong = verdicts(server.url, CTXFY_API_KEY="ctxfy_AAAAAAAAAAAA_" + "A" * 49)
    assert wrong["key"][0] == "fail"
    assert wrong["well-known"][0] == "pass"
    made = server.run("keys", "create", "--user", "ann", "--prompts", "none-of-them")
    assert verdicts(server.url, CTXFY_API_KEY=made.stdout.strip())["mcp, newest"][0] == "warn"


class Foreign(BaseHTTPRequestHandler):
    """
    A server of something else, with a page for everything.
    """

    def do_GET(self) -> None:
        """
        Answer with HTML.
        """
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>")

    @override
    def log_message(self, format: str, *args: object) -> None:
        """
        Be quiet.
        """


@contextmanager
def foreign_server(tls: ssl.SSLContext | None = None) -> Generator[int]:
    """
    Run such a server, and give its port.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as running:
        if tls is not None:
            running.socket = tls.wrap_socket(running.socket, server_side=True)
        thread = Thread(target=running.serve_forever)
        thread.start()
        try:
            yield running.server_port
        finally:
            running.shutdown()
            thread.join()


def test_a_server_of_something_else_is_told() -> None:
    """
    Pages where JSON should be.
    """
    with foreign_server() as port:
        found = verdicts(f"http://127.0.0.1:{port}", CTXFY_API_KEY="ctxfy_x")
    assert {name for name, (status, _) in found.items() if status == "fail"} == {
        "health",
        "well-known",
        "key",
    }


def test_a_certificate_is_looked_at(tmp_path: Path) -> None:
    """
    Not trusted, the server cannot be reached; trusted, its end is told in time.
    """
    today = datetime.now(UTC)  # noqa: TID251 - the doctor has a real clock
    pair = write_pair(tmp_path, ends=today + timedelta(days=3, hours=1))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with foreign_server(tls) as port:
        url = f"https://localhost:{port}"
        untrusted = verdicts(url)
        trusted = verdicts(url, SSL_CERT_FILE=str(pair.certificate))
    assert untrusted.keys() == {"server"}
    assert "certificate" in untrusted["server"][1].lower()
    assert trusted["tls"] == ("warn", "The certificate ends in 3 days; renew it.")
