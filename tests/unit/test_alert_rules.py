"""
Alerts, their runbooks, their tests and the metrics they look at belong together.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring_tools import METRIC, RULES, SHIPPED, exported, rules_of


TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
RUNBOOKS = DOCS / "how-to" / "runbooks"
PAGES = sorted(path for path in RUNBOOKS.glob("*.md") if path.name != "index.md")
NOT_OF_CTXFY = {"up"}


ALERTS = [rule for rule in RULES if "alert" in rule]
each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])


def slug_of(alert: str) -> str:
    """
    Name an alert as its page is named.
    """
    return re.sub(r"(?<!^)(?=[A-Z])", "-", alert.removeprefix("Ctxfy")).lower()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_asks_only_for_what_there_is(rule: Mapping[str, Any]) -> None:
    """
    Each metric in its expression is exported by the server, or recorded by a rule.
    """
    asked = set(METRIC.findall(rule["expr"]))
    assert asked or NOT_OF_CTXFY & set(re.findall(r"\w+", rule["expr"]))
    assert asked <= exported()


@each_alert
def test_an_alert_tells_whom_it_is_for_and_what_to_do(alert: Mapping[str, Any]) -> None:
    """
    It has a severity, an area, a summary, a description, and its own page.
    """
    labels, notes = alert["labels"], alert["annotations"]
    assert labels.keys() == {"severity", "area"}
    assert labels["severity"] in {"page", "ticket"}
    assert labels["area"] in {"service", "security"}
    assert notes.keys() == {"summary", "description", "runbook"}
    assert notes["runbook"] == f"how-to/runbooks/{slug_of(alert['alert'])}"


@each_alert
def test_an_alert_has_a_runbook_with_all_its_parts(alert: Mapping[str, Any]) -> None:
    """
    What it means, the first look with its commands, the fix, and who is woken.
    """
    page = (DOCS / f"{alert['annotations']['runbook']}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {alert['alert']}: ")
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert headings == ["First look", "Fix", "Who is woken"]
    assert "\n```" in page.partition("## First look")[2].partition("## Fix")[0]
    wakes_nobody = "Nobody: it waits" in page
    assert not (wakes_nobody and alert["labels"]["severity"] == "page")


def test_every_runbook_has_its_alert_and_its_row() -> None:
    """
    No page is left of an alert that is gone, and the index lists each with its severity.
    """
    rows = re.findall(
        r"^\| \[(\w+)\]\(([\w-]+)\.md\) \| (\w+) \|",
        (RUNBOOKS / "index.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    told = {(rule["alert"], slug_of(rule["alert"]), rule["labels"]["severity"]) for rule in ALERTS}
    assert set(rows) == told
    assert len(rows) == len(told)
    assert {path.stem for path in PAGES} == {slug for _, slug, _ in told}


@each_alert
def test_an_alert_is_tried_both_ways(alert: Mapping[str, Any]) -> None:
    """
    A test of promtool expects it to fire, and another expects that nothing fires.
    """
    expected = [
        str(moment["exp_samples"])
        for path in (TESTS / "data" / "rules").glob("*.yaml")
        for moment in _moments_in(path, alert)
    ]
    assert any(f'"{alert["alert"]}"' in fires for fires in expected)
    assert "[]" in expected


def _moments_in(path: Path, alert: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """
    List what a file of tests expects to fire, and when, if it loads the rule.
    """
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not any(alert in rules_of(path.parent / name) for name in tests["rule_files"]):
        return []
    return [moment for test in tests["tests"] for moment in test["promql_expr_test"]]


def test_the_targets_are_bounds_of_the_buckets() -> None:
    """
    So what missed a target is counted, and not interpolated.
    """
    text = (SHIPPED / "recording-rules.yaml").read_text(encoding="utf-8")
    bounds = {float(bound) for bound in re.findall(r'le="([\d.]+)"', text)}
    assert bounds == {0.2, 0.05, 0.01}
