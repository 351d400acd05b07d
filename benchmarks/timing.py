"""
Whether the time of a refusal tells if a key id exists: an unknown id against a wrong secret.

    python -m benchmarks.timing [CALLS]

The two take turns, and which goes first changes. Prints medians and trimmed means of each in
nanoseconds; ends with status 1 if either differs by more than 5 %.
"""

import asyncio
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.auth import opened_keys
from ctxfy.core.models.auth_models import KeyId
from ctxfy.core.use_cases.auth_use_cases import compose_key


ALLOWED = 0.05
TRIMMED = 0.1


def main() -> None:
    """
    Measure, and judge.
    """
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as folder:
        unknown, wrong = asyncio.run(measure(Path(folder), calls))
    worst = 0.0
    for name, figure in (("median", statistics.median), ("trimmed mean", trimmed_mean)):
        one, other = figure(unknown), figure(wrong)
        apart = abs(one - other) / min(one, other)
        worst = max(worst, apart)
        print(f"{name}: unknown id {one:.0f} ns, wrong secret {other:.0f} ns, {apart:.2%} apart")
    sys.exit(int(worst > ALLOWED))


async def measure(folder: Path, calls: int) -> tuple[list[int], list[int]]:
    """
    Refuse both, so many times each, and return how long each took.
    """
    async with opened_keys(folder) as (keys, valid):
        unknown = compose_key(KeyId("nobody000000"), b"n" * 32)
        wrong = compose_key(KeyId(valid[6:18]), b"w" * 32)
        times: dict[str, list[int]] = {unknown: [], wrong: []}
        for key in (unknown, wrong) * 200:
            await keys.authenticate(key)
        gc.disable()
        for number in range(calls):
            for key in (unknown, wrong) if number % 2 else (wrong, unknown):
                began = time.perf_counter_ns()
                await keys.authenticate(key)
                times[key].append(time.perf_counter_ns() - began)
        gc.enable()
    return times[unknown], times[wrong]


def trimmed_mean(times: Sequence[int]) -> float:
    """
    Take the mean without the fastest and the slowest tenth.
    """
    cut = int(len(times) * TRIMMED)
    return statistics.fmean(sorted(times)[cut : len(times) - cut])


if __name__ == "__main__":
    main()
