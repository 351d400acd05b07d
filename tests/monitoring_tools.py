"""
The rules that ship, what they may ask for, and Prometheus' own tools, which Debian packages.
"""

import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from scripts import reference


SHIPPED = Path(__file__).parents[1] / "src" / "ctxfy" / "app" / "deployment" / "monitoring"
RULE_FILES = sorted(SHIPPED.glob("*rules*.yaml"))
METRIC = re.compile(r"\b(?:job:)?(?:ctxfy|process)_[a-z0-9_:]+")
"""
The name of a series, within an expression.
"""


def rules_of(path: Path) -> list[Mapping[str, Any]]:
    """
    List the rules of a file.
    """
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


RULES = [rule for path in RULE_FILES for rule in rules_of(path)]


@cache
def exported() -> set[str]:
    """
    Name every series that can be asked for: what the server exports and what the rules record.
    """
    names = {rule["record"] for rule in RULES if "record" in rule}
    for name, kind, *_ in reference.own_metrics():
        endings = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        names |= {name + ending for ending in endings}
    return names


def tool(name: str) -> str:
    """
    Find a program, or fail with what to install.
    """
    found = shutil.which(name)
    assert found is not None, (
        f"There is no {name} on the path:"
        " apt-get install --no-install-recommends prometheus prometheus-alertmanager"
    )
    return found


def run_tool(name: str, *arguments: object, given: str = "") -> str:
    """
    Run a tool to its end and return all it wrote; it must be content.
    """
    ended = subprocess.run(
        [tool(name), *map(str, arguments)],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def free_port() -> int:
    """
    Find a port that nobody uses just now; these tools cannot pick one and tell which.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
