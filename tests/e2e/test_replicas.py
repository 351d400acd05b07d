"""
Several processes on one store: two on one PostgreSQL and one Valkey, and four on one SQLite file.

Short here, with two on SQLite; `make replicas` revokes a thousand keys, and lets four write.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.conftest import Server, StartServer, run_command
from tests.e2e.key_kit import UNLIMITED, Admin, events_in
from tests.integration.valkey_kit import valkey_process
from tests.postgres_kit import TestServer


REVOCATIONS = int(os.environ.get("REVOCATIONS", "20"))
AT_ONCE = 20
WRITING_SECONDS = float(os.environ.get("WRITING_SECONDS", "1"))
PROMISED_SECONDS = 1.0 if "REVOCATIONS" in os.environ else 20.0
"""
In the suite a busy machine must not look like a late revocation.
"""
WRITERS = int(os.environ.get("WRITERS", "2"))
PROMPT = "---\ndescription: Greets.\n---\nHello\n"


def start_all(start_server: StartServer, folder: Path, count: int, **settings: str) -> list[Server]:
    """
    Start servers at the same moment, each in a folder of its own.
    """
    (folder / "prompts").mkdir()
    (folder / "prompts" / "hello.prompt.md").write_text(PROMPT)
    places = [folder / f"server-{number}" for number in range(count)]
    for place in places:
        place.mkdir()

    def start(place: Path) -> Server:
        return start_server(place, prompts=folder / "prompts", **UNLIMITED, **settings)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, places))


@pytest.fixture(scope="module")
def pair(
    start_server: StartServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """
    Two servers on one PostgreSQL and one Valkey.
    """
    folder = tmp_path_factory.mktemp("pair")
    with TestServer() as postgres, valkey_process() as valkey:
        database = asyncio.run(postgres.create())
        one, other = start_all(
            start_server,
            folder,
            2,
            CTXFY_STORAGE__URL=postgres.url(database),
            CTXFY_AUTH__KEY_FILE=str(folder / "ctxfy.keys"),
            CTXFY_LIMITS__URL=valkey.url,
            CTXFY_LIMITS__REPLICAS="2",
        )
        yield one, other
        for server in (one, other):
            server.stop()


@pytest.mark.timeout(120 + REVOCATIONS)
async def test_a_revocation_by_one_holds_at_the_other(pair: tuple[Server, Server]) -> None:
    """
    However often: once it was acknowledged, the other refuses the key within a second.
    """
    async with Admin(pair[0].url) as one, Admin(pair[1].url) as other:

        async def revoked_after() -> float:
            latest = 0.0
            key = await one.create()
            assert await other.status_of(key) == 200
            await one.revoke(key)
            acknowledged = asked = time.monotonic()
            while await other.status_of(key) != 401:
                await asyncio.sleep(0.02)
                last, asked = asked, time.monotonic()
                latest = last - acknowledged  # when the last request was sent that was let in
            return latest

        delays: list[float] = []
        while len(delays) < REVOCATIONS:
            delays += await asyncio.gather(*(revoked_after() for _ in range(AT_ONCE)))
    worst = max(delays)
    print(f"{len(delays)} revocations, the last request let in was sent after {worst:.3f} s")  # noqa: T201 - for `make replicas`
    assert worst <= PROMISED_SECONDS


async def test_both_count_against_one_limit(pair: tuple[Server, Server]) -> None:
    """
    Ten of a key through both in turn, and no more.
    """
    async with Admin(pair[0].url) as one, Admin(pair[1].url) as other:
        key = await one.create(rate_limit="10/hour")
        found = [await each.status_of(key) for _ in range(6) for each in (one, other)]
    assert found == [200] * 10 + [429] * 2


async def test_a_rotation_asked_of_both_is_one(pair: tuple[Server, Server]) -> None:
    """
    Under one Idempotency-Key, however many ask at once: one new secret, one event, and it is good
    at both.
    """
    async with Admin(pair[0].url) as one, Admin(pair[1].url) as other:
        key = await one.create()
        made = await asyncio.gather(
            *(each.rotate(key, "the same") for _ in range(5) for each in (one, other))
        )
        assert len(set(made)) == 1
        assert [await each.status_of(made[0]) for each in (one, other)] == [200, 200]
        told = await one.ask("GET", f"/audit/events?action=key_rotated&target={key[6:18]}")
    assert len(told["events"]) == 1


@pytest.mark.timeout(120 + int(WRITING_SECONDS) * 2)
async def test_processes_write_one_file(start_server: StartServer, tmp_path: Path) -> None:
    """
    All get their turn, started at once on a file that is not there yet; no write fails, none
    is lost, and the one chain they write is whole.
    """
    database = f"sqlite:///{tmp_path}/var/ctxfy.db"
    servers = start_all(start_server, tmp_path, WRITERS, CTXFY_STORAGE__URL=database)
    waits = await asyncio.gather(*(write_for_a_while(server.url) for server in servers))
    for server in servers:
        assert server.stop() == 0
        assert '"ERROR"' not in server.logs
    for number, waited in enumerate(waits):
        print(f"process {number}: {len(waited)} writes, worst {max(waited):.3f} s")  # noqa: T201 - for `make replicas`
    written = sum(map(len, waits))
    assert min(map(len, waits)) * WRITERS * 4 > written, "one process hardly got a turn"
    settings = {"CTXFY_STORAGE__URL": database}
    assert run_command(tmp_path, "audit", "verify", **settings).returncode == 0
    exported = run_command(tmp_path, "audit", "export", "--action", "key_created", **settings)
    assert len(events_in(exported.stdout)) == written + 1  # and the first key of all


async def write_for_a_while(url: str) -> list[float]:
    """
    Create keys one after the other; return how long each took.
    """
    waited: list[float] = []
    async with Admin(url) as admin:
        until = time.monotonic() + WRITING_SECONDS
        while time.monotonic() < until:
            began = time.monotonic()
            await admin.create()
            waited.append(time.monotonic() - began)
    return waited
