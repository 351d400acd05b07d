"""
Rate limits shared between processes through Valkey or Redis: RateLimiterPort.

Imported only when an address is set: the client library costs a fifth of a second.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from valkey.asyncio import ConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from ctxfy.core.exceptions import ConfigurationError
from ctxfy.core.models.limit_models import Breaker, Charge, LimitDecision
from ctxfy.core.models.monitoring_models import CheckResult, HealthStatus, LogLevel
from ctxfy.core.ports.auth_ports import RateLimiterPort
from ctxfy.core.ports.monitoring_ports import LoggingPort, MetricsPort
from ctxfy.core.use_cases.breaker_use_cases import (
    FAILURES_TO_OPEN,
    after_failures,
    after_success,
    probe_delay,
)
from ctxfy.core.use_cases.limit_use_cases import NANOSECONDS, decide_limits, time_of


PREFIX = "ctxfy:limit:"
PATIENCE_SECONDS = 0.05
CONNECT_SECONDS = 1.0
MAX_BATCH = 256
TLS_SCHEMES = ("valkeys", "rediss")


@dataclass(slots=True)
class _Waiting:
    """
    A request that waits for its decision; None tells it to decide by itself.
    """

    charges: Sequence[Charge]
    since: float
    decision: asyncio.Future[tuple[LimitDecision, ...] | None]


class ValkeyRateLimiter:
    """
    Asks Valkey about every request, and within a stated time decides alone if there is no answer.

    Requests that come while one question is out are asked about together in the next. Whatever
    fails, a request waits 50 ms at most; after five questions in a row without an answer nobody
    waits any more until a probe, in the background and every two seconds, finds Valkey well.

    Args:
        url: Such as `valkey://:PASSWORD@HOST:6379/0`; `valkeys://` for TLS.
        local: Decides while Valkey does not: with this process's part of the limits.
        monotonic: A clock in seconds that never goes back.
        patience_seconds: How long a request waits for an answer, connecting included.
        clock_ns: Nanoseconds since 1970 in place of the server's clock, for tests.

    Raises:
        ConfigurationError: The address is not one.
    """

    def __init__(
        self,
        url: str,
        *,
        local: RateLimiterPort,
        monotonic: Callable[[], float],
        logging: LoggingPort,
        metrics: MetricsPort,
        patience_seconds: float = PATIENCE_SECONDS,
        clock_ns: Callable[[], int] | None = None,
    ) -> None:
        self._client = Valkey(connection_pool=_pool(url))
        script = files(__package__).joinpath("rate_limit.lua").read_text(encoding="utf-8")
        self._script = self._client.register_script(script)
        self._local = local
        self._monotonic = monotonic
        self._logging = logging
        self._metrics = metrics
        self._patience = patience_seconds
        self._clock_ns = clock_ns
        self._breaker = Breaker()
        self._opened = asyncio.Event()
        self._reason = ""
        self._queue: list[_Waiting] = []
        self._asking: asyncio.Task[None] | None = None

    @property
    def trouble(self) -> str:
        """
        Why limits are not shared right now; empty if they are.
        """
        return self._reason if self._breaker.is_open else ""

    async def take(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...]:
        """
        Count one request for all its subjects, and decide about it for each.
        """
        decisions = None if self._breaker.is_open else await self._wait_for(charges)
        return await self._local.take(charges) if decisions is None else decisions

    async def probe(self) -> None:
        """
        Ask nothing, only to see whether Valkey answers; one failure is enough to leave it alone.

        Nobody waits for this, so connecting, with names to look up and TLS, may take longer here
        than in a request; an answer may not.
        """
        try:
            await self._ask((), self._monotonic() + max(self._patience, CONNECT_SECONDS))
            await self._ask((), self._monotonic() + self._patience)
        except Exception as error:  # noqa: BLE001 - whatever it is, limits are kept here meanwhile
            self._note_failures(FAILURES_TO_OPEN, error)
        else:
            self._note_success()

    async def run(self) -> None:
        """
        Look whether Valkey is there, and while it is not, look again; until cancelled.
        """
        await self.probe()
        while True:
            await self._opened.wait()
            await asyncio.sleep(probe_delay(self._breaker, self._monotonic()))
            await self.probe()

    async def aclose(self) -> None:
        """
        Close the connections.
        """
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
        with suppress(ValkeyError, OSError):
            await self._client.aclose(close_connection_pool=True)

    async def _wait_for(self, charges: Sequence[Charge]) -> tuple[LimitDecision, ...] | None:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(charges, self._monotonic(), loop.create_future())
        self._queue.append(waiting)
        if self._asking is None:
            self._asking = loop.create_task(self._ask_for_all())
        return await waiting.decision

    async def _ask_for_all(self) -> None:
        """
        Ask for whoever waits, until nobody does.
        """
        batch: list[_Waiting] = []
        try:
            while self._queue:
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                deadline = batch[0].since + self._patience
                decisions = await self._ask([each.charges for each in batch], deadline)
                self._note_success()
                for waiting, decision in zip(batch, decisions, strict=True):
                    _settle(waiting, decision)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may be left waiting
            self._note_failures(1, error)
        finally:
            self._asking = None
            # Who came meanwhile has waited too, and would not fare better.
            left, self._queue = batch + self._queue, []
            for waiting in left:
                _settle(waiting, None)

    async def _ask(
        self, requests: Sequence[Sequence[Charge]], deadline: float
    ) -> list[tuple[LimitDecision, ...]]:
        keys, values = self._question(requests)
        call: asyncio.Task[Any] = asyncio.ensure_future(self._script(keys=keys, args=values))
        call.add_done_callback(_retrieve)
        try:
            # Not `asyncio.timeout`, which cancels at once: if the loop was busy for so long, the
            # answer lies in the socket and is read in this very turn.
            await asyncio.wait({call}, timeout=max(0.0, deadline - self._monotonic()))
            if not call.done():
                raise TimeoutError("no answer in time")
            return _decisions(requests, *call.result())
        finally:
            call.cancel()

    def _question(self, requests: Sequence[Sequence[Charge]]) -> tuple[list[str], list[str | int]]:
        keys: list[str] = []
        values: list[str | int] = ["", ""]
        if self._clock_ns is not None:
            values = list(divmod(self._clock_ns(), NANOSECONDS))
        for charges in requests:
            for charge in charges:
                keys.append(PREFIX + charge.subject)
                period = charge.limit.seconds * NANOSECONDS
                values += (len(charges), period, time_of(charge.limit, charge.cost))
        return keys, values

    def _note_failures(self, count: int, error: Exception) -> None:
        was_open = self._breaker.is_open
        self._breaker = after_failures(self._breaker, self._monotonic(), count)
        self._reason = str(error) or type(error).__name__
        if self._breaker.is_open and not was_open:
            self._opened.set()
            self._metrics.record_limits_degraded(True)  # noqa: FBT003 - a gauge's value
            self._logging.log_event("limit_store_lost", level=LogLevel.WARNING, reason=self._reason)

    def _note_success(self) -> None:
        was_open = self._breaker.is_open
        self._breaker = after_success(self._breaker)
        if was_open:
            self._opened.clear()
            self._metrics.record_limits_degraded(False)  # noqa: FBT003 - a gauge's value
            self._logging.log_event("limit_store_found")


class SharedLimitsProbe:
    """
    Whether limits are shared (HealthProbePort). Never worse than `warn`: they are kept, if alone.
    """

    def __init__(self, limiter: ValkeyRateLimiter) -> None:
        self._limiter = limiter

    async def check(self) -> CheckResult:
        """
        Tell what the last requests found out.
        """
        trouble = self._limiter.trouble
        if not trouble:
            return CheckResult(
                name="limits", status=HealthStatus.PASS, detail="Rate limits are shared."
            )
        return CheckResult(
            name="limits",
            status=HealthStatus.WARN,
            detail=f"Rate limits are kept in this process alone: {trouble}",
        )


def _pool(url: str) -> ConnectionPool:
    options = {"ssl_check_hostname": True} if urlsplit(url).scheme in TLS_SCHEMES else {}
    try:
        # No limits of time in here: the one on the whole question holds for connecting too.
        return ConnectionPool.from_url(url, socket_timeout=None, **options)
    except (ValueError, ValkeyError) as error:
        # The library's own words may quote the address, which may hold a password.
        raise ConfigurationError(
            "CTXFY_LIMITS__URL is no address of a Valkey server; "
            "write for example valkey://HOST:6379/0."
        ) from error


def _decisions(
    requests: Sequence[Sequence[Charge]], second: int, nanosecond: int, aheads: Sequence[int]
) -> list[tuple[LimitDecision, ...]]:
    """
    Say what the script decided, in the core's words.
    """
    now = second * NANOSECONDS + nanosecond
    decisions, first = list[tuple[LimitDecision, ...]](), 0
    for charges in requests:
        arrivals = [now + ahead for ahead in aheads[first : first + len(charges)]]
        decisions.append(decide_limits(charges, arrivals, now))
        first += len(charges)
    return decisions


def _settle(waiting: _Waiting, decision: tuple[LimitDecision, ...] | None) -> None:
    if not waiting.decision.done():
        waiting.decision.set_result(decision)


def _retrieve(call: asyncio.Task[Any]) -> None:
    # An error that came after the deadline has been answered for already.
    if not call.cancelled():
        call.exception()
