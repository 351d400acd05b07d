"""
What `prompts/get` costs: ctxfy with everything on, next to a bare echo, FastMCP and the SDK.

    python -m benchmarks.prompts [quick | contextforge] [ROUNDS SECONDS]

Each table is one run: its servers take turns, each on one processor, the client on another. Writes
tables, figures and charts to build/bench. `quick` makes the first table alone, in under a minute,
`contextforge` the last, which is made only where `make bench-contextforge` has installed it.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks.charts import line_chart
from benchmarks.contextforge import PROGRAM, contextforge_server
from benchmarks.prompt_calls import (
    CODE,
    PATH,
    TOKEN,
    Call,
    call_2025,
    call_2026,
    prompt_text,
    write_prompts,
)
from benchmarks.servers import (
    ADMIN_KEY,
    PROCESSORS,
    ROOT,
    Load,
    Measured,
    asgi_server,
    ctxfy_server,
    echo_server,
)
from tests.integration.valkey_kit import valkey_process
from tests.postgres_kit import TestServer


OUTPUT = ROOT / "build" / "bench"
CONNECTIONS = 32
QUICK = (2, 1.5)
FULL = (5, 4.0)
LARGE_BYTES = 100_000
DURABLE = {"fsync": "on", "full_page_writes": "on"}
RELAXED = {"CTXFY_AUDIT__DURABILITY": "relaxed"}
FASTMCP_ALONE = {"CTXFY_SERVER__EXPRESS_LANE": "false"}
ECHO, CTXFY, BARE = "bare echo", "ctxfy", "FastMCP, bare"

type MakeCall = Callable[[str], Call]
type MakeTable = Callable[[Bench], list[Row]]


@dataclass(frozen=True, slots=True)
class Row:
    """
    A server under a load: the medians of its rounds.
    """

    server: str
    at: float
    load: Load


class Bench:
    """
    Starts what is compared, and lets it take turns.
    """

    def __init__(self, folder: Path, rounds: int, seconds: float) -> None:
        self.folder = folder
        self.rounds = rounds
        self.seconds = seconds
        self._stack = ExitStack()
        self._started = 0

    @contextmanager
    def table(self) -> Generator[None]:
        """
        End all servers of a table after it.
        """
        with self._stack:
            yield

    def ctxfy(
        self,
        name: str = CTXFY,
        settings: Mapping[str, str] | None = None,
        *,
        call: MakeCall = call_2026,
        prompts: int = 10,
        least_bytes: int = 0,
        processors: Sequence[int] | None = None,
    ) -> Measured:
        """
        Start ctxfy with everything on.
        """
        self._started += 1
        folder = self.folder / f"ctxfy-{self._started}"
        written = write_prompts(folder / "prompts", prompts, least_bytes)
        where = {} if processors is None else {"processors": processors}
        server = self._stack.enter_context(
            ctxfy_server(name, folder / "own", PATH, settings or {}, written, **where)
        )
        asked = _asked(server, call(ADMIN_KEY), least_bytes)
        return asked if processors is None else replace(asked, processors=processors)

    def rival(
        self, name: str, factory: str, call: MakeCall = call_2026, least_bytes: int = 0
    ) -> Measured:
        """
        Start one of the others.
        """
        environment = {"CTXFY_BENCH_TEXT": str(least_bytes)}
        server = asgi_server(name, f"benchmarks.rivals:{factory}", PATH, environment)
        return _asked(self._stack.enter_context(server), call(TOKEN), least_bytes)

    def contextforge(self) -> list[Measured]:
        """
        Start ContextForge once, and ask it on both wires.
        """
        server, token = self._stack.enter_context(contextforge_server(self.folder / "contextforge"))
        older = replace(server, name=f"{server.name}, 2025 wire")
        return [_asked(server, call_2026(token), 0), _asked(older, call_2025(token), 0)]

    def echo(self) -> Measured:
        """
        Start the echo; it is sent the same.
        """
        call = call_2026(TOKEN)
        server = self._stack.enter_context(echo_server(ECHO))
        return replace(server, headers=call.headers, body=call.body)

    def compare(
        self, servers: Sequence[Measured], *, at: float = CONNECTIONS, rate: float | None = None
    ) -> list[Row]:
        """
        Ask one after the other, again and again; a first round warms them up.
        """
        connections = CONNECTIONS if rate else int(at)
        loads: dict[str, list[Load]] = {each.name: [] for each in servers}
        for number in range(self.rounds + 1):
            for each in servers:
                seconds = self.seconds if number else 1.0
                found = each.load(connections=connections, seconds=seconds, rate=rate)
                if number:
                    loads[each.name].append(found)
        return [Row(name, rate or at, _median(found)) for name, found in loads.items()]


def main() -> None:
    """
    Measure, print and write.
    """
    tables, rounds, seconds = _order(sys.argv[1:])
    OUTPUT.mkdir(parents=True, exist_ok=True)
    told, figures = list[str](), dict[str, list[dict[str, object]]]()
    for name, make in tables:
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(Path(folder), rounds, seconds)
            with bench.table():
                rows = make(bench)
        text = f"## {name}\n\n{_table(rows)}\n"
        print(text, flush=True)
        told.append(text)
        figures[name] = [asdict(row) for row in rows]
        if chart := CHARTS.get(make):
            title, x_name, y_name, y_of = chart
            lines = {
                server: [(row.at, y_of(row.load)) for row in rows if row.server == server]
                for server in dict.fromkeys(row.server for row in rows)
            }
            drawn = line_chart(title, x_name, y_name, lines)
            (OUTPUT / f"{make.__name__}.svg").write_text(drawn)
    (OUTPUT / "tables.md").write_text("\n".join(told))
    (OUTPUT / "figures.json").write_text(json.dumps(figures, indent=1))
    print(f"load of the machine: {os.getloadavg()[0]:.1f}; written to {OUTPUT.relative_to(ROOT)}")


def peers(bench: Bench) -> list[Row]:
    """
    Everybody, with a small prompt.
    """
    return bench.compare(
        [
            bench.echo(),
            bench.ctxfy(),
            bench.ctxfy("ctxfy, relaxed audit", RELAXED),
            bench.ctxfy("ctxfy without its lane", FASTMCP_ALONE),
            bench.rival("SDK, low level", "sdk_lowlevel"),
            bench.rival(BARE, "fastmcp_bare"),
            bench.rival("FastMCP, guarded", "fastmcp_guarded"),
        ]
    )


def connections(bench: Bench) -> list[Row]:
    """
    From one connection to a thousand.
    """
    servers = [bench.echo(), bench.ctxfy(), bench.rival(BARE, "fastmcp_bare")]
    return [row for at in (1, 32, 256, 1000) for row in bench.compare(servers, at=at)]


def rates(bench: Bench) -> list[Row]:
    """
    At given rates, as long as a server can follow.
    """
    servers = [bench.ctxfy(), bench.rival(BARE, "fastmcp_bare")]
    most = {row.server: row.load.per_second for row in bench.compare(servers)}
    rows = list[Row]()
    for rate in (100, 200, 400, 800, 1600, 3200):
        able = [each for each in servers if rate < most[each.name]]
        rows += bench.compare(able, rate=rate) if able else []
    return rows


def wires_and_sizes(bench: Bench) -> list[Row]:
    """
    The older wire, and a prompt of 100 kB.
    """
    return bench.compare(
        [
            bench.ctxfy("ctxfy, 2025 wire", call=call_2025),
            bench.rival("FastMCP, 2025 wire", "fastmcp_bare", call_2025),
            bench.ctxfy("ctxfy, 100 kB", least_bytes=LARGE_BYTES),
            bench.rival("FastMCP, 100 kB", "fastmcp_bare", least_bytes=LARGE_BYTES),
        ]
    )


def stores(bench: Bench) -> list[Row]:
    """
    Where events and limits are kept.
    """
    with TestServer(DURABLE) as postgres, valkey_process() as valkey:
        asyncio.run(postgres.execute("CREATE DATABASE bench"))
        keys = bench.folder / "bench.keys"
        on_postgres = {
            "CTXFY_STORAGE__URL": postgres.url("bench"),
            "CTXFY_AUTH__KEY_FILE": str(keys),
        }
        return bench.compare(
            [
                bench.ctxfy("SQLite"),
                bench.ctxfy("PostgreSQL", on_postgres),
                bench.ctxfy("SQLite, limits in Valkey", {"CTXFY_LIMITS__URL": valkey.url}),
            ]
        )


def catalogs(bench: Bench) -> list[Row]:
    """
    By how many prompts there are.
    """
    counts = {f"{count:,} prompts": count for count in (10, 200, 10_000)}
    found = bench.compare([bench.ctxfy(name, prompts=count) for name, count in counts.items()])
    return [replace(row, server=CTXFY, at=counts[row.server]) for row in found]


def workers(bench: Bench) -> list[Row]:
    """
    One worker and two, on all processors, which they share with the client.
    """
    return bench.compare(
        [
            bench.ctxfy("one worker", processors=PROCESSORS),
            bench.ctxfy("two workers", {"CTXFY_SERVER__WORKERS": "2"}, processors=PROCESSORS),
        ]
    )


def contextforge(bench: Bench) -> list[Row]:
    """
    A gateway that keeps prompts too, next to ctxfy and FastMCP, on both wires.
    """
    return bench.compare(
        [
            bench.ctxfy(),
            bench.ctxfy("ctxfy, 2025 wire", call=call_2025),
            bench.rival(BARE, "fastmcp_bare"),
            bench.rival("FastMCP, bare, 2025 wire", "fastmcp_bare", call_2025),
            *bench.contextforge(),
        ]
    )


TABLES: Sequence[tuple[str, MakeTable]] = (
    ("Servers", peers),
    ("Connections", connections),
    ("Requests due in a second", rates),
    ("Wires and sizes", wires_and_sizes),
    ("Stores and limits", stores),
    ("Prompts in the catalog", catalogs),
    ("Workers", workers),
)
GATEWAY: tuple[str, MakeTable] = ("ContextForge", contextforge)
CHARTS: Mapping[MakeTable, tuple[str, str, str, Callable[[Load], float]]] = {
    connections: (
        "Throughput by connections",
        "connections",
        "answers per second of one core",
        lambda load: load.per_cpu_second,
    ),
    rates: ("Latency by rate", "requests a second", "p95, ms", lambda load: load.p95_ms),
    catalogs: (
        "Cost by number of prompts",
        "prompts",
        "microseconds of one core for an answer",
        lambda load: 1e6 / load.per_cpu_second,
    ),
}


def _order(given: Sequence[str]) -> tuple[Sequence[tuple[str, MakeTable]], int, float]:
    chosen = {"quick": (TABLES[:1], QUICK), "contextforge": ((GATEWAY,), FULL)}
    everything = (*TABLES, GATEWAY) if PROGRAM.exists() else TABLES
    tables, pace = chosen.get(given[0] if given else "", (everything, FULL))
    numbers = [float(each) for each in given if each not in chosen]
    rounds, seconds = numbers + list(pace)[len(numbers) :]
    return tables, int(rounds), seconds


def _asked(server: Measured, call: Call, least_bytes: int) -> Measured:
    text = json.dumps(prompt_text(least_bytes, CODE)).strip('"')
    return replace(server, headers=call.headers, body=call.body, expected=text)


def _median(loads: Sequence[Load]) -> Load:
    names = asdict(loads[0])
    return Load(
        **{name: statistics.median(getattr(each, name) for each in loads) for name in names}
    )


def _table(rows: Sequence[Row]) -> str:
    head = (
        "| server | at | of one core/s | per second | p50 ms | p95 ms | p99 ms | MB | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    )
    first = rows[0].load.per_cpu_second
    lines = [
        f"| {row.server} | {row.at:,.0f} | {row.load.per_cpu_second:,.0f} "
        f"| {row.load.per_second:,.0f} | {row.load.p50_ms:.1f} | {row.load.p95_ms:.1f} "
        f"| {row.load.p99_ms:.1f} | {row.load.memory_mb:.0f} "
        f"| {row.load.per_cpu_second / first:.3f} |"
        for row in rows
    ]
    return "\n".join([*head, *lines])


if __name__ == "__main__":
    main()
