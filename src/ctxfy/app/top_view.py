"""
How `ctxfy top` looks.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ctxfy.core.models.scrape_models import Percentiles, RowFigures, ServerFigures


ROWS = 10
MEGABYTE = 1024 * 1024
_STYLES = {"pass": "green", "warn": "yellow", "fail": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    What is shown at one moment.

    Attributes:
        base: The server's address.
        health: Its report; empty while it is away.
        figures: What went on since the last look.
        trouble: Why nothing newer is known; empty if all is well.
    """

    base: str
    health: dict[str, Any]
    figures: ServerFigures
    trouble: str = ""


class Screen:
    """
    Where views are shown, one over the other or one alone.

    Args:
        live: Whether the next view takes the place of the last.
    """

    def __init__(self, *, live: bool) -> None:
        self._console = Console()
        self._live = Live(console=self._console, screen=True, auto_refresh=False) if live else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, view: View) -> None:
        """
        Show what is now.
        """
        if self._live is None:
            self._console.print(picture(view))
        else:
            self._live.update(picture(view), refresh=True)


def picture(view: View) -> RenderableType:
    """
    Lay a view out.
    """
    parts: list[RenderableType] = [_head(view), _figures(view)]
    figures = view.figures
    for title, rows in (("prompt", figures.prompts), ("endpoint", figures.endpoints)):
        parts.append(_table(title, rows[:ROWS]))
    parts.extend(_ill(view))
    return Group(*parts)


def _head(view: View) -> Text:
    if view.trouble:
        return Text(view.trouble, style=_STYLES["fail"])
    status = str(view.health.get("status", "unknown"))
    head = Text.assemble(
        (f"ctxfy {view.health.get('version', '')}".rstrip(), "bold"),
        f"  {view.base}  ",
        (status, _STYLES.get(status, "")),
    )
    uptime = view.health.get("uptime_seconds")
    if isinstance(uptime, int | float):
        head.append(f"  up {_duration(uptime)}")
    return head


def _figures(view: View) -> Table:
    figures = view.figures
    grid = Table.grid(padding=(0, 3))
    used = figures.gauges.get("process_resident_memory_bytes")
    grid.add_row(
        f"{figures.per_second:.1f} requests/s",
        Text(
            f"{figures.failed_share:.2%} failed",
            style=_STYLES["fail"] if figures.failed_share else "",
        ),
        f"{figures.refused_per_second:.1f} refused/s",
        f"{figures.in_progress} in progress",
    )
    grid.add_row(*_times(figures.times), "" if used is None else f"{used / MEGABYTE:.0f} MB")
    return grid


def _times(times: Percentiles) -> tuple[str, str, str]:
    return (
        f"p50 {_milliseconds(times.p50)}",
        f"p95 {_milliseconds(times.p95)}",
        f"p99 {_milliseconds(times.p99)}",
    )


def _table(title: str, rows: tuple[RowFigures, ...]) -> Table:
    table = Table(expand=True)
    table.add_column(title, ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("each second", "failed", "p50", "p95", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            Text(row.name),
            f"{row.per_second:.1f}",
            Text(
                f"{row.failed_per_second:.1f}",
                style=_STYLES["fail"] if row.failed_per_second else "",
            ),
            _milliseconds(row.times.p50),
            _milliseconds(row.times.p95),
            _milliseconds(row.times.p99),
        )
    if not rows:
        table.add_row(Text("none", style="dim"), *[""] * 5)
    return table


def _ill(view: View) -> list[Text]:
    checks = view.health.get("checks", {})
    return [
        Text(
            f"{name}: {check.get('output', check['status'])}",
            style=_STYLES.get(check["status"], ""),
        )
        for name, instances in checks.items()
        for check in instances
        if check["status"] != "pass"
    ]


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.1f} ms"


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86_400)
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {int(seconds % 60)} s"
