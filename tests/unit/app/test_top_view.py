"""
How a server looks in a terminal.
"""

from typing import Any

import pytest
from rich.console import Console

from ctxfy.app.top_view import View, picture
from ctxfy.core.models.scrape_models import Percentiles, RowFigures, ServerFigures


ROW = RowFigures(
    name="code-review [bold]",
    per_second=12.3,
    failed_per_second=0.5,
    times=Percentiles(p50=0.001, p95=0.0421, p99=1.0),
)
FIGURES = ServerFigures(
    seconds=2.0,
    per_second=20.04,
    failed_share=0.0123,
    refused_per_second=1.0,
    in_progress=4,
    times=Percentiles(),
    endpoints=(),
    prompts=(ROW,),
    gauges={"process_resident_memory_bytes": 100 * 1024 * 1024},
)
HEALTH = {
    "status": "warn",
    "version": "1.2.3",
    "uptime_seconds": 90_061.0,
    "checks": {
        "storage": [{"status": "pass", "output": "Fine."}],
        "disk": [{"status": "warn", "output": "1 MB is free."}],
        "limits": [{"status": "fail"}],
    },
}


def _shown(health: dict[str, Any], trouble: str = "") -> str:
    console = Console(width=100, record=True, force_terminal=False, file=None, quiet=True)
    view = View(base="http://localhost:8000", health=health, figures=FIGURES, trouble=trouble)
    with console.capture() as captured:
        console.quiet = False
        console.print(picture(view))
    return captured.get()


def test_a_view_tells_what_goes_on_and_what_is_ill() -> None:
    """
    Figures, the busiest prompts as they are called, and the parts that are not well.
    """
    shown = _shown(HEALTH)
    for words in (
        "ctxfy 1.2.3  http://localhost:8000  warn  up 1 d 1 h",
        "20.0 requests/s",
        "1.23% failed",
        "4 in progress",
        "p50 -",
        "100 MB",
        "code-review [bold]",
        "42.1 ms",
        "disk: 1 MB is free.",
        "limits: fail",
        "none",
    ):
        assert words in shown
    assert "Fine." not in shown


@pytest.mark.parametrize(
    ("seconds", "words"), [(61, "up 1 min 1 s"), (7260, "up 2 h 1 min"), (None, "warn\n")]
)
def test_uptime_is_told_in_two_units(seconds: float | None, words: str) -> None:
    """
    Nobody counts seconds of days; a server that tells no uptime to this caller has none shown.
    """
    assert words in _shown({**HEALTH, "uptime_seconds": seconds}).replace(" \n", "\n")


def test_a_server_that_is_away_is_told_so() -> None:
    """
    In its own words, above the last figures.
    """
    shown = _shown({}, trouble="The server is not available: it is away.")
    assert shown.startswith("The server is not available: it is away.")
    assert "20.0 requests/s" in shown
