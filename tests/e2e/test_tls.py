"""
TLS served by the real process.
"""

import ssl
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.e2e.conftest import StartServer, run_command
from tests.self_signed import write_pair


def test_the_server_speaks_tls_1_3_and_takes_renewed_files(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    The address is https, TLS 1.2 is refused, HSTS is sent, and a renewal needs no restart.
    """
    pair = write_pair(tmp_path)
    server = start_server(
        tmp_path,
        CTXFY_TLS__CERTIFICATE=str(pair.certificate),
        CTXFY_TLS__KEY=str(pair.key),
        CTXFY_TLS__RELOAD_SECONDS="1",
    )
    assert server.url.startswith("https://127.0.0.1:")
    assert f"ctxfy serves your prompts at {server.url}/mcp" in server.errors
    address = server.url.replace("127.0.0.1", "localhost")
    trusting = ssl.create_default_context(cafile=str(pair.certificate))
    with httpx2.Client(verify=trusting, headers={"X-API-Key": server.key}) as client:
        answer = client.get(f"{address}/prompts")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=63072000"
    old = ssl.create_default_context(cafile=str(pair.certificate))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(httpx2.ConnectError, match=r"(?i)protocol"), httpx2.Client(verify=old) as c:
        c.get(f"{address}/health")
    write_pair(tmp_path)
    renewed = pair.certificate.read_text()
    place = urlsplit(server.url)
    deadline = time.monotonic() + 30
    while _shown_at(place.hostname or "", place.port or 0) != renewed:
        assert time.monotonic() < deadline, server.logs
        time.sleep(0.1)
    assert server.stop() == 0
    assert "certificate_renewed" in server.logs


def _shown_at(host: str, port: int) -> str:
    return ssl.get_server_certificate((host, port), timeout=10)


def test_half_a_pair_stops_the_start(tmp_path: Path) -> None:
    """
    Before anything is served in clear.
    """
    pair = write_pair(tmp_path)
    (tmp_path / "fastmcp.json").write_text(
        f'{{"ctxfy": {{"tls": {{"certificate": "{pair.certificate}"}}}}}}'
    )
    ran = run_command(tmp_path, "serve", "--port", "0")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == (
        "ctxfy: TLS needs both: set CTXFY_TLS__CERTIFICATE and CTXFY_TLS__KEY, or neither.\n"
    )
