"""
SIGTERM while streams are open and requests are in work.
"""

import json
import signal
import socket
from pathlib import Path

import httpx2

from tests.e2e.conftest import Server, StartServer
from tests.e2e.waiting import until


PATIENCE_SECONDS = 20
STREAMS = 10
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def post(server: Server, method: str, parameters: dict[str, object]) -> bytes:
    """
    Write a request of protocol 2026-07-28 as it is sent.
    """
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters | {"_meta": META}}
    body = json.dumps(message).encode()
    head = (
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\n"
        f"Mcp-Method: {method}\r\nX-API-Key: {server.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def connect(server: Server) -> socket.socket:
    """
    Open a connection.
    """
    address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
    return socket.create_connection(address, timeout=PATIENCE_SECONDS)


def rest_of(connection: socket.socket) -> bytes:
    """
    Read to the end.
    """
    with connection:
        return b"".join(iter(lambda: connection.recv(65536), b""))


async def test_a_server_that_ends_says_so_first_and_finishes_what_it_began(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    Ready turns false while it still serves; streams and requests come to their end, and so does it.
    """
    server = start_server(tmp_path, CTXFY_SERVER__DRAIN_SECONDS="3")
    listening = post(
        server, "subscriptions/listen", {"notifications": {"promptsListChanged": True}}
    )
    streams = [connect(server) for _ in range(STREAMS)]
    for stream in streams:
        stream.sendall(listening)
        assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
    begun, half = connect(server), post(server, "prompts/list", {})
    begun.sendall(half[:-10])
    with httpx2.Client(base_url=server.url, headers={"x-api-key": server.key}) as client:
        assert client.get("/health/ready").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        await until(lambda: client.get("/health/ready").status_code == 503)
        last = client.get("/auth/api-keys/current")
    assert (last.status_code, last.headers["connection"]) == (200, "close")
    begun.sendall(half[-10:])
    answer = rest_of(begun)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"prompts"' in answer
    assert all(rest_of(stream).endswith(b"0\r\n\r\n") for stream in streams)
    assert server.process.wait(timeout=10) == 0
    assert "error_raised" not in server.logs
    assert "Traceback" not in server.errors
