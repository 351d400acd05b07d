"""
What a server tells of itself in its metrics, and what it means between two moments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


type Labels = tuple[tuple[str, str], ...]
"""
Names and values, ordered by name.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """
    All samples of one scrape.

    Attributes:
        at: When it was made, seconds of a clock that never goes back.
        samples: Values by the sample's name and labels.
    """

    at: float
    samples: Mapping[str, Mapping[Labels, float]] = field(
        default_factory=dict[str, Mapping[Labels, float]]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """
    How long 50, 95 and 99 of 100 took at most, seconds; None of nothing.
    """

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFigures:
    """
    One endpoint, or one prompt.

    Attributes:
        per_second: How many came, by second.
        failed_per_second: Those of them that were the server's fault, or were not rendered.
    """

    name: str
    per_second: float
    failed_per_second: float
    times: Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFigures:
    """
    What went on between two scrapes.

    Attributes:
        seconds: Between the two.
        per_second: Requests by second.
        failed_share: Those answered with a status from 500 on, of all; 0 to 1.
        refused_per_second: Those answered with 401, 403 or 429, by second.
        in_progress: Requests being served at the second scrape.
        times: Of all requests.
        endpoints: The busiest first.
        prompts: The busiest first.
        gauges: Values of metrics without labels at the second scrape, by name.
    """

    seconds: float
    per_second: float
    failed_share: float
    refused_per_second: float
    in_progress: int
    times: Percentiles
    endpoints: tuple[RowFigures, ...]
    prompts: tuple[RowFigures, ...]
    gauges: Mapping[str, float]
