"""
The dashboards ask only for what there is, and can be imported beside any others.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from scripts.dashboards import __main__ as dashboards
from tests.monitoring_tools import METRIC, exported


FILES = dict(dashboards.fresh_files())
BOARDS = {path.stem: json.loads(text) for path, text in FILES.items()}
each_board = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
PANELS = {
    f"{name}-{panel['title']}": panel
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
}
each_panel = pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
BUILT_IN = {"__rate_interval", "__all"}


def test_the_files_are_up_to_date() -> None:
    """
    What `python -m scripts.dashboards` writes is what stands in the files; run it if this fails.
    """
    assert {path: path.read_text(encoding="utf-8") for path in FILES} == FILES
    assert set(dashboards.FOLDER.glob("*")) == FILES.keys()


@each_panel
def test_a_panel_asks_only_for_what_there_is(panel: Mapping[str, Any]) -> None:
    """
    Each metric is exported by the server, or recorded by a rule.
    """
    for target in panel["targets"]:
        asked = set(METRIC.findall(target["expr"]))
        assert asked or re.search(r"\b(up|ALERTS)\{", target["expr"])
        assert asked <= exported()


@each_panel
def test_a_panel_says_what_it_shows_and_in_what_unit(panel: Mapping[str, Any]) -> None:
    """
    With a unit and a sentence, and a letter of its own for each curve.
    """
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["description"].endswith(".")
    letters = [target["refId"] for target in panel["targets"]]
    assert len(set(letters)) == len(letters) > 0


@each_board
def test_no_data_source_is_named(board: Mapping[str, Any]) -> None:
    """
    It is chosen at the top, so that the dashboard works wherever it is imported.
    """
    named = {source["uid"] for source in _found(board, "datasource")}
    assert named == {"${datasource}"}


@each_board
def test_every_variable_is_there_and_used(board: Mapping[str, Any]) -> None:
    """
    What is written with a dollar is chosen at the top, or is Grafana's own.
    """
    there = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board)))
    assert used - BUILT_IN == there


def test_ids_are_unique() -> None:
    """
    Within a dashboard those of its panels, and among the dashboards theirs and their titles.
    """
    for board in BOARDS.values():
        numbers = [panel["id"] for panel in board["panels"]]
        assert len(set(numbers)) == len(numbers)
    assert len({board["uid"] for board in BOARDS.values()}) == len(BOARDS)
    assert len({board["title"] for board in BOARDS.values()}) == len(BOARDS)


@each_board
def test_panels_lie_beside_each_other(board: Mapping[str, Any]) -> None:
    """
    None covers another, and none leaves the grid.
    """
    places = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24


def _found(data: object, key: str) -> Iterator[Any]:
    if isinstance(data, list):
        for each in data:
            yield from _found(each, key)
    elif isinstance(data, dict):
        if key in data:
            yield data[key]
        for value in data.values():
            yield from _found(value, key)
