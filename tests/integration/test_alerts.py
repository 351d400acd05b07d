"""
The rules, the configurations and the dashboards that ship, judged by Prometheus' own tools.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from prometheus_client import generate_latest

from ctxfy.adapters.monitoring.metrics_collector import PrometheusMetrics, new_registry
from scripts.dashboards import __main__ as dashboards
from tests.monitoring_tools import SHIPPED, run_tool


RULE_TESTS = sorted((Path(__file__).parents[1] / "data" / "rules").glob("*.yaml"))


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_are_silent_else(path: Path) -> None:
    """
    `promtool test rules` plays figures to the rules, and compares what fires with what should.
    """
    assert "SUCCESS" in run_tool("promtool", "test", "rules", path)


def test_prometheus_takes_its_configuration_with_the_rules_beside_it(tmp_path: Path) -> None:
    """
    Only the key has to be added.
    """
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "ctxfy.key").touch()
    found = run_tool("promtool", "check", "config", tmp_path / "prometheus.yaml")
    assert "4 rule files found" in found


@pytest.mark.parametrize(
    ("labels", "receivers"),
    [
        ("severity=page area=service", "page"),
        ("severity=ticket area=service", "ticket"),
        ("severity=page area=security", "page,security"),
        ("severity=ticket area=security", "security"),
        ("severity=page", "page"),
        ("alertname=OfSomebodyElse", "ticket"),
    ],
)
def test_alerts_reach_those_they_are_for(labels: str, receivers: str) -> None:
    """
    By severity and area, as Alertmanager's own tool reads the configuration.
    """
    config = f"--config.file={SHIPPED / 'alertmanager.yaml'}"
    found = run_tool("amtool", "config", "routes", "test", config, *labels.split())
    assert found.splitlines()[-1] == receivers


def test_alertmanager_takes_its_configuration() -> None:
    """
    Every receiver reads its secret from a file.
    """
    found = run_tool("amtool", "check-config", SHIPPED / "alertmanager.yaml")
    assert "SUCCESS" in found


def test_every_expression_of_the_dashboards_is_promql(tmp_path: Path) -> None:
    """
    With a value for each variable, `promtool check rules` takes them all.
    """
    expressions = {
        target["expr"]
        for _, text in dashboards.fresh_files()
        for panel in json.loads(text)["panels"]
        for target in panel.get("targets", ())
    }
    plain = sorted(
        re.sub(r"\$\w+", "a", each.replace("$__rate_interval", "5m")) for each in expressions
    )
    rules = [{"record": f"try:{place}", "expr": each} for place, each in enumerate(plain)]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "tried", "rules": rules}]}))
    assert f"{len(rules)} rules found" in run_tool("promtool", "check", "rules", file)


def test_metrics_keep_to_the_conventions() -> None:
    """
    `promtool check metrics` finds nothing to say about what /metrics gives.
    """
    registry = new_registry()
    PrometheusMetrics(registry, endpoints=["/mcp"], version="0")
    shown = generate_latest(registry).decode()
    assert run_tool("promtool", "check", "metrics", given=shown) == ""
