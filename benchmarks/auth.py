"""
Authentications a second: in the process, over HTTP with everything on, and a bare echo beside them.

    python -m benchmarks.auth [ROUNDS [SECONDS]]

Servers take turns within one run, each on one processor, the client on another. A second of the
processor is what counts on a machine that others use too; a second of the clock is told beside it.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.servers import Load, Measured, ctxfy_server, echo_server
from ctxfy.adapters.auth.api_key_service import ApiKeyService
from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.app.bootstrap import opened_storage
from ctxfy.app.config import Settings
from ctxfy.app.loading import utc_now
from ctxfy.app.storage_settings import StorageSettings
from tests.postgres_kit import TestServer


CURRENT = "/auth/api-keys/current"
CONNECTIONS = 32
CHECKS = 50_000
MCP_HEADERS = (
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    "MCP-Protocol-Version: 2025-11-25",
)
GET_PROMPT = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "prompts/get",
    "params": {"name": "commit-message", "arguments": {"diff": "-a\n+b"}},
}
DURABLE = {"fsync": "on", "full_page_writes": "on"}
RELAXED = {"CTXFY_AUDIT__DURABILITY": "relaxed"}


def main() -> None:
    """
    Measure, and print a table.
    """
    rounds, seconds = (int(each) for each in [*sys.argv[1:3], "5", "4"][:2])
    with tempfile.TemporaryDirectory() as folder:
        print(f"in the process: {asyncio.run(checks_a_second(Path(folder) / 'own')):,.0f} a second")
        with servers(Path(folder)) as measured:
            loads = take_turns(measured, rounds, seconds)
    print(f"\n{CONNECTIONS} connections, medians of {rounds} rounds of {seconds} s:\n")
    print("| server | per second of one core | per second | p50 ms | p95 ms | of the echo |")
    print("|---|---|---|---|---|---|")
    echo = _median(loads[measured[0].name], "per_cpu_second")
    for name, found in loads.items():
        core, clock, p50, p95 = (
            _median(found, figure)
            for figure in ("per_cpu_second", "per_second", "p50_ms", "p95_ms")
        )
        row = f"{core:,.0f} | {clock:,.0f} | {p50:.1f} | {p95:.1f} | {core / echo:.2f}"
        print(f"| {name} | {row} |")


@contextmanager
def servers(folder: Path) -> Generator[Sequence[Measured]]:
    """
    Start all that is to be compared; the echo first.
    """
    with ExitStack() as stack, TestServer(DURABLE) as postgres:

        def add(name: str, settings: Mapping[str, str]) -> Measured:
            place = folder / name.replace(" ", "-").replace(",", "")
            return stack.enter_context(ctxfy_server(name, place, CURRENT, settings))

        def on_postgres(name: str) -> dict[str, str]:
            asyncio.run(postgres.execute(f'CREATE DATABASE "{name}"'))
            return {
                "CTXFY_STORAGE__URL": postgres.url(name),
                "CTXFY_AUTH__KEY_FILE": str(folder / f"{name}.keys"),
            }

        strict = add("SQLite, strict", {})
        yield [
            stack.enter_context(echo_server("bare echo")),
            strict,
            add("SQLite, relaxed", RELAXED),
            add("PostgreSQL, strict", on_postgres("strict")),
            add("PostgreSQL, relaxed", on_postgres("relaxed") | RELAXED),
            replace(strict, name="no key at all", path="/health/live", headers=()),
            replace(
                strict,
                name="a prompt over MCP, SQLite, strict",
                path="/mcp",
                headers=(*strict.headers, *MCP_HEADERS),
                body=json.dumps(GET_PROMPT),
            ),
        ]


def take_turns(measured: Sequence[Measured], rounds: int, seconds: int) -> dict[str, list[Load]]:
    """
    Ask one after the other, again and again; a first round warms them up.
    """
    loads: dict[str, list[Load]] = {each.name: [] for each in measured}
    for number in range(rounds + 1):
        for each in measured:
            found = each.load(connections=CONNECTIONS, seconds=seconds if number else 1)
            if number:
                loads[each.name].append(found)
    return loads


@asynccontextmanager
async def opened_keys(folder: Path) -> AsyncGenerator[tuple[ApiKeyService, str]]:
    """
    Open the service of keys over a real store, and a valid key.
    """
    settings = Settings(storage=StorageSettings(url=f"sqlite:///{folder}/ctxfy.db"))
    async with opened_storage(settings, create=True) as storage:
        keys = ApiKeyService(
            storage.keys,
            storage.material,
            now=utc_now,
            monotonic=time.monotonic,
            logging=NullLogging(),
        )
        yield keys, await keys.create_api_key("ann")


async def checks_a_second(folder: Path) -> float:
    """
    Verify a key again and again, in a process that does nothing else.
    """
    async with opened_keys(folder) as (keys, valid):
        began = time.process_time()
        good = [await keys.validate_api_key(valid) for _ in range(CHECKS)]
        took = time.process_time() - began
    return sum(good) / took


def _median(loads: Sequence[Load], figure: str) -> float:
    return float(statistics.median(getattr(load, figure) for load in loads))


if __name__ == "__main__":
    main()
