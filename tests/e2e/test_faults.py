"""
A server whose dependencies freeze and die says so, goes on, and is well again by itself.
"""

import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx2

from tests.e2e.conftest import Server, StartServer
from tests.e2e.waiting import until
from tests.integration.valkey_kit import valkey_process
from tests.postgres_kit import TestServer


async def test_health_tells_of_what_is_frozen_or_dead(
    start_server: StartServer, tmp_path: Path
) -> None:
    """
    PostgreSQL is frozen and Valkey killed: each is named, prompts are served, and both come back.
    """
    with TestServer() as postgres, valkey_process() as valkey:
        server = start_server(
            tmp_path,
            CTXFY_STORAGE__URL=postgres.url(await postgres.create()),
            CTXFY_AUTH__KEY_FILE=str(tmp_path / "keys"),
            CTXFY_LIMITS__URL=valkey.url,
        )
        assert prompts(server) == 200
        freeze, thaw = (partial(postgres.signal, each) for each in (signal.SIGSTOP, signal.SIGCONT))
        faults: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
            ("storage", freeze, thaw),
            ("limits", valkey.kill, valkey.start),
        ]
        for check, strike, mend in faults:
            strike()
            await until(partial(says, server, check, "warn"))
            assert prompts(server) == 200
            mend()
            await until(partial(says, server, check, "pass"))


def prompts(server: Server) -> int:
    """
    Ask for the prompts, and return the status.
    """
    headers = {"Authorization": f"Bearer {server.key}"}
    return httpx2.get(f"{server.url}/prompts", headers=headers).status_code


def says(server: Server, check: str, status: str) -> bool:
    """
    Ask whether a part is said to be so, after a request that needs all of them.
    """
    prompts(server)
    health = httpx2.get(f"{server.url}/health").json()
    return bool(health["checks"][check][0]["status"] == status)
