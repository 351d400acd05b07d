"""
What a dashboard is made of, and the questions that panels ask.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """
    One graph or one figure.

    Attributes:
        shows: What one reads in it, for the tooltip.
        unit: As Grafana names it (`s`, `reqps`, `percentunit`).
        asks: PromQL by legend; <> in it chooses job and instance.
        limit: From here on a figure is red.
    """

    title: str
    shows: str
    unit: str
    asks: Mapping[str, str]
    kind: str = "timeseries"
    limit: float | None = None
    width: int = 8
    height: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    Panels under one heading.
    """

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """
    What becomes one file.

    Attributes:
        uid: By which Grafana knows it again when it is imported anew.
        variables: Names of labels to choose by, and where their values are found.
    """

    uid: str
    title: str
    shows: str
    variables: Mapping[str, str]
    rows: Sequence[Row]


def figure(title: str, shows: str, unit: str, ask: str, limit: float | None = None) -> Panel:
    """
    Show one number, large.
    """
    return Panel(
        title=title,
        shows=shows,
        unit=unit,
        asks={title: ask},
        kind="stat",
        limit=limit,
        width=4,
        height=4,
    )


def quantile(share: float, metric: str, by: str = "", where: str = "") -> str:
    """
    Ask for a quantile of a histogram.
    """
    labels = f"le, {by}" if by else "le"
    chosen = f"<>,{where}" if where else "<>"
    rates = f"rate({metric}_bucket{{{chosen}}}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({labels}) ({rates}))"


def rate(metric: str, by: str, where: str = "") -> str:
    """
    Ask how often something happens a second.
    """
    chosen = f"<>,{where}" if where else "<>"
    return f"sum by ({by}) (rate({metric}{{{chosen}}}[$__rate_interval]))"
