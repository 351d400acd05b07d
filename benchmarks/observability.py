"""
What being seen costs: the same server silent, with its log, and with traces in several measures.

    python -m benchmarks.observability [ROUNDS [SECONDS]]

Servers take turns within one run. What is compared is what a second of the processor gives, each
round with its own first server, so that what else runs on the machine is in both.
"""

import statistics
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.auth import CONNECTIONS, CURRENT, take_turns
from benchmarks.servers import Load, Measured, ctxfy_server, echo_server


GONE = "http://127.0.0.1:9"  # the port of "discard", where nobody listens


def main() -> None:
    """
    Measure, and print a table.
    """
    rounds, seconds = (int(each) for each in [*sys.argv[1:3], "5", "4"][:2])
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as measured:
        loads = take_turns(measured, rounds, seconds)
    first = loads[measured[0].name]
    print(f"{CONNECTIONS} connections, medians of {rounds} rounds of {seconds} s:\n")
    print("| told | per second of one core | p50 ms | p95 ms | of the silent one |")
    print("|---|---|---|---|---|")
    for name, found in loads.items():
        core, p50, p95 = (
            statistics.median(getattr(load, figure) for load in found)
            for figure in ("per_cpu_second", "p50_ms", "p95_ms")
        )
        print(f"| {name} | {core:,.0f} | {p50:.1f} | {p95:.1f} | {ratio_of(found, first):.2f} |")


@contextmanager
def servers(folder: Path) -> Generator[Sequence[Measured]]:
    """
    Start all that is to be compared; the silent one first. Metrics are always counted.
    """
    with ExitStack() as stack:
        # Any server that answers 200 does for a collector here.
        collector = stack.enter_context(echo_server("collector"))
        url = f"http://127.0.0.1:{collector.port}/v1/traces"

        def add(name: str, settings: Mapping[str, str]) -> Measured:
            place = folder / name.replace(" ", "-").replace(",", "")
            return stack.enter_context(ctxfy_server(name, place, CURRENT, settings))

        yield [
            add("nothing", {"CTXFY_LOGGING__LEVEL": "CRITICAL"}),
            add("log", {}),
            add("log, traces of a tenth", {TRACES_URL: url, TRACES_RATIO: "0.1"}),
            add("log, traces of all", {TRACES_URL: url}),
            add("log, traces of all, collector gone", {TRACES_URL: GONE}),
        ]


TRACES_URL = "CTXFY_MONITORING__TRACES_URL"
TRACES_RATIO = "CTXFY_MONITORING__TRACES_RATIO"


def ratio_of(loads: Sequence[Load], others: Sequence[Load]) -> float:
    """
    Compare round by round.
    """
    return statistics.median(
        one.per_cpu_second / other.per_cpu_second for one, other in zip(loads, others, strict=True)
    )


if __name__ == "__main__":
    main()
