"""
The judgement about metrics: rates, shares and percentiles between two scrapes of one server.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from ctxfy.core.models.scrape_models import (
    Labels,
    Percentiles,
    RowFigures,
    Scrape,
    ServerFigures,
)
from ctxfy.core.use_cases.health_use_cases import quantile


REQUESTS = "ctxfy_http_requests_total"
REQUEST_TIMES = "ctxfy_http_request_duration_seconds_bucket"
IN_PROGRESS = "ctxfy_http_requests_in_progress"
EXECUTIONS = "ctxfy_prompt_executions_total"
EXECUTION_TIMES = "ctxfy_prompt_execution_duration_seconds_bucket"

_REFUSALS = frozenset({"401", "403", "429"})

type Counts = Mapping[Labels, float]


def figures_between(before: Scrape, after: Scrape) -> ServerFigures:
    """
    Compare two scrapes; a server that was started anew in between counts from nothing.

    Args:
        before: May be empty: then `after` is compared with the server's start.
        after: Made later.
    """
    seconds = max(after.at - before.at, 1e-9)
    requests = _since(before, after, REQUESTS)
    failed = _only(requests, lambda labels: labels.get("status", "").startswith("5"))
    refused = _only(requests, lambda labels: labels.get("status", "") in _REFUSALS)
    executions = _since(before, after, EXECUTIONS)
    times = _since(before, after, REQUEST_TIMES)
    return ServerFigures(
        seconds=seconds,
        per_second=_sum(requests) / seconds,
        failed_share=_sum(failed) / _sum(requests) if _sum(requests) else 0.0,
        refused_per_second=_sum(refused) / seconds,
        in_progress=int(_sum(after.samples.get(IN_PROGRESS, {}))),
        times=_percentiles(times.items()),
        endpoints=_rows("endpoint", requests, failed, times, seconds),
        prompts=_rows(
            "prompt",
            executions,
            _only(executions, lambda labels: labels.get("outcome") == "failed"),
            _since(before, after, EXECUTION_TIMES),
            seconds,
        ),
        gauges={
            name: _sum(values)
            for name, values in after.samples.items()
            # One of the server, or one of each worker.
            if all(label == "worker" for labels in values for label, _ in labels)
        },
    )


def _since(before: Scrape, after: Scrape, name: str) -> Counts:
    earlier = before.samples.get(name, {})
    later = after.samples.get(name, {})
    return {
        # A counter that went down began anew.
        labels: value - earlier.get(labels, 0.0) if value >= earlier.get(labels, 0.0) else value
        for labels, value in later.items()
    }


def _only(counts: Counts, keep: Callable[[Mapping[str, str]], bool]) -> Counts:
    return {labels: value for labels, value in counts.items() if keep(dict(labels))}


def _sum(counts: Counts) -> float:
    return sum(counts.values())


def _rows(
    label: str, counts: Counts, failed: Counts, times: Counts, seconds: float
) -> tuple[RowFigures, ...]:
    totals, failures, buckets = _by(label, counts), _by(label, failed), _grouped(label, times)
    rows = [
        RowFigures(
            name=name,
            per_second=total / seconds,
            failed_per_second=failures.get(name, 0.0) / seconds,
            times=_percentiles(buckets.get(name, ())),
        )
        for name, total in totals.items()
        if total
    ]
    return tuple(sorted(rows, key=lambda row: (-row.per_second, row.name)))


def _by(label: str, counts: Counts) -> dict[str, float]:
    totals = defaultdict[str, float](float)
    for labels, value in counts.items():
        totals[dict(labels).get(label, "")] += value
    return totals


def _grouped(label: str, counts: Counts) -> Mapping[str, list[tuple[Labels, float]]]:
    groups = defaultdict[str, list[tuple[Labels, float]]](list)
    for labels, value in counts.items():
        groups[dict(labels).get(label, "")].append((labels, value))
    return groups


def _percentiles(buckets: Iterable[tuple[Labels, float]]) -> Percentiles:
    reached = defaultdict[float, float](float)
    for labels, value in buckets:
        reached[float(dict(labels).get("le", "inf"))] += value
    bounds = sorted(reached)
    counts = [late - early for early, late in pairwise((0.0, *(reached[each] for each in bounds)))]
    if len(bounds) < 2:  # noqa: PLR2004 - a bucket with a bound, and the one without
        return Percentiles()
    p50, p95, p99 = (quantile(bounds[:-1], counts, share) for share in (0.5, 0.95, 0.99))
    return Percentiles(p50=p50, p95=p95, p99=p99)
