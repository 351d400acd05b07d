#!/usr/bin/env python3
"""
Writes the Grafana dashboards that ship: run it after changing what they show.

    .venv/bin/python scripts/dashboards.py

A dashboard is rows of panels; ids and places are given here. No data source is named: it is chosen
at the top of the dashboard, and so are the job, the instance and the prompt.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


FOLDER = Path(__file__).parents[1] / "src/ctxfy/app/deployment/monitoring/dashboards"
WIDTH = 24
OURS = 'job=~"$job",instance=~"$instance"'
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """
    One graph or one figure.

    Attributes:
        shows: What one reads in it, for the tooltip.
        unit: As Grafana names it (`s`, `reqps`, `percentunit`).
        asks: PromQL by legend; OURS, in it as <>, chooses job and instance.
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


PROMPTS = r'endpoint=~"/mcp/?|/prompts/[^/]+/execute"'
PEOPLE = 'endpoint!~"/health.*|/metrics"'
REQUEST_SECONDS = "ctxfy_http_request_duration_seconds"

SERVICE = Dashboard(
    uid="ctxfy-service",
    title="ctxfy: service",
    shows="Whether people are served, how quickly, and how the server is.",
    variables={
        "job": 'label_values(up{job=~"ctxfy.*"}, job)',
        "instance": 'label_values(up{job=~"$job"}, instance)',
    },
    rows=(
        Row(
            title="Targets",
            panels=(
                figure(
                    "Errors in three days",
                    "Share of answers that are the server's fault; 0.1 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_availability_errors:ratio_rate3d{job=~"$job"})',
                    0.001,
                ),
                figure(
                    "Prompts beyond 200 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_prompts_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Authentication beyond 50 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_authentication_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Health beyond 10 ms",
                    "Share in three days; 5 % is the target.",
                    "percentunit",
                    'max(job:ctxfy_health_slow:ratio_rate3d{job=~"$job"})',
                    0.05,
                ),
                figure(
                    "Instances",
                    "How many are scraped.",
                    "none",
                    'sum(up{job=~"$job"})',
                ),
                figure(
                    "Alerts firing",
                    "Of those that ship with ctxfy.",
                    "none",
                    'count(ALERTS{alertname=~"Ctxfy.*",alertstate="firing"}) or vector(0)',
                    1,
                ),
            ),
        ),
        Row(
            title="Traffic",
            panels=(
                Panel(
                    title="Requests",
                    shows="Answered a second, by status; probes and scrapes are left out.",
                    unit="reqps",
                    asks={"{{status}}": rate("ctxfy_http_requests_total", "status", PEOPLE)},
                ),
                Panel(
                    title="Time to answer",
                    shows="Quantiles over all but probes and scrapes.",
                    unit="s",
                    asks={
                        f"{share:.0%}": quantile(share, REQUEST_SECONDS, where=PEOPLE)
                        for share in (0.5, 0.95, 0.99)
                    },
                ),
                Panel(
                    title="Time to answer, targets",
                    shows="95 of 100 are quicker; 200, 50 and 10 ms are the targets.",
                    unit="s",
                    asks={
                        "prompts": quantile(0.95, REQUEST_SECONDS, where=PROMPTS),
                        "authentication": quantile(
                            0.95, REQUEST_SECONDS, where='endpoint="/auth/api-keys/current"'
                        ),
                        "health": quantile(0.95, REQUEST_SECONDS, where='endpoint=~"/health.*"'),
                    },
                ),
                Panel(
                    title="Errors",
                    shows="Answers that are the server's fault, by route.",
                    unit="reqps",
                    asks={
                        "{{endpoint}} {{status}}": rate(
                            "ctxfy_http_requests_total",
                            "endpoint, status",
                            f'{PEOPLE},status=~"5.."',
                        )
                    },
                ),
                Panel(
                    title="MCP",
                    shows="Requests over MCP a second, by method.",
                    unit="reqps",
                    asks={"{{method}}": rate("ctxfy_mcp_requests_total", "method")},
                ),
                Panel(
                    title="Time to answer over MCP",
                    shows="95 of 100 are quicker, by method.",
                    unit="s",
                    asks={
                        "{{method}}": quantile(0.95, "ctxfy_mcp_request_duration_seconds", "method")
                    },
                ),
                Panel(
                    title="At once",
                    shows="Requests being served.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_http_requests_in_progress{<>}"},
                ),
                Panel(
                    title="Bytes",
                    shows="Bodies of requests and of answers.",
                    unit="Bps",
                    asks={
                        "in": "sum(rate(ctxfy_http_request_bytes_total{<>}[$__rate_interval]))",
                        "out": "sum(rate(ctxfy_http_response_bytes_total{<>}[$__rate_interval]))",
                    },
                ),
                Panel(
                    title="Turned away",
                    shows="Refused by limits, by which.",
                    unit="reqps",
                    asks={
                        "{{policy}}": rate(
                            "ctxfy_rate_limit_decisions_total", "policy", 'outcome="refused"'
                        )
                    },
                ),
            ),
        ),
        Row(
            title="Parts",
            panels=(
                Panel(
                    title="Health",
                    shows="0 while a part is well, 1 while it warns, 2 while it fails.",
                    unit="none",
                    asks={"{{check}}": "max by (check) (ctxfy_health_check_level{<>})"},
                ),
                Panel(
                    title="Memory",
                    shows="Used, of the container or the machine, and by this process alone.",
                    unit="bytes",
                    asks={
                        "{{instance}} used": "ctxfy_memory_used_bytes{<>}",
                        "{{instance}} limit": "ctxfy_memory_limit_bytes{<>}",
                        "{{instance}} process": "process_resident_memory_bytes{<>}",
                    },
                ),
                Panel(
                    title="Processor",
                    shows="Share used of what one process can use.",
                    unit="percentunit",
                    asks={"{{instance}}": "ctxfy_processor_used_ratio{<>}"},
                ),
                Panel(
                    title="Lateness of the event loop",
                    shows="99 of 100 looks were less late.",
                    unit="s",
                    asks={
                        "{{instance}}": quantile(0.99, "ctxfy_event_loop_lag_seconds", "instance")
                    },
                ),
                Panel(
                    title="Disk",
                    shows="Free beside the database, or the spool.",
                    unit="bytes",
                    asks={
                        "{{instance}} free": "ctxfy_disk_free_bytes{<>}",
                        "{{instance}} size": "ctxfy_disk_size_bytes{<>}",
                    },
                ),
                Panel(
                    title="Files",
                    shows="Share of the file descriptors that are open.",
                    unit="percentunit",
                    asks={"{{instance}}": "process_open_fds{<>} / process_max_fds{<>}"},
                ),
                Panel(
                    title="Certificate",
                    shows="Time until it expires; nothing without TLS.",
                    unit="s",
                    asks={
                        "{{instance}}": (
                            "(ctxfy_certificate_expiry_timestamp_seconds{<>} > 0) - time()"
                        )
                    },
                ),
                Panel(
                    title="Age",
                    shows="Since the process began.",
                    unit="s",
                    asks={"{{instance}}": "time() - process_start_time_seconds{<>}"},
                ),
                Panel(
                    title="Versions",
                    shows="How many instances run which version.",
                    unit="none",
                    asks={"{{version}}": "count by (version) (ctxfy_build_info{<>})"},
                ),
            ),
        ),
        Row(
            title="Audit trail",
            panels=(
                Panel(
                    title="Events",
                    shows="A second, by what became of them.",
                    unit="ops",
                    asks={"{{fate}}": rate("ctxfy_audit_events_total", "fate")},
                ),
                Panel(
                    title="Time to commit",
                    shows="95 of 100 transactions that keep events were quicker.",
                    unit="s",
                    asks={
                        "{{instance}}": quantile(
                            0.95, "ctxfy_audit_commit_duration_seconds", "instance"
                        )
                    },
                ),
                Panel(
                    title="Waiting",
                    shows="Events in line to be written.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_waiting_events{<>}"},
                ),
                Panel(
                    title="Spool",
                    shows="What waits for the database on the disk.",
                    unit="bytes",
                    asks={"{{instance}}": "ctxfy_audit_spool_bytes{<>}"},
                ),
                Panel(
                    title="Checkpoint",
                    shows="Since the last one was signed; an hour is as it should be.",
                    unit="s",
                    asks={"{{instance}}": "ctxfy_audit_checkpoint_age_seconds{<>}"},
                ),
                Panel(
                    title="Broken chains",
                    shows="Found by the last verification of the whole trail.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_chain_faults{<>}"},
                ),
                Panel(
                    title="Verified",
                    shows="Since the whole trail was last verified; a day is as it should be.",
                    unit="s",
                    asks={
                        "{{instance}}": "time() - (ctxfy_audit_verified_timestamp_seconds{<>} > 0)"
                    },
                ),
                Panel(
                    title="Away",
                    shows="1 while the database is out of reach for events.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_audit_away{<>}"},
                ),
            ),
        ),
    ),
)

_ANY_PROMPT = 'prompt=~"$prompt"'

PROMPTS_AND_KEYS = Dashboard(
    uid="ctxfy-prompts-and-keys",
    title="ctxfy: prompts and keys",
    shows="Which prompts are used and how they do, and what comes of the keys that are shown.",
    variables={
        "job": 'label_values(up{job=~"ctxfy.*"}, job)',
        "instance": 'label_values(up{job=~"$job"}, instance)',
        "prompt": 'label_values(ctxfy_prompt_executions_total{job=~"$job"}, prompt)',
    },
    rows=(
        Row(
            title="Prompts",
            panels=(
                figure("Served", "Prompts in the set.", "none", "max(ctxfy_catalog_prompts{<>})"),
                figure(
                    "Behind the folder",
                    "Instances that serve an old set, since the new one holds mistakes.",
                    "none",
                    "count(ctxfy_catalog_is_newest{<>} == 0) or vector(0)",
                    1,
                ),
                figure(
                    "Revisions",
                    "How many different sets are served; 1 is as it should be.",
                    "none",
                    "count(count by (revision) (ctxfy_catalog_info{<>}))",
                    2,
                ),
                figure(
                    "Age of the set",
                    "Since the prompts served were loaded.",
                    "s",
                    "time() - max(ctxfy_catalog_loaded_timestamp_seconds{<>})",
                ),
                figure(
                    "Executions",
                    "In a day.",
                    "none",
                    f"sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT}}}[1d]))",
                ),
                figure(
                    "Failed",
                    "Share of the executions of a day that a template or function failed.",
                    "percentunit",
                    f'sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT},outcome="failed"}}[1d]))'
                    f" / sum(increase(ctxfy_prompt_executions_total{{<>,{_ANY_PROMPT}}}[1d]))",
                    0.01,
                ),
                Panel(
                    title="Executions by prompt",
                    shows="A second; the ten most used.",
                    unit="ops",
                    asks={
                        "{{prompt}}": "topk(10, "
                        + rate("ctxfy_prompt_executions_total", "prompt", _ANY_PROMPT)
                        + ")"
                    },
                ),
                Panel(
                    title="Executions by outcome",
                    shows="ok, invalid (the arguments) or failed (the template or function).",
                    unit="ops",
                    asks={
                        "{{outcome}}": rate("ctxfy_prompt_executions_total", "outcome", _ANY_PROMPT)
                    },
                ),
                Panel(
                    title="Executions by model",
                    shows="The model that the prompt or the settings name.",
                    unit="ops",
                    asks={"{{model}}": rate("ctxfy_prompt_executions_total", "model", _ANY_PROMPT)},
                ),
                Panel(
                    title="Time to execute",
                    shows="95 of 100 are quicker, by prompt; the ten slowest.",
                    unit="s",
                    asks={
                        "{{prompt}}": "topk(10, "
                        + quantile(
                            0.95, "ctxfy_prompt_execution_duration_seconds", "prompt", _ANY_PROMPT
                        )
                        + ")"
                    },
                ),
                Panel(
                    title="Mistakes in arguments",
                    shows="A second, by prompt and kind.",
                    unit="ops",
                    asks={
                        "{{prompt}} {{code}}": rate(
                            "ctxfy_prompt_validation_failures_total", "prompt, code", _ANY_PROMPT
                        )
                    },
                ),
                Panel(
                    title="Reloads",
                    shows="Attempts in an hour, by what came of them.",
                    unit="none",
                    asks={
                        "{{outcome}}": "sum by (outcome)"
                        " (increase(ctxfy_catalog_reloads_total{<>}[1h]))"
                    },
                ),
                Panel(
                    title="Counted by arguments",
                    shows="What authors named under `metrics: {count_by: ...}`, in an hour.",
                    unit="none",
                    asks={
                        "{{prompt}} {{argument}}={{value}}": "sum by (prompt, argument, value)"
                        f" (increase(ctxfy_prompt_counts_total{{<>,{_ANY_PROMPT}}}[1h]))"
                    },
                    width=12,
                ),
                Panel(
                    title="Business events",
                    shows="What prompt functions count, in an hour.",
                    unit="none",
                    asks={
                        "{{event}} {{label}}={{value}}": "sum by (event, label, value)"
                        " (increase(ctxfy_business_events_total{<>}[1h]))"
                    },
                    width=12,
                ),
            ),
        ),
        Row(
            title="Keys",
            panels=(
                Panel(
                    title="Decisions about callers",
                    shows="A second: granted, or why not.",
                    unit="ops",
                    asks={"{{outcome}}": rate("ctxfy_authentications_total", "outcome")},
                ),
                Panel(
                    title="Use of keys",
                    shows="Requests with a valid key a second, by route.",
                    unit="reqps",
                    asks={"{{endpoint}}": rate("ctxfy_api_key_uses_total", "endpoint")},
                ),
                Panel(
                    title="Refused by limits",
                    shows="Share of the decisions of each limit.",
                    unit="percentunit",
                    asks={
                        "{{policy}}": rate(
                            "ctxfy_rate_limit_decisions_total", "policy", 'outcome="refused"'
                        )
                        + " / "
                        + rate("ctxfy_rate_limit_decisions_total", "policy")
                    },
                ),
                Panel(
                    title="Not let in",
                    shows="In an hour, by reason; what somebody who tries keys looks like.",
                    unit="none",
                    asks={
                        "{{outcome}}": "sum by (outcome)"
                        ' (increase(ctxfy_authentications_total{<>,outcome!="granted"}[1h]))'
                    },
                ),
                Panel(
                    title="Keys",
                    shows="How many there are, by state.",
                    unit="none",
                    asks={
                        "{{state}}": "max by (state)"
                        " (sum by (instance, state) (ctxfy_api_keys{<>}))"
                    },
                ),
                Panel(
                    title="Keys that end",
                    shows="Active keys by what is left of their lives.",
                    unit="none",
                    asks={
                        "{{expires}}": 'max by (expires) (ctxfy_api_keys{<>,state="active"})',
                    },
                ),
                Panel(
                    title="The key that is refused most",
                    shows="Answers 403 and 429 to it within a minute; the log says which it is.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_api_key_refusals_max{<>}"},
                ),
                Panel(
                    title="Newest admin key",
                    shows="Since a key that can administer the server was last made.",
                    unit="s",
                    asks={
                        "{{job}}": "time() -"
                        " (max by (job) (ctxfy_newest_admin_key_timestamp_seconds{<>}) > 0)"
                    },
                ),
                Panel(
                    title="Limits kept alone",
                    shows="1 while limits that should be shared are not.",
                    unit="none",
                    asks={"{{instance}}": "ctxfy_rate_limit_degraded{<>}"},
                ),
            ),
        ),
    ),
)

DASHBOARDS = {"service.json": SERVICE, "prompts-and-keys.json": PROMPTS_AND_KEYS}


def fresh_files() -> Iterator[tuple[Path, str]]:
    """
    Give each file as it should be.
    """
    for name, dashboard in DASHBOARDS.items():
        yield FOLDER / name, json.dumps(_dashboard(dashboard), indent=1) + "\n"


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
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


def main() -> None:
    """
    Write them.
    """
    FOLDER.mkdir(exist_ok=True)
    for path, text in fresh_files():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(FOLDER.parents[5])}")


if __name__ == "__main__":
    main()
