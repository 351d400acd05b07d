"""
Dashboards as Grafana imports them; ids and places are given here.

No data source is named: it is chosen at the top of the dashboard, and so are the job, the instance
and the prompt.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scripts.dashboards.panels import Dashboard, Panel, Row


WIDTH = 24
OURS = 'job=~"$job",instance=~"$instance"'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def plain_dashboard(dashboard: Dashboard) -> dict[str, Any]:
    """
    Write a dashboard as what becomes JSON.
    """
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.shows,
        "tags": ["ctxfy"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(_variables(dashboard.variables))},
        "panels": list(_panels(dashboard.rows)),
    }


def _variables(labels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "type": "datasource", "query": "prometheus"}
    for name, ask in labels.items():
        yield {
            "name": name,
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": ask, "refId": name},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*" if name != "job" else "ctxfy.*",
            "current": {"text": "All", "value": "$__all"},
        }


def _panels(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for row in rows:
        number += 1
        yield _placed(
            {"type": "row", "title": row.title, "collapsed": False}, number, 0, top, 24, 1
        )
        top += 1
        left = height = 0
        for panel in row.panels:
            if left + panel.width > WIDTH:
                left, top = 0, top + height
            number += 1
            yield _placed(_panel(panel), number, left, top, panel.width, panel.height)
            left, height = left + panel.width, panel.height
        top += height


def _placed(
    panel: dict[str, Any],
    number: int,
    left: int,
    top: int,
    width: int,
    height: int,
) -> dict[str, Any]:
    return {"id": number, "gridPos": {"x": left, "y": top, "w": width, "h": height}} | panel


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.shows,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}}
        if panel.kind == "stat"
        else {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": SOURCE,
                "expr": ask.replace("<>", OURS),
                "legendFormat": legend,
            }
            for place, (legend, ask) in enumerate(panel.asks.items())
        ],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit}
    if panel.kind == "timeseries":
        return defaults | {"min": 0, "custom": {"fillOpacity": 10, "showPoints": "never"}}
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.limit is not None:
        steps.append({"color": "red", "value": panel.limit})
    return defaults | {"thresholds": {"mode": "absolute", "steps": steps}}
