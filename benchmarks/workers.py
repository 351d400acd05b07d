"""
What a second worker brings: the same server with one and with two, both on all processors.

    python -m benchmarks.workers [ROUNDS [SECONDS]]

Servers take turns within one run; each round is compared with its own first server. The client runs
on the same processors and takes its part of them, so what is told is less than two machines show.
"""

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.auth import CONNECTIONS, CURRENT, take_turns
from benchmarks.servers import PROCESSORS, Load, Measured, ctxfy_server
from tests.postgres_kit import TestServer


DURABLE = {"fsync": "on", "full_page_writes": "on"}
RELAXED = {"CTXFY_AUDIT__DURABILITY": "relaxed"}


def main() -> None:
    """
    Measure, and print a table.
    """
    rounds, seconds = (int(each) for each in [*sys.argv[1:3], "5", "4"][:2])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        measured = servers(stack, folder)
        loads = take_turns(measured, rounds, seconds)
    print(f"\n{CONNECTIONS} connections, medians of {rounds} rounds of {seconds} s:\n")
    print("| server | workers | per second | of one | per second of one core | of one | p95 ms |")
    print("|---|---|---|---|---|---|---|")
    for one, two in zip(measured[::2], measured[1::2], strict=True):
        for server, workers in ((one, 1), (two, 2)):
            found = loads[server.name]
            rates = [
                f"{_median(found, figure):,.0f} | {_ratio(found, loads[one.name], figure):.2f}"
                for figure in ("per_second", "per_cpu_second")
            ]
            row = " | ".join([one.name, str(workers), *rates, f"{_median(found, 'p95_ms'):.1f}"])
            print(f"| {row} |")


def servers(stack: ExitStack, folder: Path) -> Sequence[Measured]:
    """
    Start them, in pairs of one worker and two.
    """
    postgres = stack.enter_context(TestServer(DURABLE))
    kinds: Mapping[str, Mapping[str, str]] = {
        "SQLite, strict": {},
        "SQLite, relaxed": RELAXED,
        "PostgreSQL, strict": {},
        "PostgreSQL, relaxed": RELAXED,
    }
    started: list[Measured] = []
    for name, settings in kinds.items():
        for workers in (1, 2):
            place = folder / f"{name} {workers}"
            given = {**settings, "CTXFY_SERVER__WORKERS": str(workers)}
            if name.startswith("PostgreSQL"):
                given["CTXFY_STORAGE__URL"] = postgres.url(asyncio.run(postgres.create()))
                given["CTXFY_AUTH__KEY_FILE"] = str(place / "ctxfy.keys")
            label = name if workers == 1 else f"{name}, two workers"
            server = ctxfy_server(label, place, CURRENT, given, processors=PROCESSORS)
            started.append(stack.enter_context(server))
    return started


def _ratio(loads: Sequence[Load], firsts: Sequence[Load], figure: str) -> float:
    return statistics.median(
        float(getattr(load, figure)) / float(getattr(first, figure))
        for load, first in zip(loads, firsts, strict=True)
    )


def _median(loads: Sequence[Load], figure: str) -> float:
    return statistics.median(float(getattr(load, figure)) for load in loads)


if __name__ == "__main__":
    main()
