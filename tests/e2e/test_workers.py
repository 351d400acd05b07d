"""
Several workers on one machine are as one server: counts, limits, revocations, reloads, their end.

One server with two of them, on PostgreSQL, is lived through from its start to its end.
"""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping

import httpx2
import pytest

from ctxfy.adapters.monitoring.metrics_text import read_metrics
from ctxfy.core.models.scrape_models import Scrape
from tests.e2e.conftest import Server, StartServer, run_command
from tests.e2e.key_kit import ADMIN_KEY, UNLIMITED, Admin
from tests.e2e.waiting import until
from tests.postgres_kit import TestServer


CURRENT = "/auth/api-keys/current"
PROMPT = "---\ndescription: Greets.\n---\nHello\n"
AT_ONCE = 8
PROMISED_SECONDS = 20.0
"""
A second is promised (`make replicas` measures it); a busy machine must not look like a late one.
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """
    What the server stands on.
    """
    with TestServer() as postgres:
        yield {
            "CTXFY_STORAGE__URL": postgres.url(asyncio.run(postgres.create())),
            "CTXFY_AUTH__KEY_FILE": str(tmp_path_factory.mktemp("keys") / "ctxfy.keys"),
        }


@pytest.fixture(scope="module")
def pair(
    start_server: StartServer,
    settings: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Server:
    """
    One server with two workers, both of which serve.
    """
    folder = tmp_path_factory.mktemp("workers")
    (folder / "prompts").mkdir()
    (folder / "prompts" / "hello.prompt.md").write_text(PROMPT)
    server = start_server(
        folder, "--workers", "2", prompts=folder / "prompts", **settings, **UNLIMITED
    )
    asyncio.run(until(lambda: server.logs.count('"server_started"') == 2))
    return server


def strangers(server: Server) -> httpx2.AsyncClient:
    """
    Make a client that opens a connection for each request, which either worker may take.
    """
    limits = httpx2.Limits(max_keepalive_connections=0)
    headers = {"x-api-key": ADMIN_KEY}
    return httpx2.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=60)


async def ask_often(server: Server, path: str, times: int, key: str = ADMIN_KEY) -> list[int]:
    """
    Ask so often, some at once; return the statuses.
    """
    turn = asyncio.Semaphore(AT_ONCE)
    async with strangers(server) as http:

        async def once() -> int:
            async with turn:
                return int((await http.get(path, headers={"x-api-key": key})).status_code)

        return list(await asyncio.gather(*(once() for _ in range(times))))


async def scrape(http: httpx2.AsyncClient) -> Scrape:
    """
    Read the metrics, from whichever worker.
    """
    return read_metrics((await http.get("/metrics")).text, time.monotonic())


def count_of(found: Scrape, name: str, **labels: str) -> float:
    """
    Add up the series of a metric that have these labels.
    """
    wanted = set(labels.items())
    return sum(value for series, value in found.samples[name].items() if wanted <= set(series))


async def workers_of(http: httpx2.AsyncClient) -> dict[int, int]:
    """
    Return the process of each worker that serves.
    """
    check = (await http.get("/health")).json()["checks"]["workers"][0]
    return {each["number"]: each["pid"] for each in check["figures"]["workers"]}


async def test_both_serve_and_either_tells_the_sum(pair: Server) -> None:
    """
    Requests spread over the workers, every line says whose it is, and no count lacks any of them.
    """
    async with strangers(pair) as http:
        before = await scrape(http)
        assert set(await ask_often(pair, CURRENT, 200)) == {200}
        after = [await scrape(http) for _ in range(6)]
    for name in ("ctxfy_http_requests_total", "ctxfy_http_request_duration_seconds_count"):
        counts = {count_of(each, name, endpoint=CURRENT) for each in after}
        assert counts == {count_of(before, name, endpoint=CURRENT) + 200}
    assert set(after[0].samples["ctxfy_workers"].values()) == {2.0}
    assert len(after[0].samples["process_resident_memory_bytes"]) == 2
    await until(lambda: pair.logs.count(f'"{CURRENT}"') == 200)
    lines = [json.loads(line) for line in pair.logs.splitlines()]
    assert {line["worker"] for line in lines if line["endpoint"] == CURRENT} == {1, 2}


async def test_a_limit_is_one_for_both(pair: Server) -> None:
    """
    Ten of a key, over many connections at the same time, and no more.
    """
    async with Admin(pair.url) as admin:
        key = await admin.create(rate_limit="10/hour")
    assert Counter(await ask_often(pair, CURRENT, 40, key)) == {200: 10, 429: 30}


async def test_a_revocation_holds_at_both(pair: Server) -> None:
    """
    Once it was acknowledged, neither lets the key in for longer than was promised.
    """
    async with Admin(pair.url) as admin:
        key = await admin.create()
        assert set(await ask_often(pair, CURRENT, 20, key)) == {200}
        await admin.revoke(key)
    acknowledged = time.monotonic()
    while 200 in await ask_often(pair, CURRENT, 20, key):
        assert time.monotonic() - acknowledged < PROMISED_SECONDS


async def test_a_reload_is_answered_when_both_serve_the_new_set(pair: Server) -> None:
    """
    After the answer, no connection sees the old set.
    """
    (pair.folder / "prompts" / "bye.prompt.md").write_text(PROMPT)
    async with strangers(pair) as http:
        assert (await http.post("/prompts/reload")).status_code == 200
    assert set(await ask_often(pair, "/prompts/bye", 20)) == {200}


async def test_another_takes_the_place_of_one_that_is_killed(pair: Server) -> None:
    """
    Only requests in flight are lost, the rest is served, and no count falls.
    """
    lost, has_ended = 0, False
    async with strangers(pair) as http:

        async def keep_asking() -> None:
            nonlocal lost
            while not has_ended:
                try:
                    assert (await http.get(CURRENT)).status_code == 200
                except httpx2.TransportError:
                    lost += 1

        before, counted = await workers_of(http), await scrape(http)
        asking = [asyncio.create_task(keep_asking()) for _ in range(AT_ONCE)]
        os.kill(before[2], signal.SIGKILL)
        await until(lambda: '"worker_replaced"' in pair.logs)
        has_ended = True
        await asyncio.gather(*asking)
        recounted = await scrape(http)
        async with asyncio.timeout(60):
            # Health looks every two seconds.
            while (await workers_of(http)).get(2) in {None, before[2]}:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert (await workers_of(http))[1] == before[1]
    assert lost <= AT_ONCE
    name = "ctxfy_http_requests_total"
    assert count_of(recounted, name) > count_of(counted, name)
    assert '"reason":"SIGKILL"' in pair.logs


async def test_the_end_loses_no_request_in_flight(
    pair: Server, settings: Mapping[str, str]
) -> None:
    """
    Requests whose bodies are still coming when the signal comes are answered, no worker has to be
    killed for being late, and the chains of both are whole.
    """
    host, _, port = pair.url.removeprefix("http://").partition(":")
    head = (
        f"POST /prompts/hello/execute HTTP/1.1\r\nhost: {host}\r\nx-api-key: {ADMIN_KEY}\r\n"
        "content-type: application/json\r\ncontent-length: 2\r\n\r\n{"
    )
    streams = [await asyncio.open_connection(host, int(port)) for _ in range(AT_ONCE * 2)]
    for _, writer in streams:
        writer.write(head.encode())
    name = "ctxfy_http_requests_in_progress"
    async with strangers(pair) as http, asyncio.timeout(60):
        while count_of(await scrape(http), name) <= len(streams):  # noqa: ASYNC110 - of others
            await asyncio.sleep(0.1)
    pair.process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    for _, writer in streams:
        writer.write(b"}")
    answers = await asyncio.gather(*(reader.read() for reader, _ in streams))
    for _, writer in streams:
        writer.close()
    assert {answer.split(b" ", 2)[1] for answer in answers} == {b"200"}
    assert await asyncio.to_thread(pair.stop) == 0
    verified = json.loads(run_command(pair.folder, "audit", "verify", "--json", **settings).stdout)
    assert (verified["valid"], verified["chains"]) == (True, 2)
