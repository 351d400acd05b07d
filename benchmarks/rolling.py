"""
Rolling restarts and deaths of two replicas under traffic: of a restart not one request may fail.

    python -m benchmarks.rolling [RESTARTS [KILLS [RATE [STREAMS]]]]

Each time one replica is told to end (SIGTERM), is gone, starts again, and only when HAProxy takes
it to be up comes the turn of the other. A killed one (SIGKILL) may cost the requests that were in
flight at that moment, and no other. At the end both go, one after the other, to a version that is
one migration ahead, and back to this one, which then serves on its tables.

Exit status 1 if one of it does not hold, or if less than 99.9 % of all requests went well.
"""

import asyncio
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import uvloop

from benchmarks.balanced import Balancer, Replica, balanced
from benchmarks.clients import Request, Traffic, traffic
from benchmarks.next_version import next_version


FLOOR = 0.999
QUIET_SECONDS = 2.0
NEWER = "newer_schema_found"
DEFAULTS = (20, 5, 200, 20)


@dataclass(slots=True)
class Course:
    """
    What was done to the replicas.

    Attributes:
        restart_s: How long each was away, from the signal until it was up again.
        deaths: Of each killed one, when it was killed and when it was known to be gone, by the
            monotonic clock.
        codes: The exit codes of those that were told to end.
    """

    restart_s: list[float] = field(default_factory=list[float])
    deaths: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    codes: set[int] = field(default_factory=set[int])


async def restart(balancer: Balancer, replica: Replica, course: Course) -> None:
    """
    Let one replica end and start again.
    """
    began = time.monotonic()
    course.codes.add(await replica.end())
    replica.start()
    await balancer.wait_for(replica, "UP")
    course.restart_s.append(time.monotonic() - began)


async def kill(balancer: Balancer, replica: Replica, course: Course) -> None:
    """
    Kill one replica and start it again.
    """
    killed = time.monotonic()
    await replica.end(signal.SIGKILL)
    course.deaths.append((killed, time.monotonic()))
    await balancer.wait_for(replica, "DOWN")
    await asyncio.sleep(QUIET_SECONDS)
    replica.start()
    await balancer.wait_for(replica, "UP")
    await asyncio.sleep(QUIET_SECONDS)


def tell(seen: Traffic, course: Course) -> None:
    """
    Print what came of it.
    """
    good = [each for each in seen.requests if not each.failure]
    ends = sorted(each.ended for each in good)
    times = sorted((each.ended - each.sent) * 1000 for each in good)
    gap = max(later - earlier for earlier, later in pairwise(ends))
    middle, late = times[len(times) // 2], times[len(times) * 99 // 100]
    streams = seen.streams
    rows = {
        "requests": f"{len(seen.requests)} in {ends[-1] - ends[0]:.0f} s",
        "failed": f"{len(seen.failed)}, of them {len(excused(seen, course))} in flight at a death",
        "availability": f"{availability(seen):.4%}",
        "longest gap": f"{gap * 1000:.0f} ms between two good answers",
        "times": f"p50 {middle:.1f} ms, p99 {late:.0f} ms, worst {times[-1]:.0f} ms",
        "restarts": f"{len(course.restart_s)} of a replica, away for"
        f" {max(course.restart_s, default=0):.1f} s at most",
        "deaths": str(len(course.deaths)),
        "streams": f"{streams.opened} opened, {streams.ended} ended with their last frame,"
        f" {len(streams.lost)} cut off, {len(streams.refused)} refused",
        "without stream": f"{max(streams.gaps, default=0) * 1000:.0f} ms at most",
    }
    for name, row in rows.items():
        print(f"{name:<16}{row}")


def judge(seen: Traffic, course: Course) -> list[str]:
    """
    Return what must not be.
    """
    reasons = Counter((each.kind, each.failure) for each in seen.failed)
    reasons -= Counter((each.kind, each.failure) for each in excused(seen, course))
    problems = [f"{count} of {kind}: {why}" for (kind, why), count in reasons.most_common(20)]
    if availability(seen) < FLOOR:
        problems.append(f"availability is below {FLOOR:.1%}")
    if course.codes - {0}:
        problems.append(f"replicas ended with exit codes {course.codes}")
    if lost := [at for at in seen.streams.lost if not near(at, course.deaths)]:
        problems.append(f"{len(lost)} streams were cut off by restarts")
    refusals = Counter(seen.streams.refused)
    return problems + [f"{count} streams refused: {why}" for why, count in refusals.items()]


def availability(seen: Traffic) -> float:
    """
    The share of requests that went well.
    """
    return 1 - len(seen.failed) / len(seen.requests)


def near(at: float, deaths: Sequence[tuple[float, float]]) -> bool:
    """
    Tell whether something happened when a replica died.
    """
    return any(killed <= at < gone + QUIET_SECONDS for killed, gone in deaths)


def excused(seen: Traffic, course: Course) -> list[Request]:
    """
    List the failed requests that were under way when a replica died.
    """
    return [
        each
        for each in seen.failed
        if any(each.sent <= gone and each.ended >= killed for killed, gone in course.deaths)
    ]


async def run(restarts: int, kills: int, rate: float, streams: int) -> list[str]:
    """
    Do it all, and return what must not be.
    """
    course = Course()
    with tempfile.TemporaryDirectory() as name:
        async with (
            balanced(Path(name)) as balancer,
            traffic(balancer, rate=rate, streams=streams) as seen,
        ):
            for number in range(restarts):
                for replica in balancer.replicas:
                    await restart(balancer, replica, course)
                count, failed = len(seen.requests), len(seen.failed)
                print(f"restarted {number + 1}: {count} requests, {failed} failed", flush=True)
            for number in range(kills):
                await kill(balancer, balancer.replicas[number % 2], course)
            ahead = next_version(Path(name) / "next")
            for word, version in (("upgraded", ahead), ("back again", {})):
                for replica in balancer.replicas:
                    replica.version = version
                    await restart(balancer, replica, course)
                print(f"{word}: {len(seen.requests)} requests", flush=True)
            knew = [NEWER in replica.log.read_text() for replica in balancer.replicas]
    tell(seen, course)
    problems = judge(seen, course)
    return problems if all(knew) else [*problems, "no replica was back on the newer tables"]


def main() -> None:
    """
    Do what the command line says.
    """
    given = [int(word) for word in sys.argv[1:]]
    restarts, kills, rate, streams = [*given, *DEFAULTS[len(given) :]]
    problems = uvloop.run(run(restarts, kills, rate, streams))
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
