"""
Clients that take their time: a real server ends their connections, and serves everybody else.

In short here, with times of a second; `make slow-clients` is the whole of it.
"""

import asyncio
import json
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx2

from tests.e2e.conftest import StartServer


PATIENCE_SECONDS = 60
EACH = 4
SHORT = {
    f"CTXFY_SERVER__{name}": "1"
    for name in (
        "HEADER_TIMEOUT_SECONDS",
        "BODY_TIMEOUT_SECONDS",
        "SEND_TIMEOUT_SECONDS",
        "KEEP_ALIVE_SECONDS",
    )
}
START = "{method} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n"
JSON = "Content-Type: application/json\r\n"


class Attack:
    """
    What is sent at once, what drips after it, and what comes back.
    """

    def __init__(self, sent: str, drip: str = "", *, status: str = "", reads: bool = True) -> None:
        self.sent = sent
        self.drip = drip
        self.status = status
        self.reads = reads

    async def last(self, port: int, key: str) -> str:
        """
        Hold a connection for as long as the server lets it; returns the status that came.
        """
        sent = self.sent.replace("{key}", key).encode()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)  # noqa: FBT003 - the standard library's signature
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", port))
            async with asyncio.timeout(PATIENCE_SECONDS):
                with suppress(ConnectionError):
                    await loop.sock_sendall(client, sent)
                return await (self._read(client) if self.reads else self._ignore(client))

    async def _read(self, client: socket.socket) -> str:
        loop, said = asyncio.get_running_loop(), b""
        dripping = asyncio.create_task(self._drip(client))
        with suppress(ConnectionError):
            while part := await loop.sock_recv(client, 65536):
                said += part
        dripping.cancel()
        return said[9:12].decode()

    async def _drip(self, client: socket.socket) -> None:
        with suppress(ConnectionError):
            while self.drip:
                await asyncio.sleep(0.2)
                await asyncio.get_running_loop().sock_sendall(client, self.drip.encode())

    async def _ignore(self, client: socket.socket) -> str:
        # What is not read does not show the end of a connection; what cannot be sent does.
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(0.2)
                await asyncio.get_running_loop().sock_sendall(client, b"\r\n")
        return ""


BODY = START.replace("{method}", "POST /mcp") + JSON + "Content-Length: 1000\r\n\r\n{"
GET = START.replace("{method}", "GET /openapi.json")
ATTACKS: Mapping[str, Attack] = {
    "nothing": Attack(""),
    "half a head": Attack(GET, status="408"),
    "a head that drips": Attack(GET, "a: b\r\n", status="408"),
    "half a body": Attack(BODY, status="408"),
    "a body that drips": Attack(BODY, " ", status="408"),
    "no reading": Attack((GET + "\r\n") * 60, reads=False),
    "a header of 2 MB": Attack(GET + "a: " + "x" * 2_000_000, status="431"),
    "1,000 headers": Attack(GET + "a: b\r\n" * 1000 + "Connection: close\r\n\r\n", status="431"),
}


async def test_attackers_are_cut_off_and_everybody_else_is_served(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    Every connection ends by the server's doing, and is counted and told by its reason.
    """
    server = start_server(tmp_path, **SHORT)
    port, over = int(server.url.rpartition(":")[2]), asyncio.Event()
    headers = {"x-api-key": server.key, "connection": "close"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, timeout=30) as client:

        async def live() -> set[int]:
            statuses = set[int]()
            while not over.is_set():
                for path in ("/health/ready", "/auth/api-keys/current"):
                    statuses.add((await client.get(path)).status_code)
            return statuses

        assert (await client.get("/openapi.json")).status_code == 200  # the first one takes long
        friend = asyncio.create_task(live())
        attackers = [attack for attack in ATTACKS.values() for _ in range(EACH)]
        ends = await asyncio.gather(*(attack.last(port, server.key) for attack in attackers))
        over.set()
        assert await friend == {200}
        metrics = (await client.get("/metrics")).text
    # What came may be lost with the rest of a connection that is cut off while it sends.
    for attack, end in zip(attackers, ends, strict=True):
        assert end in {attack.status, ""} if "x" * 9 in attack.sent else end == attack.status
    counted = {
        reason: f'ctxfy_http_connections_cut_total{{reason="{reason}"}} {count}.0' in metrics
        for reason, count in {
            "silent": EACH,
            "slow_head": 2 * EACH,
            "slow_body": 2 * EACH,
            "slow_reader": EACH,
            "large_head": EACH,
        }.items()
    }
    assert all(counted.values()), (counted, metrics)
    lines = [json.loads(line) for line in server.logs.splitlines()]
    told = {line["reason"] for line in lines if line["message"] == "connections_cut"}
    assert told == {"slow_head", "slow_body", "slow_reader", "large_head"}
    assert "Traceback" not in server.errors
    assert server.stop() == 0
