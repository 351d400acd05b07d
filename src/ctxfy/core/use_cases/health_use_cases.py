"""
The judgement about measured parts: what is too full, too busy, too late or about to end.

Nothing here is worse than `warn`: a server that is slow serves more than one that is taken away.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise

from ctxfy.core.models.monitoring_models import (
    CheckResult,
    HealthReport,
    HealthStatus,
    WorkerSight,
)


PERCENT = 100
MEGABYTE = 1024 * 1024


def judge_memory(used: int, limit: int, most: float) -> CheckResult:
    """
    Compare the memory in use with what there is, bytes, and with the share that may be used.
    """
    share = used / limit if limit else 0.0
    return _measured(
        "memory",
        share > most,
        f"{_percent(share)} of {limit // MEGABYTE} MB is used",
        f"{_percent(most)} is the threshold; give the server more, or find out what grows",
        observed=round(share * PERCENT, 1),
        unit="percent",
        kind="system",
    )


def judge_processor(share: float, most: float) -> CheckResult:
    """
    Compare the share of a processor that this process takes with what it may take.
    """
    return _measured(
        "processor",
        share > most,
        f"{_percent(share)} of what one process can use is used",
        f"{_percent(most)} is the threshold; start another replica, or find out what takes it",
        observed=round(share * PERCENT, 1),
        unit="percent",
        kind="system",
    )


def judge_disk(free: int, least: int) -> CheckResult:
    """
    Compare what is free beside the database with what should be, bytes.
    """
    return _measured(
        "disk",
        free < least,
        f"{free // MEGABYTE} MB is free beside the database",
        f"{least // MEGABYTE} MB is the threshold; make room before writes fail",
        observed=float(free),
        unit="bytes",
        kind="system",
    )


def judge_loop_lag(seconds: float, most: float) -> CheckResult:
    """
    Compare how late the event loop was at worst with how late it may be.
    """
    return _measured(
        "event_loop",
        seconds > most,
        f"The event loop was at most {_milliseconds(seconds)} late",
        f"{_milliseconds(most)} is the threshold; something keeps it from answering",
        observed=round(seconds * 1000, 1),
        unit="ms",
    )


def judge_latencies(measured: Mapping[str, float | None], most: Mapping[str, float]) -> CheckResult:
    """
    Compare the 95th percentile of each kind of request with its target, seconds.

    Args:
        measured: None where too few requests came to say anything.
        most: The target of each kind.
    """
    known = {kind: value for kind, value in measured.items() if value is not None}
    slow = [
        f"{kind}: {_milliseconds(value)} instead of {_milliseconds(most[kind])}"
        for kind, value in known.items()
        if value > most[kind]
    ]
    detail = (
        f"95 of 100 requests take too long, {'; '.join(slow)}."
        if slow
        else "No kind of request takes longer than it should."
    )
    return CheckResult(
        name="latency",
        status=HealthStatus.WARN if slow else HealthStatus.PASS,
        detail=detail,
        figures={f"{kind}_p95_ms": round(value * 1000, 1) for kind, value in known.items()},
    )


def judge_certificate(not_after: datetime, now: datetime, warning: timedelta) -> CheckResult:
    """
    Tell how long the certificate that is shown will last.
    """
    left = not_after - now
    when = not_after.date().isoformat()
    told = "expired on" if left <= timedelta() else "expires on"
    return _measured(
        "certificate",
        left <= warning,
        f"The certificate {told} {when}",
        "put the renewed one in its place; it is taken up without a restart",
        observed=round(left / timedelta(days=1), 1),
        unit="days",
    )


def judge_traces(*, delivered: bool) -> CheckResult:
    """
    Tell whether traces arrive; no request waits for them.
    """
    return CheckResult(
        name="traces",
        status=HealthStatus.PASS if delivered else HealthStatus.WARN,
        detail="The collector takes the traces."
        if delivered
        else "The collector does not take the traces; they are lost until it does.",
    )


def judge_workers(name: str, seen: Sequence[WorkerSight], count: int, asked: int) -> CheckResult:
    """
    Tell whether all workers serve, and whether one has trouble that whoever is asked does not see.

    Args:
        name: Of the check.
        seen: Those that serve.
        count: How many should.
        asked: The worker that tells.
    """
    troubles = [
        f"worker {each.number} has trouble with {', '.join(each.troubled)}"
        for each in seen
        if each.troubled
    ]
    if len(seen) < count:
        troubles.insert(0, "another is started for each that is missing")
    sentence = "; ".join([f"{len(seen)} of {count} workers serve", *troubles])
    return CheckResult(
        name=name,
        status=HealthStatus.WARN if troubles else HealthStatus.PASS,
        detail=f"{sentence}.",
        figures={
            "asked": asked,
            "workers": [{"number": each.number, **each.figures} for each in seen],
        },
        observed=float(len(seen)),
        unit="workers",
    )


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """
    Estimate a quantile from a histogram, as Prometheus' `histogram_quantile` does.

    Args:
        bounds: Upper bound of each bucket but the last, which has none.
        counts: How many fell into each bucket, and none of those before.
        share: Between 0 and 1.

    Returns:
        Interpolated within its bucket; the last bound for what lies beyond; None of nothing.
    """
    total = sum(counts)
    if total <= 0:
        return None
    rank = share * total
    edges = pairwise((0.0, *bounds))
    for (low, high), count, reached in zip(edges, counts, accumulate(counts), strict=False):
        if reached >= rank and count:
            return low + (high - low) * (1 - (reached - rank) / count)
    return bounds[-1]


def changed_checks(before: HealthReport | None, after: HealthReport) -> Iterable[CheckResult]:
    """
    List the checks whose verdict is another than it was; of a first report, those not well.
    """
    known = {check.name: check.status for check in before.checks} if before else {}
    return [
        check
        for check in after.checks
        if check.status is not known.get(check.name, HealthStatus.PASS)
    ]


def _measured(
    name: str,
    beyond: bool,  # noqa: FBT001 - private, and named at its one meaning
    fact: str,
    remedy: str,
    *,
    observed: float,
    unit: str,
    kind: str = "component",
) -> CheckResult:
    return CheckResult(
        name=name,
        status=HealthStatus.WARN if beyond else HealthStatus.PASS,
        detail=f"{fact}; {remedy}." if beyond else f"{fact}.",
        observed=observed,
        unit=unit,
        kind=kind,
    )


def _percent(share: float) -> str:
    return f"{share * PERCENT:.0f} %"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
